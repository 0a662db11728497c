// What visitors, stores and programs may send that nobody expects.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchStore, MemoryStore } from "../node.js";
import { between, world } from "./world.js";

for (const thrown of [undefined, null, 0, "", "down", new Error("down")]) {
  test(`a save that was applied and has thrown ${JSON.stringify(thrown) ?? "nothing"} is not done twice`, async () => {
    let then = null;
    const save = async (pass, ...a) => {
      const answer = await pass(...a), once = then;
      then = null;
      if (!once) return answer;
      await once();
      throw thrown;
    };
    const w = world({ store: between(new MemoryStore(), { save }), policy: { merge: { n: "counter" } } }), v = w.visitor();
    await v.do((s) => s.login("alice").set("n", 10));
    const add = (s) => s.set("n", s.get("n") + 1);
    const s = add(await v.load());
    then = async () => w.all.store(add(await v.load()));
    await w.all.store(s);
    assert.equal((await v.load()).get("n"), 12);
  });
}

test("an event handler that fails later is told of, and ends nothing", async (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  const { all } = world({ onEvent: async () => { throw new Error("the audit log is down"); } });
  const s = await all.load(new Request("http://example.test/", { headers: { cookie: "rockstar_session=garbage" } }));
  assert.equal(s.reason, "malformed");
  await new Promise(setImmediate);
  assert.equal(warn.mock.callCount(), 1);
});

test("a visitor without a cookie is no event", async () => {
  const seen = [], v = world({ onEvent: (e) => seen.push(e.kind) }).visitor();
  await v.load();
  assert.deepEqual(seen, []);
});

test("a user agent is the same, however a runtime has decoded it", async () => {
  const v = world({ policy: { bindUserAgent: true } }).visitor();
  v.headers["user-agent"] = "Pok\xc3\xa9mon/1.0"; // bytes as they came
  await v.do((s) => s.login("alice"));
  for (const other of ["Pok\xe9mon/1.0", "Pok\xe9\xe9mon/1.0"]) { // decoded; a byte that is no UTF-8 would be one character, too
    v.headers["user-agent"] = other;
    assert.equal((await v.load()).user, "alice");
  }
  v.headers["user-agent"] = "Pokemon/1.0";
  assert.equal((await v.load()).reason, "user_agent_changed");
});

test("whoever can set any cookie cannot write ours into its value", async () => {
  const v = world().visitor();
  await v.do((s) => s.login("alice"));
  const { cookie } = v, name = cookie.split("=")[0], planted = `${name}=${"A".repeat(124)}; `;
  for (const [header, reason] of [
    [`lang=en, ${cookie}`, "none"], [`lang=en,${cookie}`, "none"], [`lang="en, ${cookie}"`, "none"], [`lang=en\t${cookie}`, "none"],
    [`${cookie}, a=1`, "malformed"], [`lang=en, ${cookie}; a=1`, "none"],
    [`a="x, y"; ${cookie}`, null], [`lang=en, ${planted}${cookie}`, null],
    [`a=${", ".repeat(1000)}; ${cookie}`, null], [`${"a=b; ".repeat(1000)}${cookie}`, null], [`${"; ".repeat(1000)}${cookie}`, null],
    [`a=${"x".repeat(1 << 20)}; ${cookie}`, null], [planted.repeat(400) + cookie, null],
  ]) {
    v.cookie = header;
    const s = await v.load();
    assert.deepEqual([s.reason, s.user], [reason, reason ? "" : "alice"], header.slice(0, 80));
  }
});

test("a tenant that is too long has no sessions, and reads go on", async () => {
  for (const n of [256, 257, 70_000]) {
    const v = world({ tenant: () => "t".repeat(n) }).visitor();
    assert.equal((await v.load()).reason, "none");
    await assert.rejects(v.do((s) => s.login("alice")), { code: "bad_name" });
  }
  assert.equal((await world({ tenant: () => "t".repeat(255) }).visitor().do((s) => s.login("alice"))).user, "alice");
});

test("half a character is no tenant", async () => {
  await assert.rejects(world({ tenant: () => "\ud800" }).visitor().load(), { code: "config" });
});

test("a response that is being read is refused before anything is stored", async () => {
  const w = world(), s = await w.visitor().load(), response = new Response("x");
  response.body.getReader();
  await assert.rejects(w.all.commit(s.login("alice"), response), { code: "response" });
  assert.equal(s.id, null);
});

test("an ID that is none is refused by its code", async () => {
  await assert.rejects(world().all.end("xyz"), { code: "bad_id" });
});

test("records that a store keeps as Buffers share no bytes with what is read", async () => {
  const inner = new MemoryStore(), buffers = async (pass, id) => { const r = await pass(id); return r && { ...r, sealed: Buffer.from(r.sealed) }; };
  const v = world({ store: between(inner, { load: buffers }) }).visitor();
  await v.do((s) => s.login("alice").set("b", Uint8Array.of(1, 2)));
  const s = await v.load(), b = s.get("b");
  b[0] = 9;
  assert.deepEqual([...s.get("b")], [1, 2]);
});

test("the store handler's refusals are what they are, and not asked again", async () => {
  let status = 204, asked = 0;
  const fetch = async (url) => { asked++; return new Response(null, { status: url.endsWith("/load") && status === 204 ? 404 : status }); };
  const v = world({ store: new FetchStore({ url: "http://127.0.0.1/s", token: "t".repeat(32), fetch }) }).visitor();
  await v.do((s) => s.login("alice"));
  status = 422;
  assert.equal((await v.load()).reason, "corrupt");
  const other = world({ store: new FetchStore({ url: "http://127.0.0.1/s", token: "t".repeat(32), fetch }) }).visitor();
  const s = (await other.load()).login("alice");
  status = 413;
  asked = 0;
  await assert.rejects(other.commit(s), { code: "too_large" });
  assert.equal(asked, 1);
});
