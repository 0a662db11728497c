import { idText } from "../bytes.js";
import { copyRecord } from "../record.js";
import { SessionError } from "../errors.js";

const maxTries = 10_000; // of a client that meets conflicts: each is another's success
const day = 86_400_000;

/** One run of a case. Its methods throw at the first broken promise. */
export class Probe {
  constructor(name, store) {
    Object.assign(this, { name, store });
    this.maxSealed = store.maxSealed ?? (1 << 20) + (16 << 10);
    // A day ahead of the clock, so that no backend forgets a record while its case runs.
    this.soon = Date.now() + day;
  }

  fail(text) { throw new Error(text + (this.at ?? "")); }

  id() { return crypto.getRandomValues(new Uint8Array(16)); }
  version() { return BigInt.asUintN(63, new BigUint64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0]) | 1n; }

  /** A new valid record, every field set. */
  record(fields) {
    const r = { id: this.id(), tenant: "acme", user: "alice", createdAt: this.soon - 2 * day + 1, seenAt: this.soon - day - 7, expiresAt: this.soon };
    return { ...this.next(r), ...fields };
  }

  /** r with a new version and other sealed bytes. */
  next(r, fields) {
    const version = this.version();
    return { ...r, version, sealed: sealed(version, 300), ...fields };
  }

  /** Saves a private copy: the kit's own bytes must not change with the store's. */
  async try(r, prev, options) {
    const answer = await this.store.save(r.sealed instanceof Uint8Array ? copyRecord(r) : r, prev, options);
    if (typeof answer !== "boolean") this.fail(`save answers ${answer}, want true or false`);
    return answer;
  }

  async save(r, prev, options) { if (!await this.try(r, prev, options)) this.fail(`save of ${describe(r, prev)} is refused`); }
  async conflict(r, prev, options) { if (await this.try(r, prev, options)) this.fail(`save of ${describe(r, prev)} succeeds, want false`); }
  load(id) { return this.store.load(idText(id)); }
  delete(id) { return this.store.delete(idText(id)); }

  async holds(want) {
    const got = await this.load(want.id);
    const d = got === null ? "it is not there" : difference(want, got);
    if (d) this.fail(`load of ${idText(want.id)}: ${d}`);
  }

  async gone(id) {
    const got = await this.load(id);
    if (got !== null) this.fail(`load of ${idText(id)} returns version ${got?.version}, want null`);
  }

  async shows(r, there) { await (there ? this.holds(r) : this.gone(r.id)); }

  /** Loads, applies f and saves, again after each conflict. Null when it is not there. */
  async change(id, f) {
    for (let n = 0; n < maxTries; n++) {
      const was = await this.load(id);
      if (was === null) return null;
      const is = await f(was);
      if (await this.again(is, was.version)) return is;
      if (n > 2) await this.turn(Math.random() * 5);
    }
    return this.fail(`${maxTries} loads and saves have all met a conflict`);
  }

  /** A save in a race: a store that is busy has changed nothing. */
  async again(r, prev) {
    try {
      return await this.try(r, prev);
    } catch (err) {
      if (err instanceof SessionError && err.code === "busy") return false;
      throw err;
    }
  }

  /**
   * Lets others run. Clients of one thread that only await promises would keep
   * it, and without chance the same one would always be late.
   */
  turn(ms = 0) { return new Promise((done) => setTimeout(done, ms)); }

  /** Runs f(0) to f(n-1) at once. */
  together(n, f) { return Promise.all(Array.from({ length: n }, (_, i) => f(i))); }
}

/** n bytes that follow from v. */
export function sealed(v, n) {
  let x = Number(v & 0xffffffffn) | 1;
  const b = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
    b[i] = x;
  }
  return b;
}

export function describe(r, prev) {
  return `${prev === 0n ? "the insert" : `the replacement of version ${prev}`} (version ${r.version}, tenant ${JSON.stringify(r.tenant)}, user ${JSON.stringify(r.user)}, ${r.sealed?.length} sealed bytes)`;
}

/** How got is not want, "" if it is. */
export function difference(want, got) {
  for (const f of ["version", "tenant", "user", "createdAt", "seenAt", "expiresAt"]) {
    if (got[f] !== want[f]) return `${f} is ${typeof got[f]} ${got[f]}, want ${want[f]}`;
  }
  for (const f of ["id", "sealed"]) {
    if (!(got[f] instanceof Uint8Array)) return `${f} is no Uint8Array`;
    if (got[f].length !== want[f].length) return `${f} has ${got[f].length} bytes, want ${want[f].length}`;
    if (!got[f].every((b, i) => b === want[f][i])) return `${f} has other bytes`;
  }
  return "";
}
