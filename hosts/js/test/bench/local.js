// CPU microseconds of one request, by process.cpuUsage, as the median of rounds:
// printed as JSON. In Deno, Bun and Node.
import process from "node:process";
import { times, workloads } from "./work.js";

const lib = await import(globalThis.Deno ? "../../deno.js" : "../../node.js");
const all = await workloads(lib), rounds = 9, n = 1000, out = {};
for (const name of Object.keys(all)) await times(25 * n, all[name]); // compilers work beside these
for (const name of Object.keys(all)) out[name] = [];
for (let r = 0; r < rounds; r++) {
  for (const [name, f] of Object.entries(all)) {
    const from = process.cpuUsage();
    await times(n, f);
    const { user, system } = process.cpuUsage(from);
    out[name].push((user + system) / n);
  }
}
for (const name of Object.keys(out)) out[name] = out[name].sort((a, b) => a - b)[rounds >> 1];
console.log(JSON.stringify(out));
