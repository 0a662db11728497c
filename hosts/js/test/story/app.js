// The same small application in every runtime: it reads and changes the session
// that the Go origin began.

export function application({ sessions, module, FetchStore }, { key, url, token, name }) {
  const all = sessions({ module, keys: key, store: new FetchStore({ url, token }), policy: { allowInsecure: true, bindUserAgent: true } });
  return all.withSession(async (request, s) => {
    const path = new URL(request.url).pathname;
    if (path === "/visit") {
      s.add("visits");
      s.update("log", (log = []) => [...log, name]);
      s.set("last", name);
    }
    if (path === "/take") return Response.json({ flash: await s.take("flash") ?? null });
    if (path === "/logout") s.logout();
    if (path === "/stream") {
      const parts = ["one ", "two ", "three"];
      const body = new ReadableStream({ pull(c) { const p = parts.shift(); p ? c.enqueue(new TextEncoder().encode(p)) : c.close(); } });
      s.set("streamed", name);
      return new Response(body, { headers: { "set-cookie": "other=1; Path=/", "content-type": "text/plain" } });
    }
    return Response.json({ runtime: name, user: s.user, reason: s.reason, visits: s.get("visits"), last: s.get("last"), roles: s.get("roles") });
  });
}
