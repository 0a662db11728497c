import { bound, isRetention, isText, only } from "../only.js";
import { Reader, Writer, idText } from "../bytes.js";
import { readRecord, writeRecord } from "../frames.js";
import { checkRecord } from "../record.js";
import { SessionError } from "../errors.js";

const maxTries = 16; // of a save that others' saves come between
const tenYears = 315_576_000_000;

/**
 * Sessions in Deno KV, each under [prefix, ID]. A save is one atomic operation
 * on the version stamp that was read. A value has 64 KiB at the most, so a
 * session of more is refused as too large.
 */
export class DenoKvStore {
  #kv;
  #prefix;
  #retention;
  /** Bytes of the largest sealed that fits. */
  maxSealed = 63 << 10;

  constructor(kv, options) {
    const { prefix = "session", retention = 3_600_000 } = only(options, { prefix: isText, retention: isRetention }, "DenoKvStore");
    this.#kv = bound("DenoKvStore", kv, ["get", "atomic", "delete"]);
    this.#prefix = prefix;
    this.#retention = Math.max(retention, 60_000);
  }

  async load(id) {
    const { value } = await this.#kv.get([this.#prefix, id]); // of strong consistency by itself
    return value === null ? null : readRecord(new Reader(value));
  }

  async save(record, prev) {
    checkRecord(record);
    if (record.sealed.length > this.maxSealed) throw new SessionError("too_large", `Deno KV keeps ${this.maxSealed} sealed bytes, the session has ${record.sealed.length}`);
    const key = [this.#prefix, idText(record.id)], value = writeRecord(new Writer(record.sealed.length + 1024), record).done().slice();
    const expireIn = Math.min(Math.max(record.expiresAt + this.#retention - Date.now(), 1), tenYears);
    for (let n = 0; n < maxTries; n++) {
      const kept = await this.#kv.get(key);
      const version = kept.value === null ? 0n : readRecord(new Reader(kept.value)).version;
      if (version === record.version) return true;
      if (version !== prev) return false;
      if ((await this.#kv.atomic().check(kept).set(key, value, { expireIn }).commit()).ok) return true;
    }
    throw new SessionError("busy", "other saves of the session were always first");
  }

  async delete(id) { await this.#kv.delete([this.#prefix, id]); }
}
