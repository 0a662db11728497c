import { change, op, readSession, viewOf } from "./frames.js";
import { decode, encode } from "./cbor.js";
import { SessionError } from "./errors.js";

/**
 * Session is one request's view of a session. Changes are checked at once and
 * stored by Sessions.commit; nothing is stored of a session with nothing in it.
 */
export class Session {
  #guest;
  #view = null;

  /** @param reason why there is no stored session: the code of the refusal, or null */
  constructor(guest, bytes, reason = null) {
    this.#guest = guest;
    this.bytes = bytes; // secret: never to be sent or logged
    this.reason = reason;
    this.spent = false;
  }

  get #v() { return this.#view ??= viewOf(this.bytes); }

  get id() { return this.#v.id; }
  get user() { return this.#v.user; }
  get tenant() { return this.#v.tenant; }
  get state() { return this.#v.state; }
  get createdAt() { return this.#v.createdAt; }
  get seenAt() { return this.#v.seenAt; }
  get expiresAt() { return this.#v.expiresAt; }
  get signedIn() { return this.user !== "" && this.state !== "ended"; }
  get names() { return [...this.#v.values.keys()]; }

  has(name) { return this.#v.values.has(name); }

  /** Returns a value, or undefined if there is none of the name. */
  get(name) {
    const v = this.#v.values.get(name);
    return v === undefined ? undefined : decode(v);
  }

  set(name, value) {
    const cbor = encode(value);
    this.#apply((w) => w.u8(change.set).short(name).long(cbor), cbor.length);
    return this;
  }

  delete(name) { this.#apply((w) => w.u8(change.delete).short(name)); return this; }
  clear() { this.#apply((w) => w.u8(change.clear)); return this; }

  /** Signs a user in: always a new secret. `lifetime` in milliseconds is this
   * session's own, such as 30 days to be remembered. */
  login(user, { lifetime = 0 } = {}) {
    this.#apply((w) => w.u8(change.login).short(user).time(lifetime));
    return this;
  }

  /** Makes a new secret at a change of privilege. */
  renew() { this.#apply((w) => w.u8(change.renew)); return this; }

  /** Moves the deadline to a whole lifetime from now. */
  refresh() { this.#apply((w) => w.u8(change.refresh)); return this; }

  /** Ends the session for good. */
  logout() { this.#apply((w) => w.u8(change.end)); return this; }

  #apply(write, room = 0) {
    if (this.spent) throw new SessionError("committed", "the session was committed: what changes now would be lost");
    const r = this.#guest.ask(op.apply, (w) => write(w.raw(this.bytes)), this.bytes.length + room + 64);
    this.bytes = readSession(r);
    this.#view = null;
  }

  /** A session shows no secret when it is printed or sent by mistake. */
  toJSON() { return { id: this.id, user: this.user, tenant: this.tenant, state: this.state }; }
}
