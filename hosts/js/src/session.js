import { change, op, readSession, viewOf } from "./frames.js";
import { decode } from "./cbor-read.js";
import { encode } from "./cbor.js";
import { Refused, SessionError } from "./errors.js";
import { idText, wellFormed } from "./bytes.js";
import { own } from "./own.js";

/**
 * Returns what a session keeps for the package alone. Its bytes hold the secret
 * of the cookie: they are never to be sent or logged.
 */
export let innerOf;

/**
 * Session is one request's view of a session. Changes are checked at once and
 * stored by Sessions.commit; nothing is stored of a session with nothing in it.
 */
export class Session {
  #inner;
  static { innerOf = (s) => s.#inner; }

  /** @param reason why there is no stored session: the code of the refusal, or null */
  constructor(guest, bytes, reason = null) {
    this.#inner = { guest, bytes, view: null, spent: false, clearing: false, barred: null };
    this.reason = reason;
  }

  get #v() { return this.#inner.view ??= viewOf(this.#inner.bytes); }

  /** 22 characters, or null while nothing is stored. */
  get id() { return this.#v.id.some((b) => b !== 0) ? idText(this.#v.id) : null; }
  get user() { return this.#v.user; }
  get tenant() { return this.#v.tenant; }
  get state() { return this.#v.state; }
  get createdAt() { return this.#v.createdAt; }
  get seenAt() { return this.#v.seenAt; }
  get expiresAt() { return this.#v.expiresAt; }
  get signedIn() { return this.user !== "" && this.state !== "ended"; }
  get names() { return [...this.#v.values.keys()]; }

  has(name) { return this.#v.values.has(name); }

  /** Returns a value, or undefined if there is none of the name. It is a copy: set stores what was made of it. */
  get(name) {
    const v = this.#v.values.get(name);
    return v && decode(this.#inner.bytes, v.from, v.end);
  }

  set(name, value) {
    const n = text("value_name", "the name of a value", name), cbor = encode(value);
    return this.#apply((w) => w.u8(change.set).short(n).long(cbor));
  }

  delete(name) {
    const n = text("value_name", "the name of a value", name);
    return this.#apply((w) => w.u8(change.delete).short(n));
  }

  clear() { return this.#apply((w) => w.u8(change.clear)); }

  /** Signs a user in: always a new secret. `lifetime` in milliseconds is this
   * session's own, such as 30 days to be remembered. */
  login(user, options) {
    const who = text("bad_user", "the user", user), { lifetime = 0 } = own(options);
    if (!Number.isSafeInteger(lifetime)) throw new SessionError("lifetime", "lifetime must be a whole number of milliseconds");
    const signIn = (w) => w.u8(change.login).short(who).time(lifetime);
    return this.#unbar(signIn) ?? this.#apply(signIn);
  }

  /** Makes a new secret at a change of privilege. */
  renew() { return this.#apply((w) => w.u8(change.renew)); }

  /** Moves the deadline to a whole lifetime from now. */
  refresh() { return this.#apply((w) => w.u8(change.refresh)); }

  /** Ends the session for good. */
  logout() { return this.#apply((w) => w.u8(change.end)); }

  // Signs in on the visitor's own session, which was refused because it is bound
  // to an address of the other family; what was set in this one goes along. Null
  // where there is none, or it is another user's, or over by now.
  #unbar(signIn) {
    const { barred, guest, spent, bytes } = this.#inner;
    if (!barred || spent || this.state !== "new") return null;
    let before;
    try {
      const resumed = barred();
      before = readSession(guest.ask(op.apply, (w) => signIn(w.raw(resumed))));
    } catch (err) {
      if (err instanceof Refused) return null;
      throw err;
    }
    const { values } = this.#v;
    this.#inner.bytes = readSession(guest.ask(op.apply, (w) => {
      w.raw(before);
      for (const [name, v] of values) w.u8(change.set).short(name).long(bytes.subarray(v.from, v.end));
    }));
    this.#inner.view = null;
    return this;
  }

  #apply(write) {
    const inner = this.#inner;
    if (inner.spent) throw new SessionError("committed", "the session was committed: what changes now would be lost");
    inner.bytes = readSession(inner.guest.ask(op.apply, (w) => write(w.raw(inner.bytes))));
    inner.view = null;
    return this;
  }

  /** A session shows no secret when it is printed or sent by mistake. */
  toJSON() { return { id: this.id, user: this.user, tenant: this.tenant, state: this.state }; }
  [Symbol.for("nodejs.util.inspect.custom")]() { return this.toJSON(); }
  [Symbol.for("Deno.customInspect")]() { return JSON.stringify(this); }
}

// Half a character would be written as another text, and so as another user.
function text(code, what, value) {
  if (typeof value !== "string" || value.length > 4096 || !wellFormed(value)) throw new SessionError(code, `${what} must be a short string of whole characters`);
  return value;
}
