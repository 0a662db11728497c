// What a request that only reads its session costs, as ratios of CPU time:
//   npm run bench
// iron-session must cost at least 5 times as much, jose no less.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { second, stopAll } from "../story/runtimes.mjs";
import { first, workerd } from "./workerd.mjs";

const here = fileURLToPath(new URL(".", import.meta.url)), modules = join(here, "..", "..", "node_modules");
const local = join(here, "local.js");
const by = (command, ...args) => async () => JSON.parse((await promisify(execFile)(command, [...args, local], { timeout: 120_000 })).stdout);
const runtimes = {
  node: by(process.execPath),
  ...(second ? { node24: by(second) } : {}),
  deno: by(join(modules, ".bin", "deno"), "run", "--allow-read", "--allow-env"),
  bun: by(join(modules, ".bin", "bun"), "run"),
  workerd,
};

for (const [name, measure] of Object.entries(runtimes)) {
  const { js, iron, jose } = await measure();
  console.log(`${name}: ${js.toFixed(1)} us a request, iron-session ${iron.toFixed(1)}, jose ${jose.toFixed(1)}`);
  for (const [peer, cost, least] of [["iron", iron, 5], ["jose", jose, 1]]) {
    console.log(`ratio js-${name}-vs-${peer} ${(cost / js).toFixed(2)} ${least} ${cost / js >= least ? "ok" : "short"}`);
  }
}
const cold = await first(), spent = cold.with - cold.without;
console.log(`first request of a fresh isolate: ${cold.with.toFixed(2)} ms of its thread, without sessions ${cold.without.toFixed(2)}`);
console.log(`ratio js-workerd-first-request ${(5 / spent).toFixed(2)} 1 ${spent <= 5 ? "ok" : "short"}`);
stopAll();
process.exit(0);
