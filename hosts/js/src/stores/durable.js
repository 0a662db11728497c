import { bound, isRetention, only } from "../only.js";
import { Reader, idText } from "../bytes.js";
import { readRecord } from "../frames.js";
import { deleteBy, loadBy, saveBy } from "./remote.js";

const hour = 3_600_000;
const tenYears = 315_576_000_000; // an alarm may be no later than some day; it looks again when it comes

/**
 * One Durable Object for each session: it lives near its visitor, and its
 * storage is written before the answer leaves. Bind SessionObject with SQLite
 * storage, whose values may be as large as a session.
 */
export class DurableObjectStore {
  #namespace;
  #retention;

  /** @param retention ms that an expired record is kept, a minute at the least */
  constructor(namespace, options) {
    const { retention = hour } = only(options, { retention: isRetention }, "DurableObjectStore");
    this.#namespace = bound("DurableObjectStore", namespace, ["get", "idFromName"]);
    this.#retention = Math.max(retention, 60_000);
  }

  load(id) { return loadBy(this.#post(id), id); }
  async save(record, prev, { touch = false } = {}) {
    return saveBy(this.#post(idText(record.id)), record, prev, touch);
  }
  delete(id) { return deleteBy(this.#post(id), id); }

  #post(id) {
    const stub = this.#namespace.get(this.#namespace.idFromName(id));
    return (verb, body) => stub.fetch(`https://session/${verb}`, { method: "POST", body, headers: { retention: String(this.#retention) } });
  }
}

/**
 * The object of one session. While it waits for its storage it takes no other
 * request, so comparing and setting are one step.
 */
export class SessionObject {
  #storage;

  constructor(state) { this.#storage = state.storage; }

  async fetch(request) {
    const body = new Uint8Array(await request.arrayBuffer());
    switch (new URL(request.url).pathname) {
      case "/load": {
        const kept = await this.#storage.get("record");
        return kept ? new Response(kept) : new Response(null, { status: 404 });
      }
      case "/save": return new Response(null, { status: await this.#save(body, Number(request.headers.get("retention"))) ? 204 : 409 });
      case "/delete":
        await this.#storage.deleteAlarm();
        await this.#storage.deleteAll();
        return new Response(null, { status: 204 });
    }
    return new Response(null, { status: 400 });
  }

  async #save(body, retention) {
    const prev = new Reader(body).u64(), bytes = body.slice(8), record = readRecord(new Reader(bytes));
    const kept = await this.#storage.get("record");
    const version = kept ? readRecord(new Reader(kept)).version : 0n;
    if (version === record.version) return true;
    if (version !== prev) return false;
    await this.#storage.put({ record: bytes, retention });
    // Later saves move the expiry; the alarm sees it when it comes.
    if (!kept) await this.#storage.setAlarm(over(record, retention));
    return true;
  }

  async alarm() {
    const kept = await this.#storage.get("record");
    if (!kept) return;
    const at = over(readRecord(new Reader(kept)), await this.#storage.get("retention"));
    if (at > Date.now()) await this.#storage.setAlarm(at);
    else await this.#storage.deleteAll();
  }
}

const over = (record, retention) => Math.max(Math.min(record.expiresAt + retention, Date.now() + tenYears), 1);
