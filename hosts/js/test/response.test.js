import assert from "node:assert/strict";
import { test } from "node:test";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { failure, reasons, Refused, SessionError, Unavailable } from "../node.js";
import { between, key, world } from "./world.js";
import { MemoryStore } from "../node.js";

const login = (s) => s.login("alice");

test("the cookie stands beside others, and the response is not stored by caches", async () => {
  const v = world().visitor(), s = login(await v.load());
  const a = await v.commit(s, new Response("x", { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["vary", "Accept"], ["cache-control", "max-age=60"]] }));
  assert.deepEqual(a.headers.getSetCookie().map((f) => f.split("=")[0]), ["a", "b", "rockstar_session"]);
  assert.equal(a.headers.get("cache-control"), "no-store");
  assert.equal(a.headers.get("vary"), "Accept, Cookie");
  assert.equal(await a.text(), "x");
});

test("no CDN keeps a cookie by the fields that count before cache-control", async () => {
  const names = ["CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Vercel-CDN-Cache-Control", "Surrogate-Control", "Edge-Control", "X-Accel-Expires"];
  const open = () => new Response("x", { headers: names.map((n) => [n, "max-age=60"]) });
  const kept = (a) => names.filter((n) => a.headers.has(n)).length;
  const v = world().visitor(), plain = open();
  assert.equal(kept(await v.commit(await v.load(), plain)), names.length, "a response without our cookie is the handler's");
  assert.equal(kept(await v.commit(login(await v.load()), open())), 0);
  const a = await v.commit((await v.load()).logout(), open());
  assert.deepEqual([a.headers.getSetCookie().length, kept(a), a.headers.get("cache-control")], [1, 0, "no-store"]);
});

test("vary is said once", async () => {
  for (const vary of ["Cookie", "accept, cookie", "*"]) {
    const v = world().visitor();
    assert.equal((await v.commit(await v.load(), new Response("", { headers: { vary } }))).headers.get("vary"), vary);
  }
});

test("immutable headers are copied, and a shared response takes nobody's cookie", async () => {
  const v = world().visitor();
  const redirect = Response.redirect("http://example.test/next");
  const a = await v.commit(login(await v.load()), redirect);
  assert.deepEqual([a.status, a.headers.get("location"), a.headers.getSetCookie().length], [302, "http://example.test/next", 1]);
  const plain = await v.commit(await v.load(), Response.redirect("http://example.test/next"));
  assert.equal(plain.headers.get("vary"), "Cookie");
  const shared = new Response(null, { status: 204 });
  await v.commit((await v.load()).renew(), shared);
  assert.deepEqual(shared.headers.getSetCookie(), []);
});

test("a body that streams goes on streaming", async () => {
  const v = world().visitor();
  let pulled = 0;
  const body = new ReadableStream({ pull(c) { pulled++ < 3 ? c.enqueue(new TextEncoder().encode("x")) : c.close(); } }, { highWaterMark: 0 });
  const a = await v.commit(login(await v.load()), new Response(body));
  assert.equal(pulled, 0);
  assert.equal(await a.text(), "xxx");
});

test("a handler that throws stores nothing; one that returns no response neither", async () => {
  const { all, store, visitor } = world();
  let saves = 0;
  const counted = world({ store: between(store, { save: (pass, ...a) => { saves++; return pass(...a); } }) });
  const handler = counted.all.withSession((_, s) => { s.login("alice"); throw new Error("mine"); });
  await assert.rejects(handler(visitor().request()), { message: "mine" });
  await assert.rejects(counted.all.withSession((_, s) => { s.login("alice"); })(visitor().request()), { code: "response", message: /^commit got undefined for a response; .*has the handler returned one\?$/ });
  const used = new Response("x");
  await used.text();
  await assert.rejects(counted.all.withSession((_, s) => { s.login("alice"); return used; })(visitor().request()), { code: "response" });
  assert.equal(saves, 0);
  assert.ok(all);
});

test("withSession passes on what else the runtime hands over", async () => {
  const { all, visitor } = world();
  const a = await all.withSession((request, s, env, ctx) => Response.json([env, ctx, s.state]))(visitor().request(), 1, 2);
  assert.deepEqual(await a.json(), [1, 2, "new"]);
});

test("a store that cannot be asked gives 503, and the body is let go", async () => {
  let down = false, cancelled = false;
  const store = new MemoryStore();
  const { all, visitor } = world({ store: between(store, { save: (pass, ...a) => { if (down) throw new Error("down"); return pass(...a); }, load: (pass, id) => { if (down === "load") throw new Error("down"); return pass(id); } }) });
  const v = visitor();
  await v.do(login);
  down = true;
  const handler = all.withSession((_, s) => { s.set("n", 1); return new Response(new ReadableStream({ cancel() { cancelled = true; } })); });
  const a = await handler(v.request());
  assert.deepEqual([a.status, a.headers.get("retry-after"), a.headers.getSetCookie(), cancelled], [503, "1", [], true]);
  down = "load";
  assert.equal((await handler(v.request())).status, 503);
});

// Every code that an error of the package can have, read from its sources.
function everyCode() {
  const codes = new Set();
  for (const dir of ["../src/", "../src/stores/"]) {
    for (const file of readdirSync(new URL(dir, import.meta.url))) {
      if (!file.endsWith(".js")) continue;
      const text = readFileSync(new URL(dir + file, import.meta.url), "utf8");
      for (const [, code] of text.matchAll(/new SessionError\("([a-z_]+)"/g)) codes.add(code);
      if (file !== "errors.js") continue;
      const [, listed] = text.match(/const codes = \[([^\]]+)\]/);
      for (const [, code] of listed.matchAll(/"([a-z_]+)"/g)) codes.add(code);
      for (const [, code] of text.matchAll(/super\("([a-z_]+)"/g)) codes.add(code);
    }
  }
  return codes;
}

const statuses = {
  401: ["nobody"],
  409: ["conflict"], 413: ["too_large", "value_size"], 503: ["unavailable", "refused", "busy", "full", "closed", "seed", "credentials"],
  400: ["bad_name", "bad_user", "lifetime", "value_name", "bad_id", "nesting", "time"],
  500: ["other", "bad_record", "bad_value", "no_key", "key_hex", "key_length", "weak_key", "key_hex_raw", "same_key", "no_sealing", "too_many_keys",
    "no_cipher", "key_times", "bytes", "too_many_machines", "policy", "guest", "counter", "again", "stamp", "method", "no_stamp"],
  thrown: ["config", "response", "committed", "updating"],
};

test("failure tells each kind of error, and throws what is the program's", (t) => {
  const logged = t.mock.method(console, "error", () => {});
  const known = Object.values(statuses).flat();
  for (const code of everyCode()) assert(known.includes(code), `the code ${code} has no status in this table`);
  for (const [status, codes] of Object.entries(statuses)) {
    for (const code of codes) {
      const before = logged.mock.callCount(), err = new SessionError(code, "x");
      if (status === "thrown") assert.throws(() => failure(err), err);
      else assert.equal(String(failure(err).status), status, code);
      assert.equal(logged.mock.callCount() - before, status === "500" ? 1 : 0, code);
    }
  }
  for (const reason of reasons) assert.equal(failure(new Refused(reason, "x")).status, reason === "cross_site" ? 403 : 401, reason);
  assert.equal(failure(new Unavailable("x")).status, 503);
  assert.throws(() => failure(new TypeError("x")), TypeError);
});

test("HEAD and prefetch begin no renewal", async () => {
  const { visitor, clock } = world({ policy: { renewAfter: 600_000 } });
  const v = visitor();
  await v.do(login);
  clock.now += 700_000;
  for (const init of [{ method: "HEAD" }, { headers: { purpose: "prefetch" } }]) {
    const a = await v.commit(await v.load(init));
    assert.deepEqual(a.headers.getSetCookie(), []);
  }
  assert.equal((await v.commit(await v.load())).headers.getSetCookie().length, 1);
});

const bun = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));
const skip = existsSync(bun) ? false : "Bun is not installed: run npm ci in hosts/js";
if (skip && process.env.CI === "true") throw new Error(skip);

// Bun sets a text's content type when it sends it; a cookie must not remove it.
test("in Bun a text keeps its content type, beside the cookie", { skip }, () => {
  const script = `
    import { MemoryStore, sessions } from "./node.js";
    const all = sessions({ keys: "${key}", store: new MemoryStore(), policy: { allowInsecure: true } });
    const bytes = new TextEncoder(), shared = new Response(null, { status: 204 }), seen = {};
    const made = {
      text: () => new Response("hi"), html: () => new Response("<p>", { headers: { "content-type": "text/html" } }), json: () => Response.json({}), bytes: () => new Response(bytes.encode("hi")),
      stream: () => new Response(new ReadableStream({ start(c) { c.enqueue(bytes.encode("a")); c.enqueue(bytes.encode("b")); c.close(); } })),
      redirect: () => Response.redirect("http://localhost/x"), shared: () => shared,
      locked() { const r = new Response(new ReadableStream()); r.body.getReader(); return r; },
    };
    const page = (save) => all.withSession((request, session) => { if (save) session.add("n"); return made[new URL(request.url).searchParams.get("of")](); });
    const both = { saved: page(true), read: page(false) };
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => both[new URL(request.url).pathname.slice(1)](request), error: (err) => new Response(err.code, { status: 500 }) });
    for (const path of ["saved", "read"]) for (const of in made) {
      if (path === "read" && of === "locked") continue;
      const a = await fetch(\`http://127.0.0.1:\${server.port}/\${path}?of=\${of}\`, { redirect: "manual" });
      seen[path + " " + of] = [a.status, (a.headers.get("content-type") ?? "").toLowerCase(), await a.text(), a.headers.getSetCookie().length, a.headers.get("vary")];
    }
    seen.cookies = shared.headers.getSetCookie().length;
    console.log(JSON.stringify(seen));
    server.stop(true);`;
  const { status, stdout, stderr } = spawnSync(bun, ["-e", script], { cwd: fileURLToPath(new URL("..", import.meta.url)), encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const plain = "text/plain;charset=utf-8", json = "application/json;charset=utf-8", seen = JSON.parse(stdout);
  const want = { cookies: 0, "saved locked": [500, plain, "response", 0, null] };
  for (const [path, n] of [["saved", 1], ["read", 0]]) {
    for (const [of, ...rest] of [["text", 200, plain, "hi"], ["html", 200, "text/html", "<p>"], ["json", 200, json, "{}"], ["stream", 200, "", "ab"], ["redirect", 302, "", ""], ["shared", 204, "", ""], ["bytes", 200, "application/octet-stream", "hi"]]) {
      want[`${path} ${of}`] = [...rest, n, "Cookie"];
    }
  }
  assert.deepEqual(seen, want);
});
