// What a session's end, and a request that must not begin one, leave of the others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, idText } from "../node.js";
import { between, world } from "./world.js";

const minute = 60_000;
const page = (all, change) => all.withSession((request, s) => { change(s); return new Response(s.reason ?? "live"); });

for (const [what, ...logins] of [
  ["a login", (s) => s.login("alice")],
  ["a login by another user, of a signed-in session", (s) => s.login("alice"), (s) => s.login("bob")],
  ["a login and then one by another user", (s) => s.login("alice"), (s) => s.renew(), (s) => s.login("bob")],
  ["a change of privilege", (s) => s.renew()],
]) {
  test(`a cookie that was superseded by ${what} begins no session for a minute`, async () => {
    const { all, visitor, clock } = world(), v = visitor();
    await v.do((s) => s.set("cart", 1));
    for (const login of logins.slice(0, -1)) await v.do(login);
    const late = visitor();
    late.cookie = v.cookie;
    const during = await late.load();
    await v.do(logins.at(-1));
    await assert.rejects(all.commit(during.set("cart", 2), new Response()), (err) => ["superseded", "ended"].includes(err.code));
    clock.now += minute - 1000;
    const answer = await page(all, (s) => s.set("cart", 2))(late.request());
    assert.deepEqual([answer.status, answer.headers.getSetCookie()], [401, []]);
    assert.deepEqual([await (await page(all, (s) => s.get("cart"))(late.request())).text()], ["superseded"]);
    assert.equal((await v.load()).reason, null, "the next page is signed in");
    const login = await page(all, (s) => s.set("cart", 3).login("carol"))(late.request());
    assert.deepEqual([login.status, login.headers.getSetCookie().length], [200, 1]);
    clock.now += minute;
    const later = await page(all, (s) => s.set("cart", 2))(late.request());
    assert.deepEqual([later.status, later.headers.getSetCookie().length], [200, 1]);
    assert.equal((await v.load()).reason, null);
  });
}

test("the trace of a session that a login has replaced is asked for once, whatever comes of it", async () => {
  for (const trouble of [() => { throw new Error("down"); }, () => "garbage", () => false]) {
    const saves = [], memory = new MemoryStore();
    let replaced = null;
    const save = async (pass, record, prev, how) => {
      saves.push([idText(record.id), prev]);
      return idText(record.id) === replaced ? trouble() : pass(record, prev, how);
    };
    const { visitor } = world({ store: between(memory, { save }) }), v = visitor();
    const { id } = await v.do((s) => s.login("alice"));
    replaced = id;
    saves.length = 0;
    const s = await v.do((s) => s.login("bob"));
    assert.deepEqual(saves, [[id, 0n], [s.id, 0n]]);
    assert.equal((await v.load()).user, "bob");
  }
});

const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
for (const [what, policy, method, fields, allowed] of [
  ["a form of another site", {}, "POST", navigation, false],
  ["a script of another site", {}, "GET", { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }, false],
  ["an image of another site", {}, "GET", { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, false],
  ["a frame of another site", {}, "GET", { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, false],
  ["a link of another site", {}, "GET", navigation, true],
  ["a link of another site, to HEAD", {}, "HEAD", navigation, true],
  ["a link of another site, under Strict", { sameSite: "Strict" }, "GET", navigation, false],
  ["a form of another site, under None", { sameSite: "None", allowInsecure: false }, "POST", navigation, true],
  ["a frame of another site, partitioned", { sameSite: "None", partitioned: true, allowInsecure: false }, "GET", { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, true],
  ["a form of the same site", {}, "POST", { ...navigation, "sec-fetch-site": "same-site" }, true],
  ["a link of nobody", {}, "GET", { ...navigation, "sec-fetch-site": "none" }, true],
]) {
  test(`without a cookie, ${what} ${allowed ? "begins a session" : "begins none"}`, async () => {
    const { all, visitor } = world({ policy }), v = visitor();
    v.headers = { "sec-fetch-site": "cross-site", ...fields };
    const ask = async (change) => {
      const answer = await page(all, change)(v.request({ method }));
      return [answer.status, answer.headers.getSetCookie().length > 0];
    };
    assert.deepEqual(await ask((s) => s.set("n", 1)), allowed ? [200, true] : [403, false]);
    assert.deepEqual(await ask((s) => s.get("n")), [200, false], "reads render");
    assert.deepEqual(await ask((s) => s.set("n", 1).login("alice")), [200, true], "a login is allowed");
  });
}

test("a cookie that came along, or one that opens nothing, is no request without a cookie", async () => {
  const { all, visitor } = world(), v = visitor();
  await v.do((s) => s.login("alice"));
  v.headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  assert.equal((await page(all, (s) => s.set("n", 1))(v.request({ method: "POST" }))).status, 200);
  v.cookie = "rockstar_session=x";
  assert.equal((await page(all, (s) => s.set("n", 1))(v.request({ method: "POST" }))).status, 200);
});

test("a logout ends every session that the request's cookies prove, before the cookie is cleared", async () => {
  const events = [], { all, store, visitor, clock } = world({ onEvent: (e) => e.kind === "ended" && events.push(e.user) });
  const cookies = [], ids = [];
  for (const user of ["alice", "bob", "carol"]) {
    const v = visitor();
    ids.push((await v.do((s) => s.login(user))).id);
    cookies.push(v.cookie);
    clock.now += 1000;
  }
  const other = visitor();
  const { id: others } = await other.do((s) => s.login("dave"));
  const v = visitor();
  v.cookie = cookies.join("; ");
  const fields = await all.store((await v.load()).logout());
  assert.match(fields[0], /Max-Age=0/);
  for (const id of ids) assert.equal(await store.load(id), null, id);
  assert.notEqual(await store.load(others), null);
  assert.deepEqual(events.sort(), ["alice", "bob", "carol"]);
  for (const cookie of cookies) {
    v.cookie = cookie;
    assert.equal((await v.load()).reason, "unknown_session");
  }
});

test("a logout ends what a refused cookie stands before, and nothing that no cookie proves", async () => {
  const { all, store, visitor, clock } = world(), v = visitor();
  await v.do((s) => s.set("n", 1));
  const old = v.cookie;
  clock.now += 1000;
  const { id } = await v.do((s) => s.login("alice"));
  const stale = visitor();
  stale.cookie = old;
  await all.store((await stale.load()).logout());
  assert.notEqual(await store.load(id), null, "a superseded secret proves nothing");
});

test("a logout that cannot end all of them is an error, and clears no cookie", async () => {
  let down = null;
  const memory = new MemoryStore();
  const { all, visitor, clock } = world({ commitTimeout: 200, store: between(memory, { delete: (pass, id) => { if (id === down) throw new Error("down"); return pass(id); } }) });
  const one = visitor(), two = visitor();
  ({ id: down } = await one.do((s) => s.login("alice")));
  clock.now += 1000;
  await two.do((s) => s.login("bob"));
  two.cookie += "; " + one.cookie;
  const answer = await page(all, (s) => s.logout())(two.request());
  assert.deepEqual([answer.status, answer.headers.getSetCookie()], [503, []]);
});

test("Secure follows the request, or what a proxy says of it", async () => {
  const policy = { secureByRequest: true, allowInsecure: false };
  const fields = async (url, options, headers = {}) => {
    const { all } = world({ policy, ...options });
    const s = await all.load(new Request(url, { headers }));
    const [set] = await all.store(s.login("alice"));
    const again = await all.load(new Request(url, { headers: { ...headers, cookie: set.split(";")[0] } }));
    const [cleared] = await all.store(again.logout());
    return [set, cleared].map((f) => f.includes("; Secure"));
  };
  const https = (request) => request.headers.get("x-forwarded-proto") === "https";
  assert.deepEqual(await fields("https://example.test/"), [true, true]);
  assert.deepEqual(await fields("http://example.test/"), [false, false]);
  assert.deepEqual(await fields("http://example.test/", { https }, { "x-forwarded-proto": "https" }), [true, true]);
  assert.deepEqual(await fields("https://example.test/", { https }), [false, false]);
  assert.throws(() => world({ https: true }), { code: "config" });
});

test("a login with a lifetime of its own is remembered, also where cookies end with the browser", async () => {
  const { all, visitor } = world({ policy: { endWithBrowser: true, lifetime: 86_400_000 } });
  for (const [options, remembered] of [[undefined, false], [{ lifetime: 3_600_000 }, true], [{ lifetime: 86_400_000 }, true]]) {
    const [field] = await all.store((await visitor().load()).login("alice", options));
    assert.equal(/Max-Age=\d/.test(field), remembered, field.replace(/=[^;]*/, ""));
  }
});

test("a logout that failed is made again: what the store cannot acknowledge is not reported as done", async () => {
  let fails = true, deletes = 0;
  const store = between(new MemoryStore(), { delete: async (pass, id) => { deletes++; await pass(id); if (fails) throw new Error("down"); } });
  const { all, visitor } = world({ commitTimeout: 200, store }), v = visitor();
  const { id } = await v.do((s) => s.login("alice"));
  const out = () => page(all, (s) => s.logout())(v.request());
  assert.equal((await out()).status, 503);
  assert.equal(await store.load(id), null);
  const again = await out();
  assert.deepEqual([again.status, again.headers.getSetCookie()], [503, []]);
  fails = false;
  deletes = 0;
  const done = await out();
  assert.equal(done.status, 200);
  assert.match(done.headers.getSetCookie()[0], /Max-Age=0/);
  assert.equal(deletes, 1);
});
