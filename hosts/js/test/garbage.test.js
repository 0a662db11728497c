import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, Refused, SessionError } from "../node.js";
import { between, world } from "./world.js";

const good = {
  id: new Uint8Array(16).fill(1), version: 5n, createdAt: 1, seenAt: 1, expiresAt: 2, tenant: "", user: "", sealed: new Uint8Array(40),
};
const garbage = {
  nothing: undefined, number: 0, text: "", no: false, list: [], object: {}, "another session": good,
  "a plain version": (r) => ({ ...r, version: Number(r.version) }), "no version": (r) => ({ ...r, version: 0n }), "a wide version": (r) => ({ ...r, version: 1n << 63n }),
  "a text of sealed": (r) => ({ ...r, sealed: "x" }), "a flood": (r) => ({ ...r, sealed: new Uint8Array(3 << 20) }),
  "a broken time": (r) => ({ ...r, expiresAt: NaN }), "a long tenant": (r) => ({ ...r, tenant: "x".repeat(1 << 17) }), "a null user": (r) => ({ ...r, user: null }),
  "a throw": () => { throw new Error("down"); }, "a refusal": () => { throw new Refused("unknown_session", "x"); },
  "an error of a session": () => { throw new SessionError("ended", "x"); }, "a throw of nothing": () => { throw undefined; },
};

for (const [what, answer] of Object.entries(garbage)) {
  test(`a load that answers with ${what} is unavailable, and never a logout`, async () => {
    let spoilt = false;
    const load = async (pass, id) => !spoilt ? pass(id) : typeof answer === "function" ? answer(await pass(id)) : answer;
    const v = world({ store: between(new MemoryStore(), { load }) }).visitor();
    await v.do((s) => s.login("alice"));
    spoilt = true;
    await assert.rejects(v.load(), { code: "unavailable" });
    spoilt = false;
    assert.equal((await v.load()).user, "alice");
  });
}

for (const answer of [undefined, null, 1, "true", {}]) {
  test(`a save that answers ${JSON.stringify(answer)} is unavailable`, async () => {
    const v = world({ store: between(new MemoryStore(), { save: async () => answer }) }).visitor();
    const s = await v.load();
    await assert.rejects(v.commit(s.set("n", 1)), { code: "unavailable" });
  });
}

test("sealed bytes that were changed are refused as corrupt", async () => {
  let spoilt = false;
  const load = async (pass, id) => { const r = await pass(id); if (spoilt) r.sealed[20] ^= 1; return r; };
  const v = world({ store: between(new MemoryStore(), { load }) }).visitor();
  await v.do((s) => s.login("alice"));
  spoilt = true;
  assert.equal((await v.load()).reason, "corrupt");
});

test("a store that hangs is waited for no longer than commitTimeout", async () => {
  let hang = false;
  const never = (pass, ...a) => hang ? new Promise(() => {}) : pass(...a);
  const v = world({ commitTimeout: 60, store: between(new MemoryStore(), { load: never, save: never, delete: never }) }).visitor();
  await v.do((s) => s.login("alice"));
  const s = await v.load(), out = await v.load();
  hang = true;
  const from = performance.now();
  await assert.rejects(v.load(), { code: "unavailable" });
  await assert.rejects(v.commit(s.set("n", 1)), { code: "unavailable" });
  await assert.rejects(v.commit(out.logout()), { code: "unavailable" });
  assert.ok(performance.now() - from < 3000);
});

test("a use that cannot be noted fails no request", async () => {
  let down = false;
  const { visitor, clock } = world({ store: between(new MemoryStore(), { save: (pass, ...a) => { if (down) throw new Error("down"); return pass(...a); } }) });
  const v = visitor();
  await v.do((s) => s.login("alice"));
  clock.now += 3_600_000;
  down = true;
  assert.equal((await v.commit(await v.load())).status, 200);
  assert.equal((await v.load()).user, "alice");
});

test("a full memory store refuses new sessions, drops what is over, and keeps what lives", async () => {
  const clock = { now: 1_800_000_000_000 };
  const store = new MemoryStore({ most: 1, clock: () => clock.now, retention: 60_000 });
  const { all, visitor } = world({ store, clock: () => clock.now, policy: { anonymousLifetime: 3_600_000 } });
  const one = visitor(), two = visitor();
  await one.do((s) => s.set("n", 1));
  await assert.rejects(two.do((s) => s.set("n", 1)), { code: "unavailable" });
  await one.do((s) => s.set("n", 2));
  clock.now += 100 * 86_400_000;
  await two.do((s) => s.set("n", 1));
  assert.equal((await two.load()).get("n"), 1);
  assert.ok(all);
});
