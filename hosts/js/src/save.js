// Carrying out what the core decides: saved exactly once, or told that it was
// not, or that it cannot be told. It follows hosts/save.go.

import { idText } from "./bytes.js";
import { op, readEffects, readSession, writeRecord } from "./frames.js";
import { SessionError, Unavailable } from "./errors.js";

const maxResends = 4; // of a save or delete whose answer was lost
const firstPause = 4, longPause = 200; // ms, doubled and jittered

/** One commit's work: the guest, the store, and the time that is left. */
export class Commit {
  constructor(guest, store, { clock, random, timeout }) {
    Object.assign(this, { guest, store, clock, random });
    this.until = clock() + timeout;
  }

  get left() { return this.until - this.clock(); }

  /** Stores what the session did, and returns the effects; null if nothing was to be done. */
  async run(bytes) {
    for (let attempt = 0; ; attempt++) {
      const done = await this.#attempt(bytes);
      if (done !== conflict) return done;
      const theirs = await this.#load(this.id);
      bytes = this.#rebase(bytes, theirs);
      if (bytes === null) return null;
      if (attempt > 0 && !await this.#pause(attempt)) {
        throw new Unavailable(`save session ${this.name}: other requests were always first`);
      }
    }
  }

  get name() { return this.id ? idText(this.id) : "new"; }

  async #attempt(bytes) {
    for (let again = 0; ; again++) {
      const seed = this.random(new Uint8Array(32));
      const e = readEffects(this.guest.ask(op.commit, (w) => w.time(this.clock()).raw(seed).raw(bytes), bytes.length + 64));
      if (e.delete) await this.#remove(e.delete);
      if (!e.save) return e;
      this.id = e.save.id;
      if (e.touch) return this.#touch(e);
      const answer = await this.#save(e);
      if (answer === saved) return e;
      // A new session that met another of its ID, or has ended already, is made anew.
      if (e.prev !== 0n) return conflict;
      if (again >= maxResends) throw new Unavailable("begin session: the store says of every ID drawn for it that it is taken");
    }
  }

  // A touch only notes the use: a conflict is success, and a failure is no reason to fail the request.
  async #touch(e) {
    try {
      if (await this.#ask(() => this.store.save(e.save, e.prev, { touch: true }))) return e;
    } catch { /* the note is lost; the next request makes another */ }
    return null;
  }

  async #remove(id) {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#ask(() => this.store.delete(idText(id)));
        return;
      } catch (cause) {
        if (attempt === maxResends || !await this.#pause(attempt)) throw new Unavailable(`end session ${idText(id)}: the store failed`, cause);
      }
    }
  }

  async #save(e) {
    let lost = null, prev = e.prev;
    for (let attempt = 0; ; attempt++) {
      try {
        if (await this.#ask(() => this.store.save(e.save, prev, {}))) return saved;
        if (!lost) return conflict;
        const settled = await this.#settle(e);
        if (settled !== unknown) return settled;
      } catch (cause) {
        if (cause instanceof SessionError && !(cause instanceof Unavailable)) throw cause;
        lost = cause;
        // Asked again as the successor of itself, a lost insert is found if it
        // is stored, and not inserted once more if it has ended since.
        if (prev === 0n) prev = e.save.version;
      }
      if (attempt === maxResends || !await this.#pause(attempt)) throw new Unavailable(`save session ${this.name}: its outcome is unknown`, lost);
    }
  }

  // After a lost answer and then a conflict: was it applied?
  async #settle(e) {
    let theirs;
    try {
      theirs = await this.#load(e.save.id);
    } catch { return unknown; }
    if (!theirs) {
      if (e.prev === 0n) throw new Unavailable(`save session ${this.name}: after a lost answer it is not in the store; begin another`);
      return conflict;
    }
    if (e.prev !== 0n && theirs.version === e.prev) return unknown; // not applied yet: send it again
    const r = this.guest.ask(op.applied, (w) => writeRecord(w.time(this.clock()).u64(e.save.version).u64(e.prev), theirs));
    const applied = r.flag(), known = r.flag();
    if (applied) return saved;
    if (known) return conflict;
    throw new Unavailable(`save session ${this.name}: its outcome is unknown`);
  }

  #rebase(bytes, theirs) {
    const r = this.guest.ask(op.rebase, (w) => {
      w.time(this.clock()).raw(bytes).flag(theirs !== null);
      if (theirs) writeRecord(w, theirs);
    }, 2 * bytes.length + 64);
    return r.flag() ? readSession(r) : null;
  }

  async #load(id) {
    try {
      return checked(await this.#ask(() => this.store.load(idText(id))), id);
    } catch (cause) {
      throw cause instanceof SessionError ? cause : new Unavailable(`load session ${idText(id)}: the store failed`, cause);
    }
  }

  #ask(call) { return within(Math.max(this.left, 1), call); }

  async #pause(attempt) {
    if (attempt === 0) return this.left > 0;
    const d = Math.min(firstPause << Math.min(attempt - 1, 16), longPause);
    const jitter = this.random(new Uint8Array(1))[0] / 256;
    await new Promise((done) => setTimeout(done, Math.min(d / 2 + jitter * d, Math.max(this.left, 0))));
    return this.left > 0;
  }
}

const saved = Symbol("saved"), conflict = Symbol("conflict"), unknown = Symbol("unknown");

/** Bounds a call of a store; the call itself cannot be taken back. */
export async function within(ms, call) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Unavailable(`the store has not answered within ${Math.ceil(ms)} ms`)), ms);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Holds what a store answered to the shape of a record: garbage is a failure, never "not there". */
export function checked(record, id) {
  if (record === null) return null;
  const ok = record && record.id instanceof Uint8Array && record.id.length === 16 && typeof record.version === "bigint" &&
    Number.isSafeInteger(record.createdAt) && Number.isSafeInteger(record.seenAt) && Number.isSafeInteger(record.expiresAt) &&
    typeof record.tenant === "string" && typeof record.user === "string" && record.sealed instanceof Uint8Array;
  if (!ok) throw new Unavailable("the store answered with something that is no record");
  if (!record.id.every((b, i) => b === id[i])) throw new Unavailable("the store answered with another session");
  return record;
}
