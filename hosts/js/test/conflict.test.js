import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../node.js";
import { between, world } from "./world.js";

async function signedIn(options) {
  const w = world(options), v = w.visitor();
  await v.do((s) => s.login("alice").set("n", 0));
  return { ...w, v };
}

test("two requests that change different names at once both last", async () => {
  const { v } = await signedIn();
  const [one, two] = await Promise.all([v.load(), v.load()]);
  one.set("a", 1);
  two.set("b", 2);
  await Promise.all([v.commit(one), v.commit(two)]);
  const s = await v.load();
  assert.deepEqual([s.get("a"), s.get("b")], [1, 2]);
});

test("of the same name the later one counts; counters and sets add up", async () => {
  const { v } = await signedIn({ policy: { merge: { n: "counter", tags: "set" } } });
  const all = await Promise.all(Array.from({ length: 8 }, () => v.load()));
  all.forEach((s, i) => s.set("n", s.get("n") + 1).set("tags", [i]).set("last", i));
  await Promise.all(all.map((s) => v.commit(s)));
  const s = await v.load();
  assert.equal(s.get("n"), 8);
  assert.deepEqual(s.get("tags").sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.ok(s.get("last") >= 0);
});

test("of an exclusive name only one change is taken", async () => {
  const { v } = await signedIn({ policy: { exclusive: ["n"] } });
  const [one, two] = [await v.load(), await v.load()];
  await v.commit(one.set("n", 1));
  await assert.rejects(v.commit(two.set("n", 2)), { code: "conflict" });
  assert.equal((await v.load()).get("n"), 1);
});

test("a logout while another request is on its way wins", async () => {
  const { v, store } = await signedIn();
  const late = await v.load(), { cookie } = v;
  await v.do((s) => s.logout());
  await assert.rejects(v.commit(late.set("n", 5)), { code: "ended" });
  assert.equal(await store.load(late.id), null);
  v.cookie = cookie;
  assert.equal((await v.load()).reason, "unknown_session");
});

test("a request that only read says nothing of a logout meanwhile", async () => {
  const { v, clock } = await signedIn();
  clock.now += 600_000;
  const late = await v.load();
  await v.do((s) => s.logout());
  assert.deepEqual((await v.commit(late)).headers.getSetCookie(), []);
});

for (const what of ["insert", "replace", "logout"]) {
  test(`a ${what} that was applied and whose answer was lost is done once`, async () => {
    let lose = 0, saves = 0;
    const memory = new MemoryStore();
    const lossy = async (pass, ...a) => {
      saves++;
      const answer = await pass(...a);
      if (lose-- > 0) throw new Error("lost");
      return answer;
    };
    const { v } = await signedIn({ store: between(memory, { save: lossy, delete: lossy }), policy: { merge: { n: "counter" } } });
    lose = 2;
    if (what === "insert") {
      v.cookie = "";
      await v.do((s) => s.set("n", 1));
      assert.equal((await v.load()).get("n"), 1);
    } else if (what === "replace") {
      await v.do((s) => s.set("n", s.get("n") + 1));
      assert.equal((await v.load()).get("n"), 1);
    } else {
      const { id } = await v.load();
      await v.do((s) => s.logout());
      assert.equal(await memory.load(id), null);
    }
    assert.ok(saves >= 3);
  });
}

test("a lost save that others have built upon is not applied twice", async () => {
  let lose = false, other;
  const memory = new MemoryStore();
  const save = async (pass, ...a) => {
    const answer = await pass(...a);
    if (!lose) return answer;
    lose = false;
    await other();
    throw new Error("lost");
  };
  const w = await signedIn({ store: between(memory, { save }), policy: { merge: { n: "counter" } } });
  other = () => w.v.do((s) => s.set("n", s.get("n") + 10));
  const s = await w.v.load();
  lose = true;
  await w.v.commit(s.set("n", s.get("n") + 1));
  assert.equal((await w.v.load()).get("n"), 11);
});

test("a new session that ended while its answer was lost is made anew", async () => {
  let lose = true;
  const memory = new MemoryStore();
  const save = async (pass, record, ...a) => {
    const answer = await pass(record, ...a);
    if (!lose) return answer;
    lose = false;
    await memory.delete(first = (await import("../node.js")).idText(record.id));
    throw new Error("lost");
  };
  let first;
  const v = world({ store: between(memory, { save }) }).visitor();
  await v.do((s) => s.set("n", 1));
  const s = await v.load();
  assert.equal(s.get("n"), 1);
  assert.notEqual(s.id, first);
});

test("a store that says of every ID that it is taken gets five and no more", async () => {
  let saves = 0;
  const v = world({ store: between(new MemoryStore(), { save: async () => { saves++; return false; } }) }).visitor();
  const s = await v.load();
  await assert.rejects(v.commit(s.set("n", 1)), { code: "unavailable" });
  assert.equal(saves, 5);
});

test("a replace that always loses ends in time, whatever the clock says", async () => {
  let no = false;
  const memory = new MemoryStore();
  const { v } = await signedIn({ commitTimeout: 100, store: between(memory, { save: (pass, ...a) => no ? Promise.resolve(false) : pass(...a) }) });
  const s = await v.load();
  no = true;
  const from = performance.now();
  await assert.rejects(v.commit(s.set("n", 1)), { code: "unavailable" });
  assert.ok(performance.now() - from < 3000);
});
