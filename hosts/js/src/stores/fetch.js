import { isFunction, isNumber, kindOf, only } from "../only.js";
import { SessionError } from "../errors.js";
import { cachingBy, deleteBy, loadBy, saveBy } from "./remote.js";

const minToken = 32; // as nethttp.MinStoreToken
const longestTimeout = 600_000;

const bad = (text) => { throw new SessionError("config", `FetchStore: ${text}`); };

const checks = { url: null, token: null, timeout: isNumber(1, longestTimeout, "milliseconds"), fetch: isFunction };

// What was given is not shown: it may be the token, or have a password in it.
function baseOf(url) {
  const text = String(url ?? ""), want = "allowed: the URL of the origin's StoreHandler, such as https://shop.example/store";
  if (text === "") bad(`url is ${url === "" ? "empty" : url}: is its environment variable set? ${want}`);
  if (!URL.canParse(text)) bad(`url is ${typeof url === "string" ? "no URL" : kindOf(url)}; ${want}`);
  const { protocol, username, password, search, hash } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") bad(`the scheme of url is ${protocol}; ${want}`);
  if (username || password || search || hash) bad(`url has a ${username || password ? "user or password" : "query or fragment"}, which is not sent; ${want}`);
  return text;
}

function checkToken(token) {
  const make = "make one with: openssl rand -hex 32";
  if (typeof token !== "string" || token === "") bad(`token is ${token === "" ? "empty" : kindOf(token)}: is its environment variable set? Allowed: a string of ${minToken} characters or more; ${make}`);
  if (token.trim() !== token) bad("token begins or ends with white space, such as the line break of a file: take it off with trim()");
  if (!/^[\x20-\x7e]*$/.test(token)) bad(`token has characters that no header can have; ${make}`);
  if (token.length < minToken) bad(`token has ${token.length} characters; allowed: ${minToken} or more; ${make}`);
}

/**
 * The sessions of a Go origin, through its nethttp.StoreHandler: for an edge
 * that cannot reach the database itself. The token is a secret.
 */
export class FetchStore {
  #post;

  constructor(options) {
    const { url, token, timeout = 5000, fetch = globalThis.fetch } = only(options, checks, "FetchStore");
    const base = baseOf(url).replace(/\/$/, "");
    checkToken(token);
    this.#post = (verb, body) => fetch(`${base}/${verb}`, {
      method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(timeout),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream", "session-wait": "caller" },
    });
  }

  load(id) { return loadBy(this.#post, id); }
  async save(record, prev, { touch = false } = {}) { return saveBy(this.#post, record, prev, touch); }
  delete(id) { return deleteBy(this.#post, id); }

  /** Whether servers keep records of the origin's store in a cache. */
  caching() { return cachingBy(this.#post); }
}
