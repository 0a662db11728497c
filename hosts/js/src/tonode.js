// A handler of Request and Response as a listener of node:http, for Node's own
// server, Express and everything else that has its req and res.

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { only, shown } from "./only.js";

/**
 * Makes a listener (req, res) of a handler (Request) => Response: of what
 * withSession returns, for example. The listener's promise never rejects: that
 * would end the process.
 * @param handler gets a Request whose signal aborts when the client goes away
 * @param options.origin what the URLs of requests begin with, such as
 *   "https://shop.example"; without it the Host field and whether the connection
 *   is TLS, which is wrong behind a proxy that ends TLS
 */
export function toNode(handler, options) {
  if (typeof handler !== "function") throw new TypeError(`toNode: the handler is ${shown(handler)}; allowed: a function of a Request that returns a Response`);
  const { origin } = only(options, { origin: isOrigin }, "toNode");
  return async (req, res) => {
    const gone = new AbortController();
    res.once("close", () => res.writableFinished || gone.abort());
    let asked = badRequest;
    try {
      asked = asRequest(req, origin, gone.signal);
      if (!asked.request) return plain(res, asked.status, asked.text);
      await send(await handler(asked.request), req, res);
      asked.letGo();
    } catch (err) {
      if (gone.signal.aborted) return; // nobody is there to be answered
      console.error(err);
      mistake(res);
      asked.letGo(true);
    }
  };
}

function mistake(res) {
  try {
    if (!res.headersSent) return plain(res, 500, "The server has made a mistake, and has logged it.");
  } catch { /* the middleware's own fault */ }
  res.destroy();
}

function isOrigin(name, value) {
  if (value === undefined || URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value)) return;
  throw new TypeError(`toNode: ${name} is ${shown(value)}; allowed: a scheme and a host, such as https://shop.example`);
}

const badRequest = { request: null, letGo() {}, status: 400, text: "The request has no usable host or target." };

// Methods that no Request can have.
const noMethods = ["CONNECT", "TRACE", "TRACK"];

/** The Request, and what lets go of its body; or the status and text of a refusal. */
function asRequest(req, origin, signal) {
  if (noMethods.includes(req.method.toUpperCase())) return { request: null, letGo() {}, status: 501, text: "The method of the request is not supported." };
  const { authority, path } = targetOf(req);
  const base = origin ?? `${req.socket.encrypted ? "https" : "http"}://${authority}`;
  if (!path || origin === undefined && !isHost(authority, base)) return badRequest;
  try {
    const headers = new Headers();
    for (let i = 0; i < req.rawHeaders.length; i += 2) {
      if (!req.rawHeaders[i].startsWith(":")) headers.append(req.rawHeaders[i], req.rawHeaders[i + 1]); // HTTP/2's are the request line
    }
    if (origin === undefined && headers.has("host")) headers.set("host", authority);
    const bare = req.method === "GET" || req.method === "HEAD";
    const { body, letGo } = bare ? { body: null, letGo() {} } : bodyOf(req);
    return { request: new Request(base + path, { method: req.method, headers, signal, ...body && { body, duplex: "half" } }), letGo };
  } catch {
    return badRequest; // fields, or a method, that a Request refuses
  }
}

// A target in absolute form names the host, too, and the Host field does not count (RFC 9112, 3.2.2).
// The scheme of the target is ignored: a client could claim TLS on a plain connection.
function targetOf({ url, headers }) {
  const absolute = /^https?:\/\/([^/?#]+)(.*)$/is.exec(url);
  if (absolute) return { authority: absolute[1], path: absolute[2].startsWith("/") ? absolute[2] : "/" + absolute[2] };
  return { authority: headers[":authority"] ?? headers.host, path: url.startsWith("/") ? url : null };
}

// A Host field is a host and a port, and nothing else that a URL may have.
function isHost(host, base) {
  if (!host || !URL.canParse(base)) return false;
  const url = new URL(base), port = url.protocol === "https:" ? ":443" : ":80"; // which the URL leaves out
  return [url.host, url.host + port].includes(host.toLowerCase());
}

/**
 * The body. It reads nothing from the request before the handler does: after the
 * response, node:http discards a body only if no reading has begun.
 */
function bodyOf(req) {
  const wasRead = req.readableDidRead;
  let parts = null, over = false;
  const drop = async () => {
    over = true;
    await parts?.return();
    req.resume(); // a client that is still sending gets the answer, and the connection its next request
  };
  const body = new ReadableStream({
    async pull(controller) {
      if (wasRead) throw new TypeError("toNode: the body of the request was read before, by middleware such as express.json(): put this route before it");
      if (over) throw new TypeError("toNode: the body of the request is gone, since the response was sent before it was read");
      parts ??= req.iterator({ destroyOnReturn: false });
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value)); // a copy: a Buffer may share its memory
    },
    cancel: drop,
  }, { highWaterMark: 0 });
  const letGo = (failed = false) => {
    if (body.locked && !failed) return; // a handler with a reader may still read after the response
    if (parts) drop().catch(() => {});
    else over = true;
  };
  return { body, letGo };
}

async function send(response, req, res) {
  if (typeof response?.headers?.getSetCookie !== "function") throw new TypeError(`toNode: the handler has returned ${shown(response)}; it must return a Response`);
  const cookies = response.headers.getSetCookie();
  for (const [name, value] of response.headers) if (name !== "set-cookie") res.setHeader(name, name === "vary" ? varyOf(res.getHeader("vary"), value) : value);
  // Express and its middleware may have set some before.
  if (cookies.length > 0) res.setHeader("set-cookie", [].concat(res.getHeader("set-cookie") ?? [], cookies));
  res.statusCode = response.status;
  if (response.statusText && req.httpVersionMajor === 1) res.statusMessage = response.statusText;
  if (!response.body || req.method === "HEAD") {
    await response.body?.cancel();
    res.end();
    return;
  }
  res.flushHeaders(); // before the first part of a stream, which may take its time
  await pipeline(Readable.fromWeb(response.body), res);
}

// Both fields as one, without a name twice; "*" stands for all.
function varyOf(before, value) {
  if (before === undefined) return value;
  const names = new Map();
  for (const name of `${before}, ${value}`.split(",").map((n) => n.trim())) if (name && !names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  return names.has("*") ? "*" : [...names.values()].join(", ");
}

function plain(res, status, text) {
  res.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  res.end(text);
}
