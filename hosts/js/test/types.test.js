import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as lib from "../node.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = join(root, "node_modules", ".bin", "tsc");
const skip = existsSync(tsc) ? false : "TypeScript is not installed: run npm ci in hosts/js";
if (skip) console.error("SKIP: " + skip);
if (skip && process.env.CI === "true") throw new Error(skip);

test("the types compile, and refuse what is wrong", { skip }, () => {
  try {
    execFileSync(tsc, ["-p", "test/types"], { cwd: root, encoding: "utf8" });
  } catch (err) {
    assert.fail(err.stdout);
  }
});

test("index.d.ts declares what is exported, and nothing else", async () => {
  const { readFileSync } = await import("node:fs");
  const text = readFileSync(join(root, "index.d.ts"), "utf8");
  const declared = [...text.matchAll(/export declare (?:class|function|const) (\w+)/g)].map((m) => m[1]);
  assert.deepEqual([...declared, "module", "toNode"].sort(), Object.keys(lib).sort()); // these two are of entry.d.ts and node.d.ts
});
