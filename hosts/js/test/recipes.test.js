// The recipes as they are printed, each with its real framework.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { root, serve, snippets, withFrameworks } from "./fresh.mjs";
import { dir as scratch, freePort, track } from "./story/runtimes.mjs";
import { key } from "./world.js";

const env = { KEY: key, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" };
const recipes = snippets("recipes.md");
const bin = (...path) => join(root, "node_modules", ...path);
const build = (cwd, ...args) => execFileSync(process.execPath, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "inherit"] });

// The files of a section: a block begins with a comment that names its file, and one without is more of the file before.
function filesOf(heading) {
  const files = {};
  let name;
  for (const { text } of recipes[heading]) {
    name = text.match(/^(?:\/\/|<!--) (\S+\.\w+)/)?.[1] ?? name;
    files[name] = (files[name] ?? "") + text;
  }
  return files;
}

/** A browser: it keeps cookies, follows no redirect, and posts forms. */
class Browser {
  cookies = new Map();
  constructor(url) { this.url = url; }
  async ask(path, form) {
    const headers = { accept: "text/html", cookie: [...this.cookies].map((c) => c.join("=")).join("; ") };
    if (form) headers.origin = this.url;
    const a = await fetch(this.url + path, { redirect: "manual", headers, ...form && { method: "POST", body: new URLSearchParams(form) } });
    for (const field of a.headers.getSetCookie()) {
      const [, name, value] = field.match(/^([^=]+)=([^;]*)/);
      if (field.includes("Max-Age=0")) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const to = a.headers.get("location");
    return { status: a.status, text: await a.text(), to: to && new URL(to, this.url).pathname, cache: a.headers.get("cache-control"), vary: a.headers.get("vary") };
  }
}

async function story(url, { counters = ["/"], guarded = ["/account"] } = {}) {
  const b = new Browser(url);
  const first = await b.ask("/");
  assert.deepEqual([first.text, first.cache], ["visit 1", "no-store"]);
  assert.match(first.vary, /\bcookie\b/i);
  let visits = 21;
  assert.deepEqual((await Promise.all(Array.from({ length: 20 }, () => b.ask("/")))).map((a) => a.status), Array(20).fill(200));
  for (const path of counters) assert.equal((await b.ask(path)).text, `visit ${++visits}`, "no addition is lost");

  for (const path of guarded) assert.deepEqual([(await b.ask(path)).status, (await b.ask(path)).to], [303, "/login"], path);
  assert.match((await b.ask("/login")).text, /<form method="post">/);
  const before = new Map(b.cookies);
  const login = await b.ask("/login", { user: "alice" });
  assert.deepEqual([login.status, login.to, login.cache], [303, "/account", "no-store"]);
  for (const path of guarded) assert.match((await b.ask(path)).text, /hello, (<!-- -->)?alice/, path);
  assert.equal((await b.ask("/")).text, `visit ${++visits}`, "the login keeps the values");
  const thief = Object.assign(new Browser(url), { cookies: before });
  assert.equal((await thief.ask("/account")).to, "/login", "the cookie from before the login is worth nothing");

  const stale = Object.assign(new Browser(url), { cookies: new Map(b.cookies) });
  assert.deepEqual([(await b.ask("/logout", {})).to, b.cookies.size], ["/", 0]);
  for (const who of [b, stale]) assert.equal((await who.ask("/account")).to, "/login", "logged out for good");
}

// A name that no session can have is answered as failure() says.
async function refused(url) {
  const { status, text } = await new Browser(url).ask("/login", { user: "x".repeat(300) });
  assert.deepEqual([status, text.includes("no session can have")], [400, true]);
}

const skip = spawnSync("redis-server", ["--version"]).error ? "redis-server is not installed" : false;
if (skip) console.error("SKIP: " + skip);
if (skip && process.env.CI === "true") throw new Error(skip);

const runs = {
  async Express(t, files) {
    const url = await serve(t, withFrameworks(t, files), process.execPath, ["server.js"], env);
    await story(url, { counters: ["/", "/visits"] });
    await refused(url);
  },
  async Hono(t, files) {
    files["app.js"] += `app.get("/other", (c) => {
      c.header("set-cookie", "other=1"); c.header("cache-control", "public");
      c.get("session").login("bob");
      return c.text("ok");
    });`;
    const url = await serve(t, withFrameworks(t, files), process.execPath, ["server.js"], env);
    await story(url);
    await refused(url);
    const b = new Browser(url);
    assert.equal((await b.ask("/other")).cache, "no-store");
    assert.deepEqual([...b.cookies.keys()].sort(), ["other", "rockstar_session"], "the session's cookie beside another");
    assert.equal((await b.ask("/account")).text, "hello, bob");
  },
  async SvelteKit(t, files) {
    const dir = withFrameworks(t, {
      ...files, // and what a new project of SvelteKit has:
      "vite.config.js": `import { sveltekit } from "@sveltejs/kit/vite";\nexport default { plugins: [sveltekit()] };\n`,
      "src/app.html": "<!doctype html><html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>\n",
    });
    const vite = bin("vite", "bin", "vite.js");
    build(dir, vite, "build", "--logLevel", "warn");
    await story(await serve(t, dir, process.execPath, [vite, "preview", "--host", "127.0.0.1", "--strictPort", "--port", "PORT"], env));
  },
  async "Redis in Node"(t, files) {
    if (skip) return t.skip(skip);
    const port = await freePort();
    const server = track(spawn("redis-server", ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", scratch], { stdio: "ignore" }));
    t.after(() => server.kill("SIGKILL"));
    const dir = withFrameworks(t, { ...files, "kit.js": `
      import { Redis } from "ioredis";
      import { conformance } from "rockstar-sessions/conformance";
      import { store } from "./lib/store.js";
      const redis = new Redis(process.env.REDIS_URL);
      const cases = await conformance(async () => { await redis.flushall(); return store; });
      console.log(JSON.stringify(cases.filter((c) => c.seen)));
      process.exit(0);` });
    const seen = execFileSync(process.execPath, ["kit.js"], { cwd: dir, encoding: "utf8", env: { ...process.env, REDIS_URL: `redis://127.0.0.1:${port}` } });
    assert.deepEqual(JSON.parse(seen), []);
  },
  TypeScript(t, files) {
    const dir = withFrameworks(t, { ...files, "kit.ts": `
      import "./types.js";
      import type { RequestEvent } from "@sveltejs/kit";
      export const visits = ({ locals }: RequestEvent) => locals.session.add("visits");
      export const read = (req: Express.Request) => req.session.get<string>("theme");
      // @ts-expect-error a session has no such verb
      export const none = ({ locals }: RequestEvent) => locals.session.sum("visits");` });
    const flags = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom,dom.iterable", "--types", "node"];
    const { status, stdout } = spawnSync(bin(".bin", "tsc"), [...flags, "types.ts", "kit.ts"], { cwd: dir, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  },
  async Next(t, files) {
    const dir = withFrameworks(t, files);
    const next = bin("next", "dist", "bin", "next");
    build(dir, next, "build");
    await story(await serve(t, dir, process.execPath, [next, "start", "-H", "127.0.0.1", "-p", "PORT"], env), { guarded: ["/account", "/profile"] });
  },
};

for (const heading of Object.keys(recipes)) test(`recipe: ${heading}`, (t) => runs[heading](t, filesOf(heading)));

test("no recipe is left out", () => assert.deepEqual(Object.keys(recipes).sort(), Object.keys(runs).sort()));
