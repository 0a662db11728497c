// A handler behind node:http: what arrives, and what is sent.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { once } from "node:events";
import { connect } from "node:net";
import test from "node:test";
import { MemoryStore, module, sessions, toNode } from "../node.js";

async function serve(t, handler, options) {
  const server = createServer(toNode(handler, options)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${server.address().port}`;
}

// raw sends bytes as they are and returns the first line of the answer.
async function raw(url, text) {
  const socket = connect(new URL(url).port, "127.0.0.1");
  socket.end(text);
  let all = "";
  for await (const part of socket) all += part;
  return all.split("\r\n")[0];
}

test("method, target, fields and body arrive", async (t) => {
  const url = await serve(t, async (r) => Response.json([r.method, new URL(r.url).pathname + new URL(r.url).search, r.headers.get("x-a"), await r.text()]));
  assert.deepEqual(await (await fetch(`${url}/a%20b?c=d`, { headers: [["x-a", "1"], ["x-a", "2"]] })).json(), ["GET", "/a%20b?c=d", "1, 2", ""]);
  assert.deepEqual(await (await fetch(url, { method: "PUT", body: "text" })).json(), ["PUT", "/", null, "text"]);
});

test("status, fields and each cookie are sent, and a HEAD has no body", async (t) => {
  const url = await serve(t, () => new Response("made", { status: 201, statusText: "Made", headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-b", "c"]] }));
  for (const method of ["GET", "HEAD"]) {
    const a = await fetch(url, { method });
    assert.deepEqual([a.status, a.statusText, a.headers.getSetCookie(), a.headers.get("x-b"), await a.text()], [201, "Made", ["a=1", "b=2"], "c", method === "GET" ? "made" : ""]);
  }
});

test("a stream arrives part by part, and a client that leaves ends it", async (t) => {
  let leave;
  const left = new Promise((resolve) => leave = resolve);
  const url = await serve(t, (r) => {
    r.signal.addEventListener("abort", () => leave("aborted"));
    return new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("one")); }, cancel: () => leave("cancelled") }));
  });
  const q = request(url).end();
  const [a] = await once(q, "response");
  assert.equal(String((await once(a, "data"))[0]), "one");
  q.destroy();
  assert.ok(await left);
});

test("a fault is a 500, and is logged", async (t) => {
  const logged = t.mock.method(console, "error", () => {});
  const url = await serve(t, () => { throw new Error("on fire"); });
  const a = await fetch(url);
  assert.deepEqual([a.status, await a.text()], [500, "The server has made a mistake, and has logged it."]);
  assert.equal(logged.mock.calls[0].arguments[0].message, "on fire");
});

test("targets and hosts that another server could read otherwise are refused", async (t) => {
  const url = await serve(t, (r) => new Response(r.url));
  for (const [target, host] of [["http://evil.example/", "a"], ["*", "a"], ["/", "a/b"], ["/", "a@b"], ["/", "a b"], ["/", "[::1"]]) {
    assert.match(await raw(url, `OPTIONS ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`), /^HTTP\/1.1 400 /, `${target} ${host}`);
  }
  assert.match(await raw(url, "GET / HTTP/1.1\r\nHost: Shop.example:80\r\nConnection: close\r\n\r\n"), /200/);
  assert.match(await raw(url, "GET // HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), /200/);
});

test("an origin that is given counts, and must be one", async (t) => {
  const url = await serve(t, (r) => new Response(r.url), { origin: "https://shop.example" });
  assert.equal(await (await fetch(`${url}/a`)).text(), "https://shop.example/a");
  assert.throws(() => toNode(() => {}, { origin: "https://shop.example/" }), /origin is "https:\/\/shop.example\/"; allowed/);
  assert.throws(() => toNode(), /the handler is undefined/);
});

test("sessions in Node's own server", async (t) => {
  const all = sessions({ module, keys: "8f1b41207465737420206b65792c2072656164206279206e6f626f6479212121", store: new MemoryStore(), policy: { allowInsecure: true } });
  const url = await serve(t, all.withSession((request, session) => new Response(`visit ${session.add("visits")}`)));
  const first = await fetch(url);
  assert.equal(await first.text(), "visit 1");
  const cookie = first.headers.getSetCookie()[0].split(";")[0];
  assert.equal(await (await fetch(url, { headers: { cookie } })).text(), "visit 2");
});
