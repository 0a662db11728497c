import { Reader, Writer, encodeText } from "../bytes.js";
import { readRecord, writeRecord } from "../frames.js";

const maxBody = 8 + (1 << 20) + (16 << 10) + 1024; // as nethttp.StoreHandler takes

/**
 * The sessions of a Go origin, through its nethttp.StoreHandler: for an edge
 * that cannot reach the database itself. The token is a secret.
 */
export class FetchStore {
  #url;
  #token;
  #fetch;

  constructor({ url, token, fetch = globalThis.fetch }) {
    this.#url = String(url).replace(/\/$/, "");
    this.#token = token;
    this.#fetch = (...args) => fetch(...args); // workerd's fetch wants no other this
  }

  async load(id) {
    const a = await this.#post("load", encodeText(id));
    if (a.status === 404) { await a.body?.cancel(); return null; }
    await expect(a, 200);
    const r = new Reader(new Uint8Array(await a.arrayBuffer()));
    if (r.b.length > maxBody) throw new Error("the origin's store answered with more than a record");
    const record = readRecord(r);
    if (r.left !== 0) throw new Error("the origin's store answered with more than a record");
    return record;
  }

  async save(record, prev, { touch = false } = {}) {
    const w = writeRecord(new Writer(record.sealed.length + 256).u64(prev), record);
    const a = await this.#post(touch ? "save?touch=1" : "save", w.done());
    if (a.status === 409) { await a.body?.cancel(); return false; }
    await expect(a, 204);
    return true;
  }

  async delete(id) { await expect(await this.#post("delete", encodeText(id)), 204); }

  #post(verb, body) {
    return this.#fetch(`${this.#url}/${verb}`, {
      method: "POST", body, redirect: "manual", headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/octet-stream" },
    });
  }
}

async function expect(a, status) {
  if (a.status === status) {
    if (status === 204) await a.body?.cancel();
    return;
  }
  await a.body?.cancel();
  throw new Error(`the origin's store answered ${a.status}, not ${status}`);
}
