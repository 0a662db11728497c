// A service worker that signs its visitor in as a server does.
import { MemoryStore, compile, sessions } from "/rockstar-sessions/service-worker.js";

const keys = crypto.getRandomValues(new Uint8Array(32)), store = new MemoryStore(), policy = { allowInsecure: true };

addEventListener("fetch", (event) => {
  if (new URL(event.request.url).pathname === "/app/login") event.respondWith(login(event.request));
});

async function login(request) {
  const events = [];
  const all = sessions({ module: await compile(), keys, store, policy, onEvent: (e) => events.push([e.kind, e.reason].join(" ").trim()) });
  const seen = { cookie: request.headers.get("cookie"), events };
  const response = await all.withSession((_, session) => {
    seen.was = session.user;
    session.login("alice");
    return new Response();
  })(request);
  return new Response(JSON.stringify({ ...seen, sets: response.headers.getSetCookie() }), response);
}
