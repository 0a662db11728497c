// Carrying out what the core decides: saved exactly once, or told that it was
// not, or that it cannot be told. It follows hosts/commit_attempt.go.

import { copy, idText } from "./bytes.js";
import { change, op, readEffects, readSession, viewOf, writeRecord } from "./frames.js";
import { Refused, SessionError, Unavailable } from "./errors.js";
import { quieted } from "./quiet.js";
import { Deadline, loadRecord } from "./asking.js";

const maxResends = 4; // of a save or delete whose answer was lost
const quickTries = 3; // after a conflict, without a pause
const maxConflicts = 256; // of one commit
const firstPause = 4, longPause = 200; // ms, doubled and jittered

const saved = Symbol("saved"), conflict = Symbol("conflict"), unknown = Symbol("unknown"), notThere = Symbol("not there");

// Answers of a store that mean that nothing was changed.
const refusals = ["refused", "busy", "full", "closed", "too_large", "bad_record", "bad_name", "bad_id"];

/** One commit's work: the guest, the store, and the time that is left. */
export class Commit {
  constructor(guest, store, { clock, seed, timeout, warnTouch }) {
    Object.assign(this, { guest, store, clock, seed, warnTouch });
    this.deadline = new Deadline(timeout);
  }

  /**
   * Stores what the session did, and returns the effects; null if nothing was to be done.
   * @param updates the functions to run again on what others have stored, if any
   * @param quiet whether only the values are stored, and no use is noted
   */
  run(bytes, updates, quiet = false) {
    return this.#tried(bytes, (b) => {
      const whole = updates ? updates.redo(b) : b;
      return [quiet ? quieted(this.guest, whole) : whole, whole];
    });
  }

  /** Removes a value from the stored session and stores that alone. Returns its CBOR and the record; null if there is none. */
  async take(bytes, name) {
    let value;
    const e = await this.#tried(this.#session(op.quiet, (w) => w.raw(bytes)), (quiet) => {
      const v = viewOf(quiet).values.get(name);
      if (!v) return [null];
      value = copy(quiet, v.from, v.end);
      return [this.#session(op.apply, (w) => w.raw(quiet).u8(change.delete).short(name)), quiet];
    });
    return e && { value, record: e.save };
  }

  /** Ends the session as it was loaded, since its user's credentials have changed. False where another request was faster. */
  async outdate(bytes) {
    const quiet = this.#session(op.quiet, (w) => w.raw(bytes));
    return await this.#attempt(this.#session(op.apply, (w) => w.raw(quiet).u8(change.outdate))) !== conflict;
  }

  // Commits until no other request is first. Begin returns the session to commit
  // and the one to rebase after a conflict.
  async #tried(bytes, begin) {
    for (let attempt = 0; ; attempt++) {
      const [whole, again] = begin(bytes);
      if (!whole) return null;
      const done = await this.#attempt(whole);
      if (done !== conflict) return done;
      // The pause is before the load: what is loaded before it is old behind it.
      if (this.deadline.left <= 0 || attempt === maxConflicts || attempt >= quickTries && !await this.#pause(attempt - quickTries)) {
        throw new Unavailable(`save session ${this.name}: other requests were always first`);
      }
      bytes = this.rebase(again, await loadRecord(this.store, this.id, this.deadline));
      if (bytes === null) return null;
    }
  }

  #session(verb, write) { return readSession(this.guest.ask(verb, write)); }

  get name() { return this.id ? idText(this.id) : "new"; }

  async #attempt(bytes) {
    for (let again = 0; ; again++) {
      const seed = this.seed(), now = this.clock();
      const e = readEffects(this.guest.ask(op.commit, (w) => w.time(now).raw(seed).raw(bytes)));
      if (e.delete) await this.remove(e.delete);
      if (e.trace) await this.#put(e.trace, 0n, false).catch(() => {}); // that it is not stored is no failure
      if (!e.save) return e;
      this.id = e.save.id;
      if (e.touch) return this.#touch(e);
      const answer = await this.#save(e);
      if (answer === saved) return e;
      if (e.prev !== 0n) return conflict;
      // A new session that met another of its ID, or has ended already, is made anew.
      if (again < maxResends) continue;
      throw new Unavailable(answer === notThere ? `save session ${this.name}: after a lost answer it is not in the store; begin another`
        : "begin session: the store says of every ID drawn for it that it is taken", answer === notThere ? this.lost : undefined);
    }
  }

  // A touch only notes the use: a conflict is success, and a failure is no reason to fail the request.
  async #touch(e) {
    try {
      if (await this.#put(e.save, e.prev, true)) return e;
    } catch (err) {
      this.warnTouch(err);
    }
    return null;
  }

  /** Deletes for good. It is idempotent, so a lost answer is asked again. */
  async remove(id) {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.deadline.within(() => this.store.delete(idText(id)));
        return;
      } catch (cause) {
        if (attempt === maxResends || !await this.#pause(attempt)) throw new Unavailable(`end session ${idText(id)}: the store failed`, cause);
      }
    }
  }

  async #put(record, prev, touch) {
    const answer = await this.deadline.within(() => this.store.save(record, prev, { touch }));
    if (typeof answer !== "boolean") throw new Unavailable("the store's save answered neither true nor false");
    return answer;
  }

  async #save(e) {
    let lost = null, prev = e.prev;
    for (let attempt = 0; ; attempt++) {
      let answer;
      try {
        answer = await this.#put(e.save, prev, false);
      } catch (cause) {
        const refused = cause instanceof SessionError && refusals.includes(cause.code);
        if (refused && !lost) throw this.#refused(cause);
        if (!refused) { // which tells nothing of the answer that was lost
          lost = cause;
          // Asked again as the successor of itself, a lost insert is found if it
          // is stored, and not inserted once more if it has ended since.
          if (prev === 0n) prev = e.save.version;
        }
      }
      if (answer === true) return saved;
      if (answer === false && !lost) return conflict;
      if (answer === false) {
        const settled = await this.#settle(e, lost);
        if (settled !== unknown) return settled;
      }
      if (attempt === maxResends || !await this.#pause(attempt)) throw new Unavailable(`save session ${this.name}: its outcome is unknown`, lost);
    }
  }

  #refused(cause) {
    if (["too_large", "bad_record", "bad_name", "bad_id"].includes(cause.code)) return cause;
    return new Unavailable(`save session ${this.name}: the store refused it`, cause);
  }

  // After a lost answer and then a conflict: was it applied?
  async #settle(e, lost) {
    let theirs;
    try {
      theirs = await loadRecord(this.store, e.save.id, this.deadline);
    } catch (err) {
      if (err instanceof Refused) throw err; // what is stored is damaged
      return unknown;
    }
    this.lost = lost;
    if (!theirs) return e.prev === 0n ? notThere : conflict; // ended meanwhile: for rebase to tell
    if (e.prev !== 0n && theirs.version === e.prev) return unknown; // not applied yet: send it again
    const now = this.clock();
    const r = this.guest.ask(op.applied, (w) => writeRecord(w.time(now).u64(e.save.version).u64(e.prev), theirs));
    const applied = r.flag(), known = r.flag();
    if (applied) return saved;
    if (known) return conflict;
    throw new Unavailable(`save session ${this.name}: its outcome is unknown`, lost);
  }

  /** What a session did, replayed on a record; null if nothing of it is left to store. */
  rebase(bytes, theirs) {
    const now = this.clock();
    const r = this.guest.ask(op.rebase, (w) => {
      w.time(now).raw(bytes).flag(theirs !== null);
      if (theirs) writeRecord(w, theirs);
    });
    return r.flag() ? readSession(r) : null;
  }

  // The second try is at once: the longer a lost answer is left, the more saves
  // of others hide whether it was applied.
  async #pause(attempt) {
    const { left } = this.deadline;
    if (attempt === 0 || left <= 0) return left > 0;
    const d = Math.min(firstPause << Math.min(attempt - 1, 16), longPause);
    await new Promise((done) => setTimeout(done, Math.min(d / 2 + Math.random() * d, left))); // jitter, so that rivals part
    return this.deadline.left > 0;
  }
}
