// Requests that are no person: the rules of hosts/nethttp/quiet_test.go.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, SessionError } from "../node.js";
import { between, world } from "./world.js";

const minute = 60_000, idleTimeout = 16 * minute; // a use is noted once a minute

/** A world whose saves are counted, and alice, five minutes after her login. */
async function office(policy = {}, options = {}) {
  let saves = 0;
  const store = between(options.store ?? new MemoryStore(), { save: (save, ...a) => { saves++; return save(...a); } });
  const w = world({ policy: { idleTimeout, ...policy }, ...options, store });
  const alice = w.visitor();
  const { id } = await alice.do((s) => s.login("alice"));
  w.clock.now += 5 * minute;
  saves = 0;
  const stored = () => store.load(id);
  return { ...w, store, alice, id, stored, saves: () => saves };
}

const json = async (w, method = "GET", headers = {}) => {
  const a = await w.all.status(w.alice.request({ method, headers }), {});
  assert.equal(a.status, 200);
  return a.json();
};

test("which requests are a use", async () => {
  for (const [name, headers, quiet] of [
    ["a page", {}, false],
    ["the field", { "session-quiet": "1" }, true],
    ["the field, off", { "session-quiet": "0" }, false],
    ["a prefetch", { "sec-purpose": "prefetch" }, true],
    ["a prerender", { "sec-purpose": "prefetch;prerender" }, true],
    ["an older browser's", { purpose: "prefetch" }, true],
    ["another purpose", { "sec-purpose": "prefetched" }, false],
  ]) {
    const w = await office({ renewAfter: 3 * minute }), before = await w.stored();
    const a = await w.alice.commit(await w.alice.load({ headers }));
    assert.equal(w.saves(), quiet ? 0 : 1, name);
    assert.equal(a.headers.getSetCookie().length, quiet ? 0 : 1, name);
    assert.equal((await w.stored()).seenAt === before.seenAt, quiet, name);
  }
});

test("a quiet route polls for two idle periods, and is out on time", async () => {
  const w = await office();
  const poll = w.all.withSession((_, s) => new Response(s.user), { quiet: true });
  const login = w.clock.now - 5 * minute;
  for (; w.clock.now < login + 2 * idleTimeout; w.clock.now += 1000) {
    const text = await (await poll(w.alice.request())).text();
    assert.equal(text, w.clock.now < login + idleTimeout ? "alice" : "");
  }
  assert.equal(w.saves(), 0);
});

test("a quiet request stores values and no use, also where another is first; a login is a login", async () => {
  const w = await office(), before = await w.stored();
  const [one, other] = [await w.all.load(w.alice.request(), { quiet: true }), await w.all.load(w.alice.request(), { quiet: true })];
  one.add("n"); other.add("n", 2); other.update("list", (list = []) => [...list, 1]);
  await w.alice.commit(one);
  const a = await w.alice.commit(other);
  assert.deepEqual(a.headers.getSetCookie(), []);
  const after = await w.stored();
  assert.deepEqual([after.seenAt, after.expiresAt], [before.seenAt, before.expiresAt]);
  const s = await w.alice.load();
  assert.deepEqual([s.get("n"), s.get("list")], [3, [1]]);

  for (const change of [(s) => s.login("alice"), (s) => s.renew(), (s) => s.refresh()]) {
    w.clock.now += 2 * minute;
    const s = await w.all.load(w.alice.request(), { quiet: true });
    s.add("n");
    change(s);
    const { cookie } = w.alice;
    await w.alice.commit(s);
    assert.notEqual(w.alice.cookie, cookie);
    assert.equal((await w.stored()).seenAt, w.clock.now);
  }
  assert.equal((await w.alice.load()).get("n"), 6);
});

test("a value that was read and has changed is not overwritten by a quiet request", async () => {
  const w = await office();
  await w.alice.do((s) => s.set("n", 1));
  const s = await w.all.load(w.alice.request(), { quiet: true });
  s.set("n", s.get("n") + 1);
  await w.alice.do((s) => s.set("n", 5));
  await assert.rejects(w.alice.commit(s), { code: "conflict" });
});

test("status shows what is left and changes nothing; a POST is a use", async () => {
  const w = await office({ renewAfter: 3 * minute }, {}), before = await w.stored();
  for (const method of ["GET", "HEAD"]) {
    const a = await w.all.status(w.alice.request({ method }));
    assert.deepEqual([a.headers.get("cache-control"), a.headers.get("vary"), a.headers.getSetCookie()], ["no-store", "Cookie", []]);
    assert.equal(await a.text(), method === "HEAD" ? "" : '{"signed_in":true,"idle_seconds":660,"absolute_seconds":86100}\n');
  }
  assert.deepEqual(await w.stored(), before);
  assert.equal(w.saves(), 0);
  assert.deepEqual(await json(w, "POST", { "session-quiet": "1" }), { signed_in: true, idle_seconds: 960, absolute_seconds: 86_100 });
  const refreshed = await w.all.status(w.alice.request({ method: "POST" }), { refresh: true });
  assert.equal((await refreshed.json()).absolute_seconds, 86_400);

  for (const headers of [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { origin: "https://evil.example" }, { origin: "null" }]) {
    assert.equal((await w.all.status(w.alice.request({ method: "POST", headers }))).status, 403);
  }
  assert.equal((await w.all.status(w.alice.request({ method: "POST", headers: { origin: "http://example.test" } }))).status, 200);
  const post = (origin, trustedOrigins) => w.all.status(w.alice.request({ method: "POST", headers: { origin, "sec-fetch-site": "same-site" } }), { trustedOrigins });
  const app = "https://app.example.com";
  assert.equal((await post(app, [app])).status, 200);
  for (const origin of ["https://other.example.com", "http://app.example.com", "https://app.example.com:8443", "null"]) {
    assert.equal((await post(origin, [app])).status, 403);
  }
  for (const bad of ["*", "https://app.example.com/", "app.example.com", "null", 7]) {
    await assert.rejects(post(app, [bad]), { code: "config" });
  }
  await assert.rejects(post(app, app), { code: "config" });
  const put = await w.all.status(w.alice.request({ method: "PUT" }));
  assert.deepEqual([put.status, put.headers.get("allow")], [405, "GET, HEAD, POST"]);
  w.clock.now += idleTimeout;
  assert.deepEqual(await json(w), { signed_in: false, idle_seconds: 0, absolute_seconds: 0, reason: "idle" });
  assert.deepEqual(await json(w, "POST"), { signed_in: false, idle_seconds: 0, absolute_seconds: 0, reason: "idle" });
});

test("a store that does not answer is 503, and so is one that notes no use", async (t) => {
  t.mock.method(console, "error", () => {});
  const memory = new MemoryStore(), broken = { load: false, save: false };
  const verb = (name) => (call, ...a) => { if (broken[name]) throw new Error("down"); return call(...a); };
  const w = await office({}, { store: between(memory, { load: verb("load"), save: verb("save") }) });
  broken.save = true;
  assert.equal((await w.all.status(w.alice.request({ method: "POST" }))).status, 503);
  assert.equal((await w.all.status(w.alice.request())).status, 200);
  broken.load = true;
  assert.equal((await w.all.status(w.alice.request())).status, 503);
});

test("options that there are not are refused", async () => {
  const w = await office();
  for (const call of [() => w.all.load(w.alice.request(), { silent: true }), () => w.all.withSession(() => {}, { quiet: 1 })]) {
    assert.throws(call, (err) => err instanceof SessionError && err.code === "config");
  }
  await assert.rejects(w.all.status(w.alice.request(), { quiet: true }), { code: "config" });
});
