// Whether the user of a session is still who signed in: see hosts/credentials.go of the Go module.

import { change, op, readSession, viewOf } from "./frames.js";
import { wellFormed } from "./bytes.js";
import { Unavailable } from "./errors.js";

const maxKnown = 10_000; // users whose stamps are kept
const maxStamp = 4096; // bytes
const encoder = new TextEncoder();

export class Credentials {
  #guest; #ask; #ttl; #clock;
  #known = new Map(); // to stamps and when they were asked for

  constructor(guest, { credentials, credentialsCache, clock }) {
    this.#guest = guest;
    this.#ask = credentials;
    this.#ttl = credentialsCache;
    this.#clock = clock;
  }

  get on() { return this.#ask !== null; }

  /**
   * Returns the bytes of a session whose user's credentials are those that it was signed in
   * with, or null. Only a new answer says no. A session without a stamp adopts it.
   */
  async vouched(bytes, anew, deadline) {
    const { tenant, user } = viewOf(bytes), key = JSON.stringify([tenant, user]);
    const kept = this.#known.get(key), now = this.#clock(), began = performance.now();
    if (kept && !anew && this.#isYoung(kept, now, began) && this.#check(bytes, kept.stamp).is) return bytes;
    const stamp = await this.#answer(tenant, user, deadline);
    this.#keep(key, { stamp, at: now, began });
    const { has, is } = this.#check(bytes, stamp);
    if (is) return bytes;
    if (has || stamp === "") return null;
    return readSession(this.#guest.ask(op.apply, (w) => w.raw(bytes).u8(change.adopt).long(stamp)));
  }

  // By the clock, which may be set back, and by the runtime's own count, which may stand still.
  #isYoung({ at, began }, now, count) { return now >= at && now - at < this.#ttl && count - began < this.#ttl; }

  #check(bytes, stamp) {
    const r = this.#guest.ask(op.checkStamp, (w) => w.raw(bytes).long(stamp));
    return { has: r.flag(), is: r.flag() };
  }

  // Whatever the function throws, it is not known, and that ends no session.
  async #answer(tenant, user, deadline) {
    let stamp;
    try {
      stamp = await deadline.within(() => this.#ask(tenant, user));
    } catch (cause) {
      throw new Unavailable(`the credentials of a user cannot be checked: ${cause.message}`, cause, "credentials");
    }
    if (typeof stamp !== "string" || encoder.encode(stamp).length > maxStamp || !wellFormed(stamp)) {
      throw new Unavailable(`the credentials of a user cannot be checked: credentials() must return a string of at most ${maxStamp} bytes`, undefined, "credentials");
    }
    return stamp;
  }

  #keep(key, answer) {
    if (this.#ttl === 0) return;
    const kept = this.#known.get(key);
    if (kept && kept.at > answer.at && kept.at <= this.#clock()) return; // it was asked for later
    if (!kept && this.#known.size >= maxKnown) this.#known.delete(this.#known.keys().next().value);
    this.#known.set(key, answer);
  }
}
