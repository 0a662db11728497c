import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
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

for (const [project, what] of [
  ["tsconfig.json", "with lib dom"], ["tsconfig.bare.json", "with the language alone"],
  ["tsconfig.node.json", "with the types of Node, as strict as can be"], ["tsconfig.workers.json", "with the types of Cloudflare's Workers"],
]) {
  test(`the types compile ${what}, and refuse what is wrong`, { skip }, () => {
    const { status, stdout } = spawnSync(tsc, ["-p", join("test", "types", project)], { cwd: root, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
}

test("index.d.ts declares what is exported, and nothing else", async () => {
  const { readFileSync } = await import("node:fs");
  const text = readFileSync(join(root, "index.d.ts"), "utf8");
  const declared = [...text.matchAll(/export declare (?:class|function|const) (\w+)/g)].map((m) => m[1]);
  assert.deepEqual([...declared, "module", "toNode"].sort(), Object.keys(lib).sort()); // these two are of entry.d.ts and node.d.ts
});
