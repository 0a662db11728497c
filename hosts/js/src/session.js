import { change, op, readSession, viewOf } from "./frames.js";
import { decode } from "./cbor-read.js";
import { encode } from "./cbor.js";
import { Refused, SessionError } from "./errors.js";
import { Updates } from "./updates.js";
import { idText, wellFormed } from "./bytes.js";
import { only, shown } from "./only.js";

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

  /**
   * @param reason why there is no stored session: the code of the refusal, or null
   * @param from the request, the tickets of its cookies, and how a stored value is taken
   */
  constructor(guest, bytes, reason = null, from = {}) {
    const { request = null, tickets = [], taking = null, stamps = false, clock = Date.now } = from;
    this.#inner = { guest, bytes, request, tickets, taking, stamps, clock, view: null, spent: false, clearing: false, barred: null, reads: null, updates: null, quiet: false };
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
  /** When the user last proved who they are, by login or confirm; 0 if nobody is signed in. */
  get provenAt() { return this.#v.provenAt; }
  /** How the user last proved who they are, in the order of the names. */
  get methods() { return [...this.#v.methods]; }
  get signedIn() { return this.user !== "" && this.state !== "ended"; }
  get names() { return [...this.#v.values.keys()]; }

  has(name) { return this.#v.values.has(name); }

  /**
   * Returns a value, or undefined if there is none of the name. It is a copy: set
   * stores what was made of it. It notes that the value was read, or that it was
   * missing: if the name is then set or deleted, the commit is refused with a
   * Conflict where another request has changed the value since.
   */
  get(name) {
    (this.#inner.reads ??= new Set()).add(name);
    return this.#value(name);
  }

  #value(name) {
    const v = this.#v.values.get(name);
    return v && decode(this.#inner.bytes, v.from, v.end);
  }

  set(name, value) {
    const n = valueName(name), cbor = encode(value, n);
    this.#apply((w) => w.u8(change.set).short(n).long(cbor));
    this.#inner.updates?.forget(n);
    return this;
  }

  delete(name) {
    const n = valueName(name);
    this.#apply((w) => w.u8(change.delete).short(n));
    this.#inner.updates?.forget(n);
    return this;
  }

  clear() {
    this.#apply((w) => w.u8(change.clear));
    this.#inner.updates?.clear();
    return this;
  }

  /**
   * Adds a whole number to a counter, where a missing one is 0, and returns the
   * sum: a number, or a BigInt beyond 2^53. However many requests add at once, all
   * count; what is stored may be more.
   */
  add(name, n = 1) {
    const key = valueName(name), by = int64(n);
    this.#apply((w) => w.u8(change.add).short(key).u64(by));
    this.#inner.updates?.keepAdd(key, by);
    return sumOf(this.#value(key));
  }

  /**
   * Keeps what fn(old) returns, where old is undefined if there is no value, and
   * returns that. Where another request has changed the value by the time that it
   * is stored, fn runs again on what is stored then: no update is lost. So fn must
   * only compute. Its error stores nothing.
   */
  update(name, fn) {
    const key = valueName(name), inner = this.#inner;
    if (typeof fn !== "function") throw new SessionError("bad_value", "update takes a function of the value before");
    this.#open();
    const updates = inner.updates ??= new Updates(inner.guest);
    const { value, cbor } = updates.compute(inner.bytes, key, fn);
    this.#apply((w) => w.u8(change.update).short(key).long(cbor));
    updates.keep(key, fn);
    return value;
  }

  /**
   * Removes a value and returns it, or undefined. Of any number of requests at
   * most one gets it. The removal is stored at once and alone; what else this
   * request has changed waits for its commit. A value that this request has set
   * and not stored is taken from it.
   */
  async take(name) {
    const key = valueName(name), inner = this.#inner;
    this.#open();
    if (this.state === "new" || this.#v.marks.get(key)?.wrote) {
      const value = this.#value(key);
      if (value !== undefined) this.delete(key);
      return value;
    }
    if (inner.reads) this.#apply((w) => w); // what was read so far is of this version
    return inner.taking(inner, key);
  }

  /** Signs a user in: always a new secret. `lifetime` in milliseconds is this
   * session's own, such as 30 days to be remembered. `stamp` is that of the credentials
   * that were verified, `methods` how. */
  login(user, options) {
    const who = text("bad_user", "the user", user), { lifetime = 0, stamp = "", methods = [] } = only(options, loginOptions, "login");
    if (!Number.isSafeInteger(lifetime)) throw new SessionError("lifetime", `lifetime is ${shown(lifetime)}; allowed: a whole number of milliseconds`);
    const by = names(methods), of = text("stamp", "the stamp", stamp);
    if (of === "" && this.#inner.stamps) throw new SessionError("no_stamp", "a login needs a stamp, since there is the option credentials: login(user, { stamp }), made of the row that the password was checked against");
    const plain = of === "" && by.length === 0;
    const signIn = (w) => plain ? w.u8(change.login).short(who).time(lifetime) : writeNames(w.u8(change.loginWith).short(who).time(lifetime).long(of), by);
    return this.#unbar(signIn) ?? this.#apply(signIn);
  }

  /** Makes a new secret at a change of privilege. With `stamp`, that of the credentials
   * which the program has just changed, the visitor stays signed in under these. */
  renew(options) {
    const { stamp } = only(options, renewOptions, "renew");
    if (stamp === undefined) return this.#apply((w) => w.u8(change.renew));
    const of = text("stamp", "the stamp", stamp);
    return this.#apply((w) => w.u8(change.renewWith).long(of));
  }

  /** Notes that the user has just proved once more who they are, and how, with a new secret. */
  confirm(...methods) {
    const by = names(methods);
    return this.#apply((w) => writeNames(w.u8(change.confirm), by));
  }

  /** Reports whether the user has proved who they are in the last `ms`. A proof ahead of
   * the clock, which may have been set back, counts for a minute. */
  provenWithin(ms) {
    const ago = this.#inner.clock() - this.provenAt;
    return this.provenAt !== 0 && ago < ms && ago >= -maxSkew;
  }

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
    this.#inner.reads = null; // of a session that this one is not
    return this;
  }

  // Throws where nothing can be changed.
  #open() {
    const { updates, spent } = this.#inner;
    if (updates?.running) throw new SessionError("updating", "a function given to update must only compute: it must not change the session");
    if (spent) throw new SessionError("committed", "the session was committed: what changes now would be lost");
  }

  #apply(write) {
    this.#open();
    const inner = this.#inner;
    inner.bytes = readSession(inner.guest.ask(op.apply, (w) => {
      w.raw(inner.bytes);
      for (const name of inner.reads ?? []) if (isName(name)) w.u8(change.read).short(name);
      write(w);
    }));
    inner.reads = null;
    inner.view = null;
    return this;
  }

  /** A session shows no secret when it is printed or sent by mistake. */
  toJSON() { return { id: this.id, user: this.user, tenant: this.tenant, state: this.state }; }
  [Symbol.for("nodejs.util.inspect.custom")]() { return this.toJSON(); }
  [Symbol.for("Deno.customInspect")]() { return JSON.stringify(this); }
}

// Their values are checked where they are used.
const loginOptions = { lifetime: null, stamp: null, methods: null }, renewOptions = { stamp: null };
const maxName = 128; // bytes of the name of a value
const maxSkew = 60_000; // milliseconds: core.MaxSkew of the Go module

function names(methods) {
  if (!Array.isArray(methods)) throw new SessionError("method", "methods must be an array of names, such as [\"pwd\"]");
  return methods.map((name) => text("method", "a method", name));
}

function writeNames(w, list) {
  w.u32(list.length);
  for (const name of list) w.long(name);
  return w;
}

// No session has a value of another name.
const isName = (name) => typeof name === "string" && name !== "" && name.length <= maxName && wellFormed(name);

const valueName = (name) => text("value_name", "the name of a value", name);

/** A counter as a number, where one holds it. */
export const sumOf = (v) => Number.isSafeInteger(Number(v)) ? Number(v) : v;

function int64(n) {
  const whole = Number.isSafeInteger(n) ? BigInt(n) : n;
  if (typeof whole !== "bigint" || BigInt.asIntN(64, whole) !== whole) throw new SessionError("counter", "add takes a whole number up to 2^53, or a BigInt of 64 bits");
  return whole;
}

// Half a character would be written as another text, and so as another user.
function text(code, what, value) {
  if (typeof value !== "string" || value.length > 4096 || !wellFormed(value)) throw new SessionError(code, `${what} must be a short string of whole characters`);
  return value;
}
