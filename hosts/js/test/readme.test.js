// The Worker of the README, as it is printed: no update is lost.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MemoryStore, module, sessions } from "../node.js";
import { key } from "./world.js";
import { files } from "./story/runtimes.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const [, printed] = readFileSync(join(root, "README.md"), "utf8").match(/## A Worker\n\n```js\n(.*?)```/s);

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

test("the README's Worker in workerd, over Durable Objects: 52 of 52 visits, 20 of 20 things", async (t) => {
  const { Miniflare } = await import("miniflare");
  const src = files(join(root, "src")).map((p) => p.slice(root.length));
  const mf = new Miniflare({
    modules: [
      { type: "ESModule", path: "worker.js", contents: printed },
      { type: "ESModule", path: "rockstar-sessions/workerd", contents: readFileSync(join(root, "workerd.js")) },
      { type: "CompiledWasm", path: "rockstar-sessions/core.wasm", contents: readFileSync(join(root, "core.wasm")) },
      ...src.map((p) => ({ type: "ESModule", path: "rockstar-sessions/" + p, contents: readFileSync(join(root, p)) })),
    ],
    compatibilityDate: "2026-01-01", bindings: { KEY: key }, durableObjects: { SESSIONS: { className: "SessionObject", useSQLite: true } },
    host: "127.0.0.1", port: 0, telemetry: { enabled: false }, cf: false,
  });
  t.after(() => mf.dispose());
  await story((url, init) => mf.dispatchFetch(url, init));
});

test("the page of the README's Worker in Node: 52 of 52 visits, 20 of 20 things", async () => {
  const [, page] = printed.match(/\n(async function page.*)/s);
  const all = sessions({ module, keys: key, store: new MemoryStore() }).withSession(new Function(page + "; return page;")());
  await story((url, init) => all(new Request(url, init)));
});
