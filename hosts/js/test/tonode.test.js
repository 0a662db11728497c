// A handler behind node:http: what arrives, and what is sent.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import * as http2 from "node:http2";
import { once } from "node:events";
import { connect } from "node:net";
import test from "node:test";
import { MemoryStore, module, sessions, toNode } from "../node.js";

async function serve(t, handler, options, before = () => {}) {
  const listener = toNode(handler, options);
  const server = createServer((req, res) => { before(res); return listener(req, res); }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${server.address().port}`;
}

// whole sends bytes as they are and returns all that comes; raw returns the first line of it.
async function whole(url, text) {
  const socket = connect(new URL(url).port, "127.0.0.1");
  socket.write(text);
  let all = "";
  for await (const part of socket) all += part;
  return all;
}
const raw = async (url, text) => (await whole(url, text)).split("\r\n")[0];

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
  for (const [target, host] of [["http://u@evil.example/", "a"], ["http://", "a"], ["ftp://a/", "a"], ["*", "a"], ["/", "a/b"], ["/", "a@b"], ["/", "a b"], ["/", "[::1"]]) {
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

test("a request without a host, or with a method that no Request has, gets an answer and ends nothing", async (t) => {
  const url = await serve(t, (r) => new Response(r.url));
  assert.match(await raw(url, "GET / HTTP/1.0\r\n\r\n"), / 400 /);
  assert.match(await raw(url, "TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), / 501 /);
  await whole(url, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.equal((await fetch(url)).status, 200);
  const known = await serve(t, (r) => new Response(r.url), { origin: "https://shop.example" });
  assert.match(await whole(known, "GET /a HTTP/1.0\r\n\r\n"), / 200 [^]*https:\/\/shop\.example\/a$/);
});

test("the listener never rejects, whatever it is asked", async () => {
  const listener = toNode(() => new Response("ok"));
  for (const more of [{ method: "TRACE" }, { method: "track" }, { method: "CONNECT" }, { method: "G T" }, { headers: {} }, { rawHeaders: ["a b", "c"] }, { method: "get" }, { url: "" }]) {
    let status = 0;
    const res = { once() {}, writeHead: (s) => { status = s; }, end() {} };
    await listener({ method: "POST", url: "/", headers: { host: "a" }, rawHeaders: ["Host", "a"], socket: {}, ...more }, res);
    assert.ok([400, 501].includes(status), `${JSON.stringify(more)} ${status}`);
  }
});

test("over HTTP/2, too", async (t) => {
  const server = http2.createServer(toNode(async (r) => new Response(`${r.method} ${r.url} ${await r.text()}`))).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = http2.connect(`http://127.0.0.1:${server.address().port}`);
  t.after(() => { client.close(); server.close(); });
  const ask = async (fields, body) => {
    const q = client.request(fields).end(body);
    const [head] = await once(q, "response");
    let text = "";
    for await (const part of q) text += part;
    return [head[":status"], text];
  };
  for (const method of ["TRACE", "TRACK"]) assert.equal((await ask({ ":method": method, ":path": "/" }))[0], 501, method);
  assert.equal((await ask({ ":method": "CONNECT", ":authority": "a:80" }))[0], 405); // by Node
  assert.deepEqual(await ask({ ":method": "POST", ":path": "/x", ":authority": "a" }, "body"), [200, "POST http://a/x body"]);
});

test("a target in absolute form names the host, in place of the Host field", async (t) => {
  const handler = (r) => new Response(`${r.url} of ${r.headers.get("host")}`);
  const ask = async (url, target) => (await whole(url, `GET ${target} HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n`)).split("\r\n\r\n")[1];
  const plain = await serve(t, handler), known = await serve(t, handler, { origin: "https://shop.example" });
  assert.match(await ask(plain, "http://a.example/x?y=z"), /http:\/\/a\.example\/x\?y=z of a\.example/);
  assert.match(await ask(plain, "HTTP://a.example:8080?y"), /http:\/\/a\.example:8080\/\?y of a\.example:8080/);
  assert.match(await ask(plain, "https://a.example/"), /http:\/\/a\.example\/ of/, "the scheme is that of the connection, not of the target");
  assert.match(await ask(known, "http://a.example/x"), /https:\/\/shop\.example\/x of other\.example/);
  assert.match(await raw(plain, "GET http://a.example/ HTTP/1.0\r\n\r\n"), / 200 /);
});

test("what the handler leaves of a body is dropped, and the connection goes on", async (t) => {
  const large = 16 << 20;
  for (const [what, read] of Object.entries({
    nothing() {}, cancelled: (r) => r.body.cancel(),
    async part(r) { for await (const part of r.body) return part; },
    async released(r) { const reader = r.body.getReader(); await reader.read(); reader.releaseLock(); },
  })) {
    const url = await serve(t, async (r) => { if (r.method === "POST") await read(r); return new Response(r.method); });
    const text = await whole(url, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${large}\r\n\r\n${"x".repeat(large)}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.deepEqual([text.split("HTTP/1.1 200 OK").length, text.includes("POST"), text.includes("GET")], [3, true, true], what);
  }
  t.mock.method(console, "error", () => {});
  const fails = await serve(t, async (r) => { if (r.method === "POST") { await r.body.getReader().read(); throw new Error("on fire"); } return new Response(r.method); });
  const after = await whole(fails, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${large}\r\n\r\n${"x".repeat(large)}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  assert.match(after, / 500 [^]* 200 [^]*GET/);
  const echo = await serve(t, (r) => new Response(r.body));
  assert.equal((await (await fetch(echo, { method: "POST", body: "y".repeat(large) })).text()).length, large);
});

test("who holds a reader reads on behind the response; who begins then is told", async (t) => {
  let first, late;
  const url = await serve(t, async (r) => {
    if (new URL(r.url).pathname === "/on") {
      first = r.body.getReader();
      await first.read();
    } else late = r;
    return new Response("ok");
  });
  const large = "x".repeat(1 << 20);
  assert.equal(await (await fetch(url + "/late", { method: "POST", body: "x" })).text(), "ok");
  await assert.rejects(late.text(), /the body of the request is gone/);
  const q = request(url + "/on", { method: "POST" });
  q.write(large);
  const [a] = await once(q, "response");
  for await (const part of a) part;
  q.end("end");
  let n = 0;
  for (let p = await first.read(); !p.done; p = await first.read()) n += p.value.length;
  assert.ok(n > 3);
});

test("cookies and Vary that middleware has set before stay", async (t) => {
  const answer = (vary) => () => new Response("x", { headers: [["set-cookie", "b=2"], ["vary", vary]] });
  for (const [before, vary, want] of [["Origin", "Cookie", "Origin, Cookie"], ["origin, cookie", "Cookie", "origin, cookie"], ["*", "Cookie", "*"], ["Origin", "*", "*"], [["Origin", "Accept"], "Cookie, accept", "Origin, Accept, Cookie"], [null, "Cookie", "Cookie"]]) {
    const url = await serve(t, answer(vary), {}, (res) => { res.setHeader("set-cookie", "a=1"); if (before) res.setHeader("vary", before); });
    const { headers } = await fetch(url);
    assert.deepEqual([headers.getSetCookie(), headers.get("vary")], [["a=1", "b=2"], want]);
  }
});

test("options that there are not, and a handler that returns no Response, are told", async (t) => {
  assert.throws(() => toNode(() => {}, { orgin: "https://shop.example" }), { code: "config", message: /no option "orgin"; allowed: origin/ });
  for (const origin of ["shop.example", "ftp://shop.example", 5, null]) assert.throws(() => toNode(() => {}, { origin }), /origin is .*; allowed/);
  const logged = t.mock.method(console, "error", () => {});
  assert.equal((await fetch(await serve(t, () => {}))).status, 500);
  assert.match(logged.mock.calls[0].arguments[0].message, /the handler has returned undefined; it must return a Response/);
});

test("a body that middleware has read is no empty body", async (t) => {
  const logged = t.mock.method(console, "error", () => {});
  const listener = toNode(async (r) => new Response(r.method === "PUT" ? "unread" : await r.text()));
  const server = createServer(async (req, res) => { for await (const part of req) part; listener(req, res); }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => { server.closeAllConnections(); server.close(); });
  const url = `http://127.0.0.1:${server.address().port}`;
  assert.equal((await fetch(url, { method: "POST", body: "x" })).status, 500);
  assert.match(logged.mock.calls[0].arguments[0].message, /was read before/);
  assert.equal(await (await fetch(url, { method: "PUT", body: "x" })).text(), "unread");
});
