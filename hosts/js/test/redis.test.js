import assert from "node:assert/strict";
import { test } from "node:test";
import { RedisStore, idText } from "../node.js";
import { hex, unhex } from "./world.js";

// As the Go package cachestore/redis has written it, with the retention of an hour.
const ofGo = "4000000000003039fc84e77df604fe0b822b33ad87c148a0000003a352cb2e80010406d29e727ef2b6a5c6000001a3185c5000000001a3185c5001000003a35294400061636d65c3a46c696365" +
  "7365616c6564".repeat(20);
const record = {
  id: Uint8Array.from({ length: 16 }, (_, i) => i + 1), version: 1n << 62n | 12345n, tenant: "acme", user: "älice",
  createdAt: 1_800_000_000_000, seenAt: 1_800_000_000_001, expiresAt: 4_000_000_000_000, sealed: new TextEncoder().encode("sealed".repeat(20)),
};
const keys = ["session:{01}:0102030405060708090a0b0c0d0e0f10", "session:{01}:index", "session:{01}:index:l"];
const hint = "session:shards:{fc}:fc84e77df604fe0b822b33ad87c148a0";
const entry = "fc84e77d822b33ad" + "02030405060708090a0b0c0d0e0f10", expires = "4000003600000";

function client(answers = {}) {
  const sent = [];
  return { sent, async send(...a) { sent.push(a); return answers.send ? answers.send(...a) : [1]; }, async getBuffer(key) { sent.push(key); return answers.value ?? null; } };
}

test("a record is written to the byte as Go writes it, under its keys", async () => {
  const c = client();
  assert.equal(await new RedisStore(c).save(record, 0n), true);
  const [[command, [, count, one, two, three, expected, value, expiry, of, now]]] = c.sent;
  assert.deepEqual([command, count, one, two, three, expected, hex(value), expiry, hex(of)], ["EVALSHA", "3", ...keys, hint, ofGo, expires, entry]);
  assert.ok(Math.abs(now - Date.now()) < 60_000);
  await new RedisStore(c).save({ ...record, user: "" }, 0n);
  assert.equal(c.sent[1][1][4], "session:{01}:index:2", "the bucket of nobody's goes by the ID");
  assert.equal(c.sent[1][1][5], "", "nobody has no hint");
});

test("an index of the version before is converted, and the save sent again", async () => {
  const c = client({ send: () => [c.sent.length === 1 ? 3 : 1] });
  assert.equal(await new RedisStore(c).save(record, 0n), true);
  const [first, [, converting], again] = c.sent;
  assert.deepEqual(converting.slice(1, 4), ["65", keys[1], "session:{01}:index:0"]);
  assert.equal(converting[66], "session:{01}:index:o");
  assert.deepEqual(again, first);
  await assert.rejects(new RedisStore(client({ send: () => [3] })).save(record, 0n), { code: "refused" });
});

test("a record of Go is read", async () => {
  const c = client({ value: unhex(ofGo) });
  assert.deepEqual(await new RedisStore(c).load(idText(record.id)), record);
  assert.deepEqual(c.sent, [keys[0]]);
  assert.equal(await new RedisStore(client()).load(idText(record.id)), null);
});

test("damage is found, wherever it is", async () => {
  const good = unhex(ofGo);
  for (let at = 0; at < good.length; at++) {
    const bad = good.slice();
    bad[at] ^= 1;
    await assert.rejects(new RedisStore(client({ value: bad })).load(idText(record.id)), at === 32 ? { code: "corrupt" } : { reason: "corrupt" });
    await assert.rejects(new RedisStore(client({ value: good.slice(0, at) })).load(idText(record.id)), { reason: "corrupt" });
  }
  const newer = good.slice();
  newer[32] = 2;
  await assert.rejects(new RedisStore(client({ value: newer })).load(idText(record.id)), /format 2/);
});

test("the script's answers are a save's, and its text is sent where the server does not know it", async () => {
  const answer = (send) => new RedisStore(client({ send })).save(record, 5n);
  assert.equal(await answer(() => [0]), false);
  await assert.rejects(answer(() => [2]), { code: "corrupt" });
  await assert.rejects(answer(() => ["OOM command not allowed"]), /OOM/);
  const seen = [];
  assert.equal(await answer((command) => { seen.push(command); if (command === "EVALSHA") throw new Error("NOSCRIPT No matching script."); return [1]; }), true);
  assert.deepEqual(seen, ["EVALSHA", "EVAL"]);
  await assert.rejects(answer(() => { throw new Error("connection lost"); }), /lost/);
  assert.throws(() => new RedisStore({}), { code: "config" });
});
