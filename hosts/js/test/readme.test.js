// Every block of code of the README, run or type-checked as it is printed, in a fresh project with the packed package.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { MemoryStore, sessions } from "../node.js";
import { alone, root, serve, snippets, withFrameworks } from "./fresh.mjs";
import { files } from "./story/runtimes.mjs";
import { key, world } from "./world.js";

const blocks = snippets("README.md"), env = { KEY: key };
const [worker] = blocks["A Worker"].map((b) => b.text);
const bin = (name) => join(root, "node_modules", ".bin", name);

/** One browser: a first visit, many at once, and one more. Every answer is 200. */
async function story(ask) {
  let cookie = "";
  const visit = async (query = "") => {
    const a = await ask("http://example.test/" + query, cookie ? { headers: { cookie } } : {});
    const [set] = a.headers.getSetCookie(), text = await a.text();
    assert.equal(a.status, 200, text);
    if (set) cookie = set.split(";")[0];
    return text;
  };
  assert.equal(await visit(), "visit 1 of nobody, 0 in the cart");
  await Promise.all(Array.from({ length: 50 }, () => visit()));
  assert.equal(await visit(), "visit 52 of nobody, 0 in the cart");
  await Promise.all(Array.from({ length: 20 }, (_, i) => visit("?add=" + i)));
  assert.equal(await visit(), "visit 73 of nobody, 20 in the cart");
}

/** Starts a Worker in workerd with the packed package, and returns its fetch. */
async function inWorkerd(t, text, bindings) {
  const { Miniflare } = await import("miniflare");
  const at = join(alone(t), "node_modules", "rockstar-sessions");
  const read = (path) => readFileSync(join(at, path));
  const mf = new Miniflare({
    modules: [
      { type: "ESModule", path: "worker.js", contents: text },
      { type: "ESModule", path: "rockstar-sessions/workerd", contents: read("workerd.js") },
      { type: "CompiledWasm", path: "rockstar-sessions/core.wasm", contents: read("core.wasm") },
      ...files(join(at, "src")).map((p) => ({ type: "ESModule", path: "rockstar-sessions/" + p.slice(at.length + 1), contents: readFileSync(p) })),
    ],
    compatibilityDate: "2026-01-01", bindings, ...text.includes("SessionObject") && { durableObjects: { SESSIONS: { className: "SessionObject", useSQLite: true } } },
    host: "127.0.0.1", port: 0, telemetry: { enabled: false }, cf: false,
  });
  t.after(() => mf.dispose());
  return (url, init) => mf.dispatchFetch(url, init);
}

async function visits(url) {
  const first = await fetch(url);
  assert.equal(await first.text(), "visit 1");
  const cookie = first.headers.getSetCookie()[0].split(";")[0];
  assert.equal(await (await fetch(url, { headers: { cookie } })).text(), "visit 2");
}

const runs = {
  async "Node 1"(t, text) {
    const url = await serve(t, alone(t, { "server.js": text }), process.execPath, ["server.js"], env);
    let cookie = "";
    const ask = async (path, method) => {
      const a = await fetch(url + path, { method, headers: { cookie } });
      const [set] = a.headers.getSetCookie();
      if (set) cookie = set.split(";")[0];
      return a.text();
    };
    assert.equal(await ask("/"), "hello, nobody: visit 1");
    assert.equal(await ask("/login", "POST"), "hello, alice: visit 2");
    assert.equal(await ask("/"), "hello, alice: visit 3");
    assert.equal(await ask("/logout", "POST"), "goodbye");
    assert.equal(await ask("/"), "hello, nobody: visit 1");
  },
  async "A Worker 1"(t, text) { // over Durable Objects: 52 of 52 visits, 20 of 20 things
    await story(await inWorkerd(t, text, env));
  },
  async "A Worker 2"(t, text) {
    const ask = await inWorkerd(t, text, { SESSION_ENCRYPTION_KEY: key, STORE_URL: "http://127.0.0.1:9/", STORE_TOKEN: key });
    const a = await ask("http://example.test/");
    assert.deepEqual([a.status, await a.text()], [401, "please sign in"], "the store is not asked for a visitor without a cookie");
  },
  async "Deno and Bun 1"(t, text) {
    const at = alone(t, { "main.js": text });
    await visits(await serve(t, at, bin("deno"), ["run", "--allow-net", "--allow-env", "--allow-read", "main.js"], { ...env, DENO_SERVE_ADDRESS: "tcp:127.0.0.1:PORT" }));
  },
  async "Deno and Bun 2"(t, text) {
    await visits(await serve(t, alone(t, { "main.js": text }), bin("bun"), ["run", "main.js"], env));
  },
  async "Types 1"(t, text) {
    const at = withFrameworks(t, { "page.ts": text }); // it finds the types of Node
    const flags = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom", "--types", "node"];
    const check = () => spawnSync(bin("tsc"), [...flags, "page.ts"], { cwd: at, encoding: "utf8" });
    const { status, stdout } = check();
    assert.equal(status, 0, stdout);
    writeFileSync(join(at, "page.ts"), text.replace('"theme", "dark"', '"theme", "blue"'));
    assert.match(check().stdout, /'"blue"' is not assignable/);
  },
  async "No lost update 1"(t, text) {
    const session = await world().visitor().load();
    session.set("flash", "saved");
    const run = await imported(t, `export default async (session, item) => {\n${text}\nreturn flash; };`);
    assert.equal(await run(session, "guitar"), "saved");
    assert.deepEqual([session.get("visits"), session.get("cart"), session.has("flash")], [1, ["guitar"], false]);
  },
  async "By hand 1"(t, text) {
    const { all, visitor } = world();
    const run = await imported(t, `export default async (all, request, response) => {\n${text}};`);
    const a = await run(all, visitor().request(), new Response("ok"));
    assert.match(a.headers.getSetCookie()[0], /Max-Age=2592000/);
  },
  async "Stores 1"(t, text) {
    const at = alone(t, { "kit.js": `import { MemoryStore as MyStore } from "rockstar-sessions";\n${text}` });
    const { status, stderr } = spawnSync(process.execPath, ["kit.js"], { cwd: at, encoding: "utf8" });
    assert.deepEqual([status, stderr], [0, ""]);
  },
  async "A service worker 1"(t, text) { // conformance/peers runs it in Chromium
    const at = alone(t, { "worker.js": `import { readFile } from "node:fs/promises";
      globalThis.fetch = async (file) => new Response(await readFile(file), { headers: { "content-type": "application/wasm" } });
      globalThis.addEventListener = () => {};
      ${text.replace('"/rockstar-sessions/', '"./node_modules/rockstar-sessions/')}
      const login = await hello(new Request("http://localhost/app/hello", { method: "POST", body: "alice" }));
      const token = login.headers.get("session-token");
      console.log(await (await hello(new Request("http://localhost/app/hello", { headers: { "session-token": token } }))).text());` });
    assert.equal(execFileSync(process.execPath, ["worker.js"], { cwd: at, encoding: "utf8" }).trim(), "alice");
  },
};

async function imported(t, text) {
  return (await import(pathToFileURL(join(alone(t, { "snippet.js": text }), "snippet.js")))).default;
}

const names = Object.entries(blocks).flatMap(([heading, list]) => list.map((b, i) => [`${heading} ${i + 1}`, b.text]));
for (const [name, text] of names) test(`README: ${name}`, (t) => runs[name](t, text));

test("no block of the README is left out", () => assert.deepEqual(names.map(([name]) => name).sort(), Object.keys(runs).sort()));

test("the page of the README's Worker in Node: 52 of 52 visits, 20 of 20 things", async () => {
  const [, page] = worker.match(/\n(async function page.*)/s);
  const all = sessions({ keys: key, store: new MemoryStore() }).withSession(new Function(page + "; return page;")());
  await story((url, init) => all(new Request(url, init)));
});
