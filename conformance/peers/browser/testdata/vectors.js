// A service worker that holds the core, which it has kept since it was installed, to scenarios.
import { compile } from "/rockstar-sessions/service-worker.js";
import { judge } from "./judge.mjs";

const core = "/rockstar-sessions/core.wasm";

addEventListener("install", (event) => event.waitUntil(caches.open("core").then((cache) => cache.add(core))));

addEventListener("fetch", (event) => {
  const { pathname, search } = new URL(event.request.url);
  if (pathname === "/app/judged") event.respondWith(judged(search.slice(1)));
});

async function judged(file) {
  const scenarios = await (await fetch(file)).json();
  const module = await compile(await caches.match(core));
  return Response.json(judge(module, Object.entries(scenarios)));
}
