import { own } from "../own.js";
import { SessionError } from "../errors.js";
import { cachingBy, deleteBy, loadBy, saveBy } from "./remote.js";

const minToken = 32; // as nethttp.MinStoreToken

/**
 * The sessions of a Go origin, through its nethttp.StoreHandler: for an edge
 * that cannot reach the database itself. The token is a secret.
 */
export class FetchStore {
  #post;

  constructor(options) {
    const { url, token, timeout = 5000, fetch = globalThis.fetch } = own(options);
    if (!URL.canParse(String(url))) throw new SessionError("config", "url of FetchStore must be that of the origin's StoreHandler");
    if (typeof token !== "string" || token.length < minToken) throw new SessionError("config", `token of FetchStore must have ${minToken} characters or more; make one with: openssl rand -hex 32`);
    const base = String(url).replace(/\/$/, "");
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
