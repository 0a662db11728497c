import { againOf, change, op, readSession, viewOf } from "./frames.js";
import { decode } from "./cbor-read.js";
import { encode } from "./cbor.js";
import { SessionError } from "./errors.js";

/**
 * The functions of a request's updates. A commit that meets a conflict runs those
 * of the names that have changed again, in the order of their calls.
 */
export class Updates {
  #guest;
  #byName = new Map(); // to steps, each of which makes the bytes of a session anew
  running = false; // a function, which must only compute

  constructor(guest) { this.#guest = guest; }

  /** The CBOR of what fn makes of a value in the bytes of a session, and the value itself. */
  compute(bytes, name, fn) {
    const v = viewOf(bytes).values.get(name);
    let value;
    this.running = true;
    try {
      value = fn(v && decode(bytes, v.from, v.end));
    } finally {
      this.running = false;
    }
    if (typeof value?.then === "function") {
      value.then(null, () => {}); // nobody waits for it
      throw new SessionError("bad_value", `the function given to update of ${JSON.stringify(name)} has returned a promise: it must return the new value itself, since it may run again while the session is stored`);
    }
    return { value, cbor: encode(value, name) };
  }

  /** Has fn run again where the value of the name changes before the commit. */
  keep(name, fn) {
    if (!this.#byName.has(name)) this.#byName.set(name, []);
    this.#byName.get(name).push((bytes) => {
      const { cbor } = this.compute(bytes, name, fn);
      return this.#applied(bytes, (w) => w.u8(change.update).short(name).long(cbor));
    });
  }

  /** Has n added again behind an update of the name. Without one the core does that. */
  keepAdd(name, n) {
    this.#byName.get(name)?.push((bytes) => this.#applied(bytes, (w) => w.u8(change.add).short(name).u64(n)));
  }

  /** Drops the functions of a name that was set or deleted since, or of all names. */
  forget(name) { this.#byName.delete(name); }
  clear() { this.#byName.clear(); }

  /** The bytes of a session with what must be computed again computed. */
  redo(bytes) {
    for (const name of againOf(viewOf(bytes))) {
      for (const step of this.#byName.get(name) ?? []) bytes = step(bytes);
    }
    return bytes;
  }

  #applied(bytes, write) { return readSession(this.#guest.ask(op.apply, (w) => write(w.raw(bytes)))); }
}
