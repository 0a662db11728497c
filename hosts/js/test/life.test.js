import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { key, world } from "./world.js";

test("a visitor without a cookie gets a session, of which nothing is stored until something is in it", async () => {
  const { visitor } = world();
  const v = visitor(), s = await v.load();
  assert.deepEqual([s.id, s.user, s.reason, s.state, s.names], [null, "", "none", "new", []]);
  const a = await v.commit(s);
  assert.deepEqual(a.headers.getSetCookie(), []);
  assert.equal(a.headers.get("vary"), "Cookie");
});

test("values last, also those of every type", async () => {
  const { visitor } = world();
  const v = visitor();
  const value = { a: [1, -2.5, "x", null, true], when: new Date(1e12), big: 2n ** 60n, bytes: Uint8Array.of(1, 2) };
  const first = await v.do((s) => s.set("v", value).set("__proto__", 1));
  assert.equal(first.state, "active");
  assert.equal(first.id.length, 22);
  const s = await v.load();
  assert.deepEqual(s.get("v"), value);
  assert.deepEqual(s.names.sort(), ["__proto__", "v"]);
  assert.equal(s.get("none"), undefined);
  assert.equal(s.id, first.id);
  await v.do((s) => s.delete("v"));
  assert.equal((await v.load()).has("v"), false);
  await v.do((s) => s.clear());
  assert.deepEqual((await v.load()).names, []);
});

test("a login makes a new secret; the old cookie opens nothing", async () => {
  const { visitor } = world();
  const v = visitor();
  await v.do((s) => s.set("cart", [1]));
  const before = v.cookie;
  await v.do((s) => s.login("alice"));
  assert.notEqual(v.cookie, before);
  const s = await v.load();
  assert.deepEqual([s.user, s.signedIn, s.get("cart")], ["alice", true, [1]]);
  v.cookie = before;
  const old = await v.load();
  assert.equal(old.signedIn, false);
  assert.notEqual(old.reason, null);
});

test("logout ends it everywhere and clears the cookie", async () => {
  const { visitor, store } = world();
  const v = visitor();
  await v.do((s) => s.login("alice"));
  const cookie = v.cookie, { id } = await v.load();
  const s = await v.load();
  const a = await v.commit(s.logout());
  assert.match(a.headers.getSetCookie()[0], /Max-Age=0/);
  assert.equal(await store.load(id), null);
  v.cookie = cookie;
  assert.equal((await v.load()).reason, "unknown_session");
});

test("renew and refresh keep the session under a new secret and a later deadline", async () => {
  const { visitor, clock } = world({ policy: { lifetime: 3_600_000 } });
  const v = visitor();
  const one = await v.do((s) => s.login("alice"));
  clock.now += 600_000;
  const cookie = v.cookie;
  const two = await v.do((s) => s.renew());
  assert.notEqual(v.cookie, cookie);
  assert.equal(two.id, one.id);
  const three = await v.do((s) => s.refresh());
  assert.ok(three.expiresAt > one.expiresAt);
  clock.now += 3_600_001;
  assert.ok(["expired", "idle"].includes((await v.load()).reason));
});

test("a login with its own lifetime lasts as long", async () => {
  const { visitor, clock } = world({ policy: { idleTimeout: 30 * 86_400_000, maxLifetime: 40 * 86_400_000 } });
  const v = visitor();
  const s = await v.do((s) => s.login("alice", { lifetime: 20 * 86_400_000 }));
  assert.equal(s.expiresAt, clock.now + 20 * 86_400_000);
});

test("a clock that goes back, or is set far ahead, fails no request", async () => {
  const { visitor, clock } = world();
  const v = visitor();
  await v.do((s) => s.login("alice"));
  clock.now -= 5_000;
  assert.equal((await v.do((s) => s.set("n", 1))).get("n"), 1);
  assert.equal((await v.load()).user, "alice");
  clock.now += 10 * 365 * 86_400_000;
  assert.ok(["expired", "idle"].includes((await v.load()).reason));
});

test("what was committed can be read and not be changed, nor committed again", async () => {
  const { all, visitor } = world();
  const v = visitor(), s = await v.do((s) => s.set("a", 1));
  assert.equal(s.get("a"), 1);
  assert.throws(() => s.set("a", 2), { code: "committed" });
  await assert.rejects(all.commit(s, new Response()), { code: "committed" });
});

test("printing shows no secret, of a session or of its maker", async () => {
  const { all, visitor } = world();
  const v = visitor(), s = await v.do((s) => s.login("alice").set("pin", "tellnobody"));
  for (const text of [inspect(s, { showHidden: true, depth: 9 }), JSON.stringify(s), inspect(all, { showHidden: true, depth: 9 }), JSON.stringify(all), String(s)]) {
    assert.doesNotMatch(text, /tellnobody/);
    assert.ok(!text.includes(key) && !text.includes(v.cookie.split("=")[1]));
    assert.doesNotMatch(text, /Uint8Array/);
  }
  assert.deepEqual(Object.keys(s), ["reason"]);
});

test("a value that cannot be kept is told by its name and its place", async () => {
  const s = await world().visitor().load();
  for (const [value, at] of [
    [() => {}, ""], [{ items: [{ sku: "a" }, { sku: "b", made: new Map() }] }, " at .items[1].made"], [{ "a b": { c: 2n ** 64n } }, ' at ["a b"].c'], [[[undefined]], " at [0][0]"],
    [{ a: 1, b: [1], c: Symbol() }, " at .c"], [{ ["x".repeat(99)]: undefined }, ` at ["${"x".repeat(40)}"]`], [{ d: new Date(NaN) }, " at .d"],
  ]) {
    const starts = (err) => err.code === "bad_value" && err.message.startsWith(`session value "cart"${at}: `) && / cannot be kept in a session/.test(err.message);
    assert.throws(() => s.set("cart", value), starts, at);
    assert.throws(() => s.update("cart", () => value), starts, at);
  }
  const loop = {};
  loop.self = loop;
  assert.throws(() => s.set("loop", loop), { code: "nesting", message: /^session value "loop" at (\.self){16}: / });
});

test("options of login and renew that there are not are refused", async () => {
  const s = await world().visitor().load();
  for (const [call, text] of [
    [() => s.login("a", { lifeTime: 5 }), 'login: there is no option "lifeTime"; allowed: lifetime, stamp, methods'], [() => s.login("a", 5), "login: the options are 5; allowed: an object of lifetime, stamp, methods"],
    [() => s.login("a", "remember"), 'login: the options are "remember"; allowed: an object of lifetime, stamp, methods'], [() => s.login("a", ["pwd"]), "login: the options are an array; allowed: an object of lifetime, stamp, methods"],
    [() => s.renew({ stmap: "x" }), 'renew: there is no option "stmap"; allowed: stamp'], [() => s.renew(5), "renew: the options are 5; allowed: an object of stamp"],
  ]) assert.throws(call, { code: "config", message: text });
  assert.throws(() => s.login("a", { lifetime: NaN }), { code: "lifetime", message: "lifetime is NaN; allowed: a whole number of milliseconds" });
  assert.equal(s.login("a", undefined).user, "a");
});

test("names, users and values that cannot be kept are refused at once", async () => {
  const s = await world().visitor().load();
  for (const value of [undefined, () => {}, Symbol(), new Map(), new Set(), /x/, { a: undefined }, [,], "\ud800", 2n ** 64n, new Date(NaN), new Float64Array(1)]) {
    assert.throws(() => s.set("v", value), { code: "bad_value" });
  }
  const loop = [];
  loop.push(loop);
  assert.throws(() => s.set("v", loop), { code: "nesting" });
  let wide = "x".repeat(1000);
  for (let n = 0; n < 14; n++) wide = [wide, wide, wide, wide, wide, wide];
  assert.throws(() => s.set("v", wide), { code: "value_size" });
  assert.throws(() => s.set(5, 1), { code: "value_name" });
  assert.throws(() => s.set("", 1), { code: "value_name" });
  for (const user of ["", undefined, 7, "a\ud800", "a\n"]) assert.throws(() => s.login(user), { code: "bad_user" });
  for (const lifetime of [NaN, -1, 1.5, "1"]) assert.throws(() => s.login("a", { lifetime }), { code: "lifetime" });
  assert.throws(() => s.set("v", "x".repeat(2 << 20)), (err) => ["too_large", "value_size"].includes(err.code));
  assert.deepEqual([s.names, s.user], [[], ""]);
});
