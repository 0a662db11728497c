// add, update and take: no update is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, failure } from "../node.js";
import { between, world } from "./world.js";

const signedIn = async (options, before = (s) => s) => {
  const w = world(options), v = w.visitor();
  await v.do((s) => before(s.login("alice")));
  return { ...w, v };
};
const together = async (v, n, change) => {
  const all = await Promise.all(Array.from({ length: n }, () => v.load()));
  for (const [i, s] of all.entries()) change(s, i);
  await Promise.all(all.map((s) => v.commit(s)));
};

test("every addition counts, and tells the sum", async () => {
  const { v } = await signedIn();
  const s = await v.load();
  assert.deepEqual([s.add("n"), s.add("n", 2), s.add("n", -5n), s.get("n")], [1, 3, -2, -2]);
  await v.commit(s);
  await together(v, 20, (s) => s.add("n"));
  assert.equal((await v.load()).get("n"), 18);
});

test("a sum that no number holds is a BigInt", async () => {
  const s = await world().visitor().load();
  s.set("wide", 5n);
  assert.deepEqual([s.add("wide"), s.get("wide")], [6, 6n]);
  assert.equal(s.add("wide", 2n ** 60n), 6n + 2n ** 60n);
  assert.equal(s.set("n", Number.MAX_SAFE_INTEGER).add("n"), 2n ** 53n);
});

test("what cannot be added is refused, and changes nothing", async () => {
  const s = await world().visitor().load();
  s.set("text", "x").set("most", 2n ** 63n - 1n).set("float", 0.5);
  for (const name of ["text", "most", "float"]) assert.throws(() => s.add(name), { code: "counter" });
  for (const n of [0.5, NaN, 2 ** 53, 2n ** 63n, "1", null]) assert.throws(() => s.add("n", n), { code: "counter" }, String(n));
  assert.throws(() => s.add("", 1), { code: "value_name" });
  assert.deepEqual([s.get("text"), s.get("most"), s.has("n")], ["x", 2n ** 63n - 1n, false]);
});

test("an update runs again on what is stored", async () => {
  const { v } = await signedIn();
  const runs = [], s = await v.load();
  assert.deepEqual(s.update("cart", (cart = []) => { runs.push(cart.length); return [...cart, "mine"]; }), ["mine"]);
  await v.do((s) => s.update("cart", (cart = []) => [...cart, "theirs"]));
  await v.commit(s);
  assert.deepEqual([(await v.load()).get("cart"), runs], [["theirs", "mine"], [0, 1]]);
});

test("a cart of 20 updates at once has 20 things", async () => {
  const { v } = await signedIn();
  await together(v, 20, (s, i) => s.update("cart", (cart = []) => [...cart, i]));
  assert.deepEqual((await v.load()).get("cart").sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
});

test("additions and updates of one name go in their order, before and after", async () => {
  const { v } = await signedIn({}, (s) => s.set("n", 1));
  const s = await v.load();
  s.add("n", 1);
  s.update("n", (n) => n * 10);
  s.add("n", 3);
  s.update("n", (n) => n * 2);
  assert.equal(s.get("n"), 46);
  await v.do((s) => { s.add("n", 100); });
  await v.commit(s);
  assert.equal((await v.load()).get("n"), ((101 + 1) * 10 + 3) * 2);
});

for (const [what, then, want] of [
  ["set", (s) => s.set("n", 7), 7], ["deleted", (s) => s.delete("n"), undefined], ["cleared", (s) => s.clear(), undefined],
]) {
  test(`what was ${what} after an update is not computed again`, async () => {
    const { v } = await signedIn({}, (s) => s.set("n", 1));
    let runs = 0;
    const s = await v.load();
    s.update("n", (n) => { runs++; return n + 1; });
    then(s);
    await v.do((s) => s.set("other", 1));
    await v.commit(s);
    assert.deepEqual([(await v.load()).get("n"), runs], [want, 1]);
  });
}

test("an error of the function is thrown as it is, and stores nothing", async () => {
  const { v, all } = await signedIn({}, (s) => s.set("n", 1));
  const mine = new TypeError("mine"), s = await v.load();
  assert.throws(() => s.update("n", () => { throw mine; }), mine);
  s.set("with", 1).update("n", (n) => { if (n > 1) throw mine; return n + 1; });
  await v.do((s) => s.set("n", 5));
  await assert.rejects(v.commit(s), mine);
  assert.throws(() => failure(mine), mine);
  const now = await v.load();
  assert.deepEqual([now.get("n"), now.has("with")], [5, false]);
  const handler = all.withSession(async (request, s) => {
    s.update("n", (n) => { if (n > 5) throw mine; return n + 1; });
    await v.do((s) => s.set("n", 6));
    return new Response();
  });
  await assert.rejects(handler(v.request()), mine);
});

test("a function of an update computes at once, and touches nothing", async () => {
  const { v } = await signedIn({}, (s) => s.set("n", 1));
  const s = await v.load();
  assert.throws(() => s.update("n", async (n) => n + 1), { code: "bad_value", message: /promise/ });
  assert.throws(() => s.update("n", async () => { throw new Error("nobody waits"); }), { code: "bad_value" });
  for (const value of [undefined, () => {}, Symbol()]) assert.throws(() => s.update("n", () => value), { code: "bad_value" });
  assert.throws(() => s.update("n", 5), { code: "bad_value" });
  for (const touch of [(s) => s.set("m", 1), (s) => s.delete("n"), (s) => s.clear(), (s) => s.add("m"), (s) => s.update("m", () => 1), (s) => s.login("bob"), (s) => s.logout(), (s) => s.renew(), (s) => s.refresh()]) {
    assert.throws(() => s.update("n", () => touch(s)), { code: "updating" });
  }
  let taking;
  s.update("n", () => { taking = s.take("n"); return 1; });
  await assert.rejects(taking, { code: "updating" });
  const again = await v.load();
  let late;
  again.update("n", (n) => { if (n > 1) try { again.set("m", 1); } catch (err) { late = err.code; } return n + again.get("n"); });
  await v.do((s) => s.set("n", 5));
  await v.commit(again);
  assert.equal(late, "updating");
});

test("an update that always loses ends in time, and stores nothing", async () => {
  let no = false, runs = 0;
  const { v } = await signedIn({ commitTimeout: 100, store: between(new MemoryStore(), { save: async (pass, ...a) => {
    if (no) { no = false; await v.do((s) => { s.add("n"); }); no = true; }
    return pass(...a);
  } }) });
  const s = await v.load();
  s.update("n", (n = 0) => { runs++; return n + 1000; });
  no = true;
  await assert.rejects(v.commit(s), { code: "unavailable" });
  no = false;
  assert.ok(runs > 2 && runs < 260, String(runs));
  assert.ok((await v.load()).get("n") < 1000);
});

test("a login whose session was superseded computes its update on a fresh one", async () => {
  const { v } = await signedIn({}, (s) => s.update("cart", () => ["old"]) && s);
  const s = await v.load();
  s.login("alice").update("cart", (cart = []) => [...cart, "mine"]);
  await v.do((s) => s.logout());
  await v.commit(s);
  assert.deepEqual((await v.load()).get("cart"), ["mine"]);
});

test("of many requests one takes a value, and what else they change stays theirs", async () => {
  const { v } = await signedIn({}, (s) => s.set("flash", "saved"));
  const all = await Promise.all(Array.from({ length: 10 }, () => v.load()));
  const got = await Promise.all(all.map((s, i) => { s.set("mine" + i, i); return s.take("flash"); }));
  assert.deepEqual(got.filter((f) => f !== undefined), ["saved"]);
  const now = await v.load();
  assert.deepEqual(now.names, []);
  await Promise.all(all.map((s) => v.commit(s)));
  assert.equal((await v.load()).names.length, 10);
});

test("a take sets no cookie, renews nothing and commits nothing else", async () => {
  const { v, clock, store } = await signedIn({ policy: { renewAfter: 600_000 } }, (s) => s.set("flash", null).set("n", 1));
  clock.now += 700_000;
  const s = await v.load(), { seenAt } = await store.load(s.id);
  s.renew().set("n", 2);
  assert.equal(await s.take("flash"), null);
  const between = await store.load(s.id);
  assert.deepEqual([between.seenAt, (await v.load()).get("n"), s.has("flash"), s.get("n")], [seenAt, 1, false, 2]);
  assert.equal(await s.take("flash"), undefined);
  assert.equal((await v.commit(s)).headers.getSetCookie().length, 1);
  assert.equal((await v.load()).get("n"), 2);
});

test("a take of what the request has set itself, and of what is not there", async () => {
  const { v, store } = await signedIn({}, (s) => s.set("old", 1));
  const s = await v.load(), { version } = await store.load(s.id);
  s.set("mine", "x").set("old", 2).update("made", () => 3);
  assert.deepEqual([await s.take("mine"), await s.take("old"), await s.take("made"), await s.take("none"), await s.take("mine")], ["x", 2, 3, undefined, undefined]);
  assert.equal((await store.load(s.id)).version, version, "nothing is stored yet");
  await v.commit(s);
  assert.deepEqual((await v.load()).names, []);
  await assert.rejects(s.take("old"), { code: "committed" });
  const fresh = await world().visitor().load();
  assert.deepEqual([await fresh.set("a", 1).take("a"), fresh.names], [1, []]);
  await assert.rejects(fresh.take(5), { code: "value_name" });
});

test("what was read or updated before a take is judged by the state after it", async () => {
  const { v } = await signedIn({}, (s) => s.set("flash", 1).set("n", 1).set("cart", ["a"]));
  const s = await v.load(), t = await v.load();
  s.update("cart", (cart) => [...cart, "mine"]);
  t.get("n");
  await v.do((s) => { s.set("n", 2).update("cart", (cart) => [...cart, "theirs"]); });
  assert.equal(await s.take("flash"), 1);
  assert.deepEqual([s.get("n"), s.get("cart")], [2, ["a", "theirs", "mine"]]);
  await v.commit(s.set("n", 3));
  assert.equal(await t.take("flash"), undefined);
  await assert.rejects(v.commit(t.set("n", 9)), { code: "conflict" });
  assert.deepEqual((await v.load()).get("cart"), ["a", "theirs", "mine"]);
});

test("a take of an ended session is refused; of one that is down it is unavailable", async () => {
  let down = false;
  const { v } = await signedIn({ store: between(new MemoryStore(), { save: (pass, ...a) => { if (down) throw new Error("down"); return pass(...a); } }), commitTimeout: 200 }, (s) => s.set("flash", 1));
  const s = await v.load(), late = await v.load();
  await assert.rejects((await v.load()).logout().take("flash"), { code: "ended" });
  down = true;
  await assert.rejects(s.take("flash"), { code: "unavailable" });
  down = false;
  await v.do((s) => s.logout());
  await assert.rejects(late.take("flash"), { code: "ended" });
});

test("programs add, update and take by ID", async () => {
  const { v, all, store } = await signedIn({ tenant: () => "acme" }, (s) => s.set("flash", "x"));
  const { id } = await v.load(), { seenAt } = await store.load(id);
  const sums = await Promise.all(Array.from({ length: 10 }, () => all.add(id, "n", 2)));
  assert.deepEqual(sums.sort((a, b) => a - b), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  assert.equal(await all.add(id, "n"), 21);
  assert.equal(await all.add(id, "n", 0), 21);
  const carts = await Promise.all(Array.from({ length: 10 }, (_, i) => all.update(id, "cart", (cart = []) => [...cart, i])));
  assert.equal(Math.max(...carts.map((c) => c.length)), 10);
  assert.deepEqual((await Promise.all(Array.from({ length: 10 }, () => all.take(id, "flash")))).filter((f) => f), ["x"]);
  const s = await v.load();
  assert.deepEqual([s.get("n"), s.get("cart").length, s.has("flash"), s.user, (await store.load(id)).seenAt], [21, 10, false, "alice", seenAt]);
  for (const verb of [(id) => all.add(id, "n"), (id) => all.update(id, "n", () => 1), (id) => all.take(id, "n")]) {
    await assert.rejects(verb("xyz"), { code: "bad_id" });
    await assert.rejects(verb("A".repeat(22)), (err) => ["unknown_session", "bad_id"].includes(err.code));
  }
});
