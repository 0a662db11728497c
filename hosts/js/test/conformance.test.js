import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { conformance, cases } from "../src/conformance.js";
import { MemoryStore, idBytes } from "../node.js";
import { convert, remove, save } from "../src/stores/redis-scripts.js";
import { xxh64 } from "../src/stores/xxh64.js";
import { between } from "./world.js";

test("the memory store keeps every promise", async () => {
  for (const c of await conformance(() => new MemoryStore())) assert.equal(c.seen, "", `${c.name}: ${c.promise}`);
});

test("the names of the cases are those of the Go kit", () => {
  const go = ["save", "records", "end", "race"].map((f) => readFileSync(new URL(`../../../conformance/${f}.go`, import.meta.url), "utf8")).join("");
  const names = [...go.matchAll(/^\t\{"([a-z-]+)", "/gm)].map((m) => m[1]);
  assert.deepEqual(cases.map(([name]) => name), names);
});

// Each flaw breaks a promise, and the kit names it.
const flaws = {
  "insert-taken": { save: (pass, r, prev) => pass(r, prev).then((ok) => ok || prev === 0n) },
  "save-repeated": { save: async (pass, r, prev, s) => (await s.load(r.id))?.version === r.version ? false : pass(r, prev) },
  "replace-prev": { save: async (pass, r, prev, s) => (await s.load(r.id))?.expiresAt < Date.now() ? false : pass(r, prev) },
  "bounds": { save: async (pass, r, prev) => pass(r, prev).catch(() => true) },
  "load-versions": { load: async (pass, id) => { const r = await pass(id); return r && { ...r, version: BigInt(Number(r.version)) }; } },
  "load-sealed": { load: async (pass, id) => { const r = await pass(id); return r && { ...r, sealed: r.sealed.subarray(0, 1 << 16) }; } },
  "delete": { delete: async () => {} },
  "ids-distinct": { load: (pass, id) => pass(id.toLowerCase() === "aaaaaaaaaaaaaaaaaaaaaq" ? "AAAAAAAAAAAAAAAAAAAAAQ" : id) },
  "no-lost-update": { save: async (pass, r, prev, s) => { for (;;) if (await pass(r, (await s.load(r.id))?.version ?? prev)) return true; } },
};

for (const [name, verbs] of Object.entries(flaws)) {
  test(`the kit finds a store that breaks ${name}`, async () => {
    const open = () => {
      const store = new MemoryStore();
      const { idText } = { idText: (id) => Buffer.from(id).toString("base64url") };
      const look = { load: (id) => store.load(idText(id)) };
      return between(store, Object.fromEntries(Object.entries(verbs).map(([verb, f]) => [verb, (pass, ...a) => f(pass, ...a.slice(0, 2), look)])));
    };
    const [c] = await conformance(open, [name]);
    assert.notEqual(c.seen, "");
  });
}

test("the scripts for Redis are those of Go", () => {
  const read = (file) => readFileSync(new URL(`../../../cachestore/redis/${file}`, import.meta.url), "utf8");
  for (const [script, file] of [[save, "save.lua"], [remove, "delete.lua"], [convert, "convert.lua"]]) {
    assert.equal(script.text, read("index.lua") + read(file));
    assert.ok(read("script.go").includes(`"${script.sum}"`));
  }
});

test("XXH64 is the one of its specification", () => {
  const of = (s) => xxh64(new TextEncoder().encode(s)).toString(16);
  assert.equal(of(""), "ef46db3751d8e999");
  assert.equal(of("a"), "d24ec4f1a98c6e5b");
  assert.equal(of("abc"), "44bc2cf5ad770999");
  assert.equal(of("Nobody inspects the spammish repetition"), "fbcea83c8a378bf1");
  assert.equal(idBytes("AAAAAAAAAAAAAAAAAAAAAQ").length, 16);
});
