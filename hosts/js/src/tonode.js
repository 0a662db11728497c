// A handler of Request and Response as a listener of node:http, for Node's own
// server, Express and everything else that has its req and res.

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * Makes a listener (req, res) of a handler (Request) => Response: of what
 * withSession returns, for example.
 * @param handler gets a Request whose signal aborts when the client goes away
 * @param options.origin what the URLs of requests begin with, such as
 *   "https://shop.example"; without it the Host field and whether the connection
 *   is TLS, which is wrong behind a proxy that ends TLS
 */
export function toNode(handler, { origin } = {}) {
  if (typeof handler !== "function") throw new TypeError(`toNode: the handler is ${handler}; allowed: a function of a Request that returns a Response`);
  if (origin !== undefined && new URL(origin).origin !== origin) throw new TypeError(`toNode: origin is ${JSON.stringify(origin)}; allowed: a scheme and a host, such as https://shop.example`);
  return async (req, res) => {
    const gone = new AbortController();
    res.once("close", () => res.writableFinished || gone.abort());
    const request = asRequest(req, origin, gone.signal);
    if (!request) return plain(res, 400, "The request has no usable host or target.");
    try {
      await send(await handler(request), req, res);
    } catch (err) {
      if (gone.signal.aborted) return; // nobody is there to be answered
      console.error(err);
      if (res.headersSent) res.destroy();
      else plain(res, 500, "The server has made a mistake, and has logged it.");
    }
  };
}

function asRequest(req, origin, signal) {
  const host = req.headers[":authority"] ?? req.headers.host;
  const base = origin ?? `${req.socket.encrypted ? "https" : "http"}://${host}`;
  if (!req.url.startsWith("/") || !URL.canParse(base) || origin === undefined && !isHost(host, new URL(base))) return null;
  const headers = new Headers();
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    if (!req.rawHeaders[i].startsWith(":")) headers.append(req.rawHeaders[i], req.rawHeaders[i + 1]); // HTTP/2's are the request line
  }
  const bare = req.method === "GET" || req.method === "HEAD";
  return new Request(base + req.url, { method: req.method, headers, signal, ...bare ? {} : { body: Readable.toWeb(req), duplex: "half" } });
}

// A Host field is a host and a port, and nothing else that a URL may have.
function isHost(host, url) {
  const port = url.protocol === "https:" ? ":443" : ":80"; // which the URL leaves out
  return [url.host, url.host + port].includes(host.toLowerCase());
}

async function send(response, req, res) {
  const cookies = response.headers.getSetCookie();
  for (const [name, value] of response.headers) if (name !== "set-cookie") res.setHeader(name, value);
  if (cookies.length > 0) res.setHeader("set-cookie", cookies);
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

function plain(res, status, text) {
  res.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  res.end(text);
}
