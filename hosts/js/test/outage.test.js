// A store that is down is seen, and what it certainly did not do is no riddle.
import assert from "node:assert/strict";
import { test } from "node:test";
import { D1Store, FetchStore, MemoryStore, RedisStore, SessionError, Unavailable } from "../node.js";
import { between, world } from "./world.js";

const down = () => { throw new Error("down"); };

for (const verb of ["load", "save", "delete"]) {
  test(`a ${verb} that fails is reported once a minute, with how often`, async (t) => {
    const logged = t.mock.method(console, "error", () => {}), seen = [];
    let now = 0;
    t.mock.method(performance, "now", () => now);
    let fails = false;
    const store = between(new MemoryStore(), { [verb]: (pass, ...a) => fails ? down() : pass(...a) });
    const { all, visitor } = world({ store, commitTimeout: 50, onEvent: (e) => { if (e.kind === "failed") seen.push([e.count, e.error.code, e.at]); } });
    const v = visitor();
    const id = (await v.do((s) => s.login("alice"))).id;
    const meet = () => verb === "load" ? v.load() : verb === "delete" ? all.end(id) : v.load().then((s) => all.store(s.set("n", now)));
    fails = true;
    for (let n = 0; n < 5; n++) await assert.rejects(meet(), Unavailable);
    assert.deepEqual([logged.mock.callCount(), seen.length], [1, 1]);
    now += 60_000;
    await assert.rejects(meet(), Unavailable);
    assert.deepEqual([logged.mock.callCount(), seen.map(([count]) => count)], [2, [1, 5]]);
    assert.match(logged.mock.calls[1].arguments[0], /session store failed, 5 times/);
    assert.equal(seen[0][1], "unavailable");
  });
}

test("a use that is not noted is seen, too, and fails no request", async (t) => {
  const logged = t.mock.method(console, "error", () => {});
  const store = new MemoryStore();
  let fails = false;
  const { clock, visitor } = world({ policy: { idleTimeout: 3_600_000 }, store: between(store, { save: (pass, ...a) => fails ? down() : pass(...a) }) });
  const v = visitor();
  await v.do((s) => s.login("alice"));
  clock.now += 1_800_000;
  fails = true;
  const s = await v.do(() => {});
  assert.equal(s.user, "alice");
  assert.equal(logged.mock.callCount(), 1);
  assert.match(logged.mock.calls[0].arguments[1], /the use is not noted/);
});

test("a save that was refused outright is not of an unknown outcome, and is tried once", async (t) => {
  t.mock.method(console, "error", () => {});
  let calls = 0;
  const cause = new SessionError("refused", "this server only reads");
  const { visitor, all } = world({ store: between(new MemoryStore(), { save: () => { calls++; throw cause; } }) });
  const s = await visitor().load();
  await assert.rejects(all.store(s.login("alice")), (err) => err instanceof Unavailable && err.cause === cause && !/unknown/.test(err.message));
  assert.equal(calls, 1);
});

test("an outcome that is unknown keeps what lost the answer", async (t) => {
  t.mock.method(console, "error", () => {});
  const cause = new Error("the cable was cut");
  let answers = [];
  const store = between(new MemoryStore(), { save: (pass, ...a) => { const next = answers.shift(); if (next) throw next; return pass(...a); } });
  const { visitor, all } = world({ store });
  const refused = new SessionError("refused", "it only reads");
  answers = [cause, refused, refused, refused, refused];
  await assert.rejects(all.store((await visitor().load()).login("alice")), (err) => err.cause === cause && /unknown/.test(err.message));

  let then = null;
  const save = async (pass, ...a) => {
    const once = then;
    then = null;
    if (!once) return pass(...a);
    await once();
    throw cause;
  };
  const w = world({ store: between(new MemoryStore(), { save }) }), v = w.visitor();
  await v.do((s) => s.login("bob"));
  const s = (await v.load()).set("n", 1);
  then = async () => { for (let i = 0; i < 20; i++) await w.all.store((await v.load()).set("m", i)); }; // which hide what became of it
  await assert.rejects(w.all.store(s), (err) => err.cause === cause && /unknown/.test(err.message));
});

const record = { id: new Uint8Array(16).fill(1), version: 5n, tenant: "", user: "", createdAt: 1, seenAt: 1, expiresAt: 2, sealed: new Uint8Array(1) };

test("stores tell what they certainly did not do", async () => {
  const redis = (answer) => new RedisStore({ send: answer, getBuffer: () => null }).save(record, 0n);
  const fails = (text) => () => { throw new Error(text); };
  for (const code of ["READONLY You can't write against a read only replica.", "NOREPLICAS Not enough good replicas to write.", "NOPERM no permissions", "LOADING the dataset"]) {
    await assert.rejects(redis(fails(code)), { code: "refused" }, code);
  }
  await assert.rejects(redis(fails("OOM command not allowed")), { code: "full" });
  await assert.rejects(redis(() => ["NOPERM in the script, of this save alone"]), { code: "refused" });
  for (const unknown of ["ERR The user executing the script can't run it", "Connection is closed."]) {
    await assert.rejects(redis(fails(unknown)), (err) => !(err instanceof SessionError), unknown);
  }
  const d1 = (text) => new D1Store({ prepare: () => ({ bind: () => ({ run: fails(text) }) }) }).save(record, 0n);
  await assert.rejects(d1("D1_ERROR: attempt to write a readonly database: SQLITE_READONLY"), { code: "refused" });
  await assert.rejects(d1("D1_ERROR: no such table: sessions: SQLITE_ERROR"), { code: "refused" });
  await assert.rejects(d1("D1_ERROR: Network connection lost."), (err) => !(err instanceof SessionError));
  const origin = (response) => new FetchStore({ url: "https://origin.test", token: "t".repeat(32), fetch: async () => response }).save(record, 0n);
  await assert.rejects(origin(new Response("", { status: 401 })), { code: "refused" });
  await assert.rejects(origin(new Response("", { status: 503, headers: { "session-store": "refused" } })), { code: "refused" });
  await assert.rejects(origin(new Response("", { status: 503 })), (err) => !(err instanceof SessionError));
});

test("a report says every cause once, some of them, and no password", async (t) => {
  const logged = t.mock.method(console, "error", () => {});
  const said = async (err) => {
    const { visitor } = world({ store: between(new MemoryStore(), { load: () => { throw err; } }) }), v = visitor();
    await v.do((s) => s.login("alice"));
    await assert.rejects(v.load(), Unavailable);
    return logged.mock.calls.at(-1).arguments[1].replace(/session [\w-]{22}/, "session ID");
  };
  const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
  assert.equal(await said(new TypeError("fetch failed", { cause: refused })), "load session ID: the store failed: fetch failed: ECONNREFUSED");
  assert.equal(await said(new Error("no route to redis://app:hun/ter2@db.example:6379/", { cause: "down" })), "load session ID: the store failed: no route to redis://...@db.example:6379/: down");
  const loop = new Error("round");
  loop.cause = loop;
  assert.equal(await said(loop), "load session ID: the store failed: round");
  let deep = new Error("cause 0");
  for (let n = 1; n < 9; n++) deep = new Error(`cause ${n}`, { cause: deep });
  assert.equal(await said(deep), "load session ID: the store failed: cause 8: cause 7: cause 6: cause 5");
});
