// Holds each store to its promises where it lives, and prints a table:
//   node test/stores/run.mjs [store ...]
import { execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cases, conformance } from "../../src/conformance.js";
import { FetchStore, MemoryStore } from "../../node.js";
import { dir, freePort, startOrigin, stopAll, track } from "../story/runtimes.mjs";
import { inMiniflare } from "./miniflare.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const bin = (name) => join(here, "..", "..", "node_modules", ".bin", name);
const run = promisify(execFile);
const most = { timeout: 300_000, maxBuffer: 1 << 20 };

async function inFetch() {
  const env = { KEY: randomBytes(32).toString("hex"), TOKEN: randomBytes(32).toString("hex") };
  const store = new FetchStore({ url: await startOrigin(env) + "/store", token: env.TOKEN });
  return conformance(() => store);
}

async function inBun() {
  if (spawnSync("redis-server", ["--version"]).error) return "redis-server is not installed";
  const port = await freePort();
  track(spawn("redis-server", ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir], { stdio: "ignore" }));
  const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${port}` };
  return JSON.parse((await run(bin("bun"), ["run", join(here, "bun.js")], { ...most, env })).stdout);
}

const stores = {
  memory: () => conformance(() => new MemoryStore()),
  fetch: inFetch,
  durable: () => inMiniflare("/durable"),
  d1: () => inMiniflare("/d1"),
  denokv: async () => JSON.parse((await run(bin("deno"), ["run", "--unstable-kv", "--allow-read", join(here, "deno.js")], most)).stdout),
  redis: inBun,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(stores);
const seen = {};
let failed = 0, passed = 0;
for (const name of wanted) {
  const results = await stores[name]();
  if (typeof results === "string") {
    console.error(`SKIP: ${name}: ${results}`);
    if (process.env.CI === "true") failed++;
    continue;
  }
  seen[name] = Object.fromEntries(results.map((c) => [c.name, c.seen]));
  for (const c of results.filter((r) => r.seen)) console.error(`${name}: broken promise: ${c.promise}\n${c.name}: ${c.seen}`);
}
const width = Math.max(...cases.map(([name]) => name.length));
console.log(["promise".padEnd(width), ...wanted].join("  "));
for (const [name] of cases) {
  const cells = wanted.map((store) => {
    const kept = seen[store] && seen[store][name] === "";
    if (seen[store]) kept ? passed++ : failed++;
    return (seen[store] ? kept ? "kept" : "BROKEN" : "-").padEnd(store.length);
  });
  console.log([name.padEnd(width), ...cells].join("  "));
}
console.log(`${passed} kept, ${failed} broken`);
stopAll();
process.exit(failed ? 1 : 0);
