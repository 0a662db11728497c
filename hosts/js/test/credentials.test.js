// A changed password ends the other sessions, and a proof of who one is runs out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Refused, Unavailable, failure } from "../node.js";
import { between, world } from "./world.js";

/** A world whose users have a stamp each. */
function users(options = {}) {
  const table = { alice: "hash 1", bob: "hash 1" }, events = [];
  let fails = null, asked = 0, meet = null;
  const credentials = async (tenant, user) => {
    asked++;
    const now = meet, stamp = table[tenant + user];
    meet = null;
    if (now) await now();
    if (fails) throw fails;
    return stamp;
  };
  const w = world({ credentials, onEvent: (e) => events.push(e), ...options });
  return {
    ...w, table, events, asked: () => asked,
    fail: (err) => { fails = err; },
    during: (f) => { meet = f; },
    enter: async (user = "alice") => {
      const v = w.visitor();
      await v.do((s) => s.login(user, { stamp: table[user], methods: ["pwd"] }));
      return v;
    },
  };
}

const refused = (s) => assert.deepEqual([s.signedIn, s.reason], [false, "credentials_changed"]);

test("a changed password ends the others, and not the own", async () => {
  const { enter, table, events, store, visitor } = users();
  const own = await enter(), phone = await enter(), bob = await enter("bob");
  const lost = (await phone.load()).id;
  await own.do((s) => { table.alice = "hash 2"; s.set("n", 1).renew({ stamp: "hash 2" }); });
  for (let i = 0; i < 2; i++) refused(await phone.load());
  const s = await own.load();
  assert.deepEqual([s.user, s.get("n"), s.methods], ["alice", 1, ["pwd"]]);
  assert.equal((await bob.load()).user, "bob");
  assert.equal((await store.load(lost)).user, "", "what stays for a minute is nobody's");
  assert.deepEqual(events.filter((e) => e.kind === "ended").map((e) => [e.reason, e.id, e.user]), [["credentials_changed", lost, "alice"]]);
  // For a minute such a cookie begins no session but by a login, and none is set.
  const late = await phone.load();
  late.set("n", 1);
  await assert.rejects(phone.commit(late), (err) => err instanceof Refused && err.reason === "credentials_changed" && failure(err).status === 401);
  await phone.do((s) => s.login("alice", { stamp: "hash 2" }));
  assert.equal((await phone.load()).user, "alice");
  assert.equal(visitor().cookie, "");
});

test("what cannot be checked signs nobody out", async () => {
  const { enter, fail, table } = users();
  const v = await enter();
  for (const err of [new Error("connection refused"), new Refused("expired", "not ours")]) {
    fail(err);
    await assert.rejects(v.load(), (got) => got instanceof Unavailable && got.code === "credentials" && failure(got).status === 503);
  }
  fail(null);
  for (const odd of [undefined, 7, "x".repeat(4097), "é".repeat(2049), "\ud800"]) {
    table.alice = odd;
    await assert.rejects(v.load(), { code: "credentials" });
  }
  table.alice = "hash 1";
  const s = await v.load();
  fail(new Error("connection refused"));
  s.set("n", 1);
  await assert.rejects(v.commit(s), { code: "credentials" });
  fail(null);
  assert.equal((await v.load()).get("n"), undefined);
  table.alice = "";
  refused(await v.load());
});

test("a session from before the option adopts the stamp, once", async () => {
  const before = world(), v = before.visitor();
  await v.do((s) => s.login("alice"));
  let saves = 0;
  const store = between(before.store, { save: (pass, ...a) => { saves++; return pass(...a); } });
  const { all, table } = users({ store });
  v.all = all;
  for (let i = 0; i < 3; i++) assert.equal((await v.do(() => {})).user, "alice");
  assert.equal(saves, 1);
  table.alice = "hash 2";
  refused(await v.load());
});

test("a login needs the stamp of what was verified", async () => {
  const { visitor, table, enter } = users();
  const s = await visitor().load();
  assert.throws(() => s.login("alice"), { code: "no_stamp" });
  assert.throws(() => s.login("alice", { stamp: 7 }), { code: "stamp" });
  assert.throws(() => s.login("alice", { stamp: "x".repeat(4097) }), { code: "stamp" });
  assert.throws(() => s.login("alice", { stamp: "1", methods: "pwd" }), { code: "method" });
  assert.throws(() => s.login("alice", { stamp: "1", methods: ["a b"] }), { code: "method" });
  assert.throws(() => s.confirm("pwd"), { code: "nobody" });
  assert.throws(() => s.renew({ stamp: "1" }), { code: "nobody" });
  table.alice = "hash 2"; // since it was verified
  const v = visitor(), late = await v.load();
  late.login("alice", { stamp: "hash 1" });
  await assert.rejects(v.commit(late), { reason: "credentials_changed" });
  assert.equal(v.cookie, "");
  const own = await enter(), wrong = await own.load();
  wrong.renew({ stamp: "hash 3" });
  await assert.rejects(own.commit(wrong), { reason: "credentials_changed" });
  assert.equal((await own.load()).user, "alice", "a wrong stamp ends nothing");
});

test("a commit checks again, but for a use", async () => {
  for (const change of [(s) => s.set("n", 1), (s) => s.renew(), (s) => s.confirm("otp"), (s) => s.take("n")]) {
    const { enter, table, clock, all } = users();
    const v = await enter();
    await v.do((s) => s.set("n", 0));
    const used = await v.load(), s = await v.load();
    table.alice = "hash 2";
    clock.now += 3_600_000;
    await v.commit(used);
    await assert.rejects(async () => { await change(s); await all.store(s); }, { reason: "credentials_changed" });
    refused(await v.load());
  }
});

test("a request beside the change signs the own browser out of nothing", async () => {
  const { enter, table, during } = users();
  const own = await enter();
  await own.do((s) => s.set("cart", ["tea"]));
  // A poll comes when the table is written and the session is not.
  const s = await own.load();
  table.alice = "hash 2";
  s.renew({ stamp: "hash 2" });
  const poll = { ...own };
  Object.setPrototypeOf(poll, Object.getPrototypeOf(own));
  refused(await poll.load());
  await own.commit(s);
  const after = await own.load();
  assert.deepEqual([after.user, after.get("cart")], ["alice", ["tea"]]);
  // One is judged while the session is stored under the new stamp.
  const t = await own.load();
  table.alice = "hash 3";
  t.renew({ stamp: "hash 3" });
  during(() => own.commit(t));
  poll.cookie = own.cookie;
  const late = await poll.load();
  assert.deepEqual([late.signedIn, late.reason], [false, "superseded"]);
  assert.equal((await own.load()).user, "alice");
});

test("a logout beside the change is final", async () => {
  const { enter, table, visitor } = users();
  const own = await enter(), s = await own.load();
  table.alice = "hash 2";
  s.renew({ stamp: "hash 2" });
  const tab = visitor();
  tab.cookie = own.cookie;
  refused(await tab.load());
  await tab.do((out) => out.logout());
  await assert.rejects(own.commit(s), { reason: "ended" });
});

test("an answer is used again for the time stated", async () => {
  const { enter, table, clock, asked } = users({ credentialsCache: 60_000 });
  const own = await enter(), phone = await enter();
  const before = asked();
  for (let i = 0; i < 3; i++) await own.load();
  assert.equal(asked(), before);
  table.alice = "hash 2";
  assert.equal((await phone.load()).user, "alice");
  clock.now -= 3_600_000; // a clock that was set back makes it no longer
  refused(await phone.load());
  assert.throws(() => users({ credentials: undefined, credentialsCache: 1 }), { code: "config" });
  for (const bad of [-1, 3_600_001, NaN]) assert.throws(() => users({ credentialsCache: bad }), { code: "config" });
  assert.throws(() => users({ credentials: "hash" }), { code: "config" });
});

test("a clock that comes past the same moments again makes no answer younger", async (t) => {
  const { enter, table } = users({ credentialsCache: 60_000 });
  const own = await enter(), real = performance.now.bind(performance);
  table.alice = "hash 2";
  t.mock.method(performance, "now", () => real() + 3_600_000); // while the clock was set back by as much
  refused(await own.load());
});

test("only a login and confirm prove who one is, and that runs out", async () => {
  const { visitor, clock } = world({ policy: { lifetime: 86_400_000, idleTimeout: 36_000_000 } });
  const v = visitor(), ten = 600_000;
  assert.deepEqual([(await v.load()).provenAt, (await v.load()).provenWithin(ten)], [0, false]);
  await v.do((s) => s.login("alice", { methods: ["pwd", "otp"] }));
  let s = await v.load();
  assert.deepEqual([s.provenAt, s.methods, s.provenWithin(ten)], [clock.now, ["otp", "pwd"], true]);
  clock.now += ten;
  const old = v.cookie;
  for (const change of [() => {}, (s) => s.refresh(), (s) => s.renew(), (s) => s.set("n", 1)]) {
    s = await v.do(change);
    assert.equal((await v.load()).provenWithin(ten), false);
  }
  await v.do((s) => s.confirm("otp"));
  s = await v.load();
  assert.deepEqual([s.provenWithin(ten), s.methods, s.provenAt], [true, ["otp"], clock.now]);
  clock.now -= 60_001;
  assert.equal(s.provenWithin(ten), false, "a clock that was set back");
  clock.now += 60_001;
  const thief = visitor();
  thief.cookie = old;
  assert.equal((await thief.load()).reason, "superseded");
});
