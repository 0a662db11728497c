import { isFunction, isNumber, isRetention, only } from "../only.js";
import { idText } from "../bytes.js";
import { checkRecord, copyRecord } from "../record.js";
import { SessionError } from "../errors.js";

/**
 * Sessions in the memory of this isolate, for development and tests: lost at
 * its end, and seen by no other. A full store refuses new sessions; it drops
 * none that lives.
 */
export class MemoryStore {
  #records = new Map();
  constructor(options) {
    const { most = 10_000, clock = Date.now, retention = 3_600_000 } = only(options, { most: isNumber(1, Infinity, "sessions"), clock: isFunction, retention: isRetention }, "MemoryStore");
    Object.assign(this, { most, clock, retention });
  }

  async load(id) {
    const r = this.#records.get(id);
    return r ? copyRecord(r) : null;
  }

  async save(record, prev) {
    checkRecord(record);
    const id = idText(record.id), is = this.#records.get(id);
    if (is?.version === record.version) return true;
    if ((is?.version ?? 0n) !== prev) return false;
    if (!is && this.#records.size >= this.most && this.#sweep() === 0) throw new SessionError("full", `the memory store is full: it has ${this.most} sessions`);
    this.#records.set(id, copyRecord(record));
    return true;
  }

  async delete(id) { this.#records.delete(id); }

  #sweep() {
    const before = this.clock() - this.retention, was = this.#records.size;
    for (const [id, r] of this.#records) if (r.expiresAt < before) this.#records.delete(id);
    return was - this.#records.size;
  }
}
