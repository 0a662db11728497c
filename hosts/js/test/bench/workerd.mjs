// CPU time of a bare workerd, by /proc: microseconds of one request of each
// workload, and milliseconds of the first request of a fresh isolate.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dir, freePort, track } from "../story/runtimes.mjs";

const here = fileURLToPath(new URL(".", import.meta.url)), root = join(here, "..", "..");
const bin = (name) => join(root, "node_modules", ".bin", name);

/** Nanoseconds that each thread of a process has run. */
function threads(pid) {
  const all = {};
  for (const id of readdirSync(`/proc/${pid}/task`)) all[id] = Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8").split(" ")[0]);
  return all;
}

function bundle() {
  const out = join(dir, "bench");
  mkdirSync(out, { recursive: true });
  execFileSync(bin("bun"), ["build", join(here, "worker.js"), "--outfile", join(out, "worker.js"), "--target=browser", "--external", "*.wasm"], { stdio: ["ignore", "ignore", "inherit"] });
  copyFileSync(join(root, "core.wasm"), join(out, "core.wasm"));
  return out;
}

let served;
async function start() {
  served ??= bundle();
  const port = await freePort(), config = join(served, `${port}.capnp`);
  writeFileSync(config, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [
    (name = "worker.js", esModule = embed ${JSON.stringify(join(served, "worker.js"))}),
    (name = "core.wasm", wasm = embed ${JSON.stringify(join(served, "core.wasm"))})], compatibilityDate = "2026-01-01", compatibilityFlags = ["nodejs_compat"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
`);
  const p = track(spawn(bin("workerd"), ["serve", "--import-path=/", "--control-fd=3", config], { stdio: ["ignore", "ignore", "inherit", "pipe"] }));
  await new Promise((ready, fail) => {
    p.stdio[3].on("data", (text) => { if (String(text).includes("listen")) ready(); });
    p.on("exit", (code) => fail(new Error(`workerd ended with ${code}`)));
  });
  const ask = async (path) => {
    const a = await fetch(`http://127.0.0.1:${port}${path}`), text = await a.text();
    if (text !== "ok") throw new Error(`workerd answers ${a.status} ${text}`);
  };
  return { p, ask };
}

/** Thread CPU of a request, in ms: of the thread that ran the most, and of all. */
async function cost({ p, ask }, path) {
  const before = threads(p.pid);
  await ask(path);
  const ran = Object.entries(threads(p.pid)).map(([id, n]) => (n - (before[id] ?? 0)) / 1e6);
  return { main: Math.max(...ran), all: ran.reduce((a, b) => a + b) };
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

export async function workerd() {
  const w = await start(), out = {}, n = 1000;
  for (const name of ["js", "iron", "jose"]) {
    await w.ask(`/${name}?n=${25 * n}`); // compilers work beside these
    const rounds = [];
    for (let r = 0; r < 7; r++) rounds.push((await cost(w, `/${name}?n=${n}`)).all * 1000 / n);
    out[name] = median(rounds);
  }
  w.p.kill("SIGKILL");
  return out;
}

/** The first request of a fresh isolate beside that of one without sessions. */
export async function first() {
  const cold = async (path) => {
    const w = await start(), { main } = await cost(w, path);
    w.p.kill("SIGKILL");
    return main;
  };
  const with_ = [], without = [];
  for (let r = 0; r < 5; r++) {
    with_.push(await cold("/first"));
    without.push(await cold("/plain"));
  }
  return { with: median(with_), without: median(without) };
}
