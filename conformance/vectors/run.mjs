// Holds a WebAssembly module of the core to the scenarios of a folder:
//   node run.mjs core.wasm testdata
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { judge } from "./judge.mjs";

const [, , module, dir] = process.argv;
const files = readdirSync(dir).flatMap((verb) => readdirSync(join(dir, verb)).map((file) => join(verb, file)));
const { ran, differ } = judge(new WebAssembly.Module(readFileSync(module)), files.map((file) => [file, readFileSync(join(dir, file), "utf8")]));
for (const text of differ) console.error(text);
if (differ.length > 0) {
  console.error(`${differ.length} of ${files.length} scenarios differ`);
  process.exitCode = 1;
} else {
  console.log(`ok: ${ran} scenarios`);
}
