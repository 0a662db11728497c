// What was read must still be so when it is written: a commit that meets another is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Conflict, failure } from "../node.js";
import { innerOf } from "../src/session.js";
import { world } from "./world.js";

const signedIn = async (options) => {
  const w = world(options), v = w.visitor();
  await v.do((s) => s.login("alice").set("n", 1));
  return { ...w, v };
};

const cases = {
  "what was read has changed": [(s) => s.get("n"), (s) => s.set("n", 2), (s) => s.set("n", 3), "n"],
  "what was missing is there": [(s) => s.get("new"), (s) => s.set("new", 2), (s) => s.set("new", 3), "new"],
  "what was read is gone": [(s) => s.get("n"), (s) => s.delete("n"), (s) => s.set("n", 3), "n"],
  "what was read has changed and is deleted": [(s) => s.get("n"), (s) => s.set("n", 2), (s) => s.delete("n"), "n"],
  "others have written what this one writes": [(s) => s.get("n"), (s) => s.set("n", 3), (s) => s.set("n", 3), null],
  "another name was read": [(s) => s.get("other"), (s) => s.set("n", 2), (s) => s.set("n", 3), null],
  "only whether it is there was asked": [(s) => s.has("n"), (s) => s.set("n", 2), (s) => s.set("n", 3), null],
  "it was read after it was set": [() => {}, (s) => s.set("n", 2), (s) => { s.set("n", 3).get("n"); s.set("n", 3); }, null],
  "it was read and nothing was written": [(s) => s.get("n"), (s) => s.set("n", 2), (s) => s.set("other", 3), null],
  "no session has such a name": [(s) => ["", 5, "\ud800", "x".repeat(200), "ä".repeat(100)].forEach((n) => s.get(n)), (s) => s.set("n", 2), (s) => s.set("n", 3), null],
};
for (const [what, [read, theirs, ours, name]] of Object.entries(cases)) {
  test(`a commit after a read: ${what}`, async () => {
    const seen = [], { v } = await signedIn({ onEvent: (e) => e.kind === "conflict" && seen.push(e.names, e.user) });
    const s = await v.load();
    read(s);
    await v.do(theirs);
    ours(s);
    if (name === null) return void await v.commit(s);
    await assert.rejects(v.commit(s), (err) => {
      assert(err instanceof Conflict);
      assert.deepEqual([err.code, err.valueName], ["conflict", name]);
      for (const part of [JSON.stringify(name), "update", "add", "lastWins"]) assert(err.message.includes(part), part);
      assert.equal(failure(err).status, 409);
      return true;
    });
    assert.deepEqual(seen, [[name], "alice"]);
  });
}

for (const lastWins of [["n"], true]) {
  test(`lastWins ${JSON.stringify(lastWins)} leaves it to the later commit`, async () => {
    const { v } = await signedIn({ policy: { lastWins } });
    const s = await v.load();
    s.get("n");
    await v.do((s) => s.set("n", 2));
    await v.commit(s.set("n", 3));
    assert.equal((await v.load()).get("n"), 3);
  });
}

test("a login is not refused for a read: it leaves the value out, and tells", async () => {
  const seen = [], { v } = await signedIn({ onEvent: (e) => e.kind === "conflict" && seen.push(e.names) });
  const s = await v.load();
  s.set("n", s.get("n") + 1).set("kept", 1);
  await v.do((s) => s.set("n", 10));
  await v.commit(s.login("alice"));
  const now = await v.load();
  assert.deepEqual([now.user, now.get("n"), now.get("kept"), seen], ["alice", 10, 1, [["n"]]]);
});

test("a request that only reads asks the module for nothing more", async () => {
  const { v, all } = await signedIn(), s = await v.load();
  const { guest } = innerOf(s), asked = [], ask = guest.ask.bind(guest);
  guest.ask = (op, write) => { asked.push(op); return ask(op, write); };
  for (let n = 0; n < 10; n++) s.get("n");
  await all.store(s);
  assert.deepEqual(asked, []);
  await v.do((s) => { s.get("n"); s.get("m"); s.set("n", 2); });
  assert.deepEqual(asked, [2, 4, 5, 6], "identify, resume, one apply, commit");
});

test("lastWins is true or names, and the policy's own", async () => {
  for (const lastWins of ["n", 1, false, [5]]) assert.throws(() => world({ policy: { lastWins } }), { code: "policy" });
});
