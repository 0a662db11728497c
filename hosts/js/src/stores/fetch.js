import { Reader, Writer, encodeText } from "../bytes.js";
import { readRecord, writeRecord } from "../frames.js";
import { checkRecord, maxSealed } from "../record.js";
import { SessionError } from "../errors.js";

const maxBody = maxSealed + 1024; // a record
const minToken = 32; // as nethttp.MinStoreToken

/**
 * The sessions of a Go origin, through its nethttp.StoreHandler: for an edge
 * that cannot reach the database itself. The token is a secret.
 */
export class FetchStore {
  #url;
  #token;
  #fetch;
  #timeout;

  constructor({ url, token, timeout = 5000, fetch = globalThis.fetch }) {
    if (!URL.canParse(String(url))) throw new SessionError("config", "url of FetchStore must be that of the origin's StoreHandler");
    if (typeof token !== "string" || token.length < minToken) throw new SessionError("config", `token of FetchStore must have ${minToken} characters or more; make one with: openssl rand -hex 32`);
    this.#url = String(url).replace(/\/$/, "");
    this.#token = token;
    this.#timeout = timeout;
    this.#fetch = (...args) => fetch(...args); // workerd's fetch wants no other this
  }

  async load(id) {
    const a = await this.#post("load", encodeText(id));
    if (a.status === 404) { await a.body?.cancel(); return null; }
    if (a.status !== 200) throw await unexpected(a, 200);
    const r = new Reader(await whole(a));
    const record = readRecord(r);
    if (r.left !== 0) throw new Error("the origin's store answered with more than a record");
    return record;
  }

  async save(record, prev, { touch = false } = {}) {
    checkRecord(record);
    const w = writeRecord(new Writer(record.sealed.length + 1024).u64(prev), record);
    const a = await this.#post(touch ? "save?touch=1" : "save", w.done());
    if (a.status !== 409 && a.status !== 204) throw await unexpected(a, 204);
    await a.body?.cancel();
    return a.status === 204;
  }

  async delete(id) {
    const a = await this.#post("delete", encodeText(id));
    if (a.status !== 204) throw await unexpected(a, 204);
    await a.body?.cancel();
  }

  #post(verb, body) {
    return this.#fetch(`${this.#url}/${verb}`, {
      method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(this.#timeout),
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/octet-stream" },
    });
  }
}

async function unexpected(a, status) {
  await a.body?.cancel();
  return new Error(`the origin's store answered ${a.status}, not ${status}`);
}

// Reads a body that is no longer than a record.
async function whole(a) {
  const w = new Writer(4096);
  for (const reader = a.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return w.done();
    if (w.n + value.length > maxBody) {
      await reader.cancel();
      throw new Error("the origin's store answered with more than a record");
    }
    w.raw(value);
  }
}
