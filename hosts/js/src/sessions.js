import { Commit, checked, within } from "./save.js";
import { Guest } from "./guest.js";
import { Session } from "./session.js";
import { configureFrame, did, op, readSession, readTickets, writeRecord, writeRequest } from "./frames.js";
import { idText } from "./bytes.js";
import { Refused, SessionError, Unavailable } from "./errors.js";
import { addressBytes } from "./address.js";

const maxCandidates = 2; // sessions of one request that the store is asked for
const breaches = ["theft", "ip_changed", "user_agent_changed"];

/**
 * Makes the sessions of one application. It refuses a bad policy or key with
 * field, value and what is allowed. See index.d.ts for the options.
 */
export function sessions(options) {
  return new Sessions(options);
}

class Sessions {
  #guest;
  #o;

  constructor({ module, keys, policy = {}, store, clock = Date.now, random, tenant, ip, commitTimeout = 5000, onEvent }) {
    if (!(module instanceof WebAssembly.Module)) throw new SessionError("config", "module must be a WebAssembly.Module of core.wasm; an entry of this package loads it");
    for (const verb of ["load", "save", "delete"]) {
      if (typeof store?.[verb] !== "function") throw new SessionError("config", `store has no ${verb}(); a store has load, save and delete`);
    }
    if (!(commitTimeout > 0)) throw new SessionError("config", `commitTimeout is ${commitTimeout}; allowed: milliseconds above 0`);
    const list = Array.isArray(keys) ? keys : [keys];
    if (!keys || list.length === 0) throw new SessionError("no_key", "keys is empty; make a key with: openssl rand -hex 32");
    this.#guest = new Guest(module, configureFrame(policy, list));
    const { warnings, cookieName } = this.#guest.start();
    for (const w of warnings) console.warn("sessions: " + w);
    this.cookieName = cookieName;
    this.#o = {
      store, clock, tenant: tenant ?? (() => ""), ip: ip ?? (() => ""), commitTimeout,
      random: random ?? ((b) => crypto.getRandomValues(b)), onEvent: onEvent ?? (() => {}),
    };
  }

  /** How many instances of the module were dropped after a trap. */
  get dropped() { return this.#guest.dropped; }

  /**
   * Returns the session of a request. A visitor without a live one gets a new
   * one, whose `reason` tells why; of it nothing is stored until something is
   * in it. It throws Unavailable if the store cannot be asked.
   */
  async load(request) {
    const q = this.#request(request);
    const field = request.headers.get("cookie");
    let tickets;
    try {
      tickets = readTickets(this.#guest.ask(op.identify, (w) => {
        w.time(this.#o.clock()).short(q.tenant).u32(field ? 1 : 0);
        if (field) w.long(field);
      }));
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      this.#event("refused", { reason: err.reason, tenant: q.tenant });
      return this.#fresh(q, err.reason);
    }
    let reason = null, ended = false;
    for (const ticket of tickets.slice(0, maxCandidates)) {
      try {
        return await this.#resume(ticket, q);
      } catch (err) {
        if (!(err instanceof Refused)) throw err;
        reason ??= err.reason;
        ended ||= breaches.includes(err.reason);
      }
    }
    const s = this.#fresh(q, reason);
    s.clearing = ended; // this request ended what the cookie is of
    return s;
  }

  #request(request) {
    return {
      tenant: this.#o.tenant(request), ip: addressBytes(this.#o.ip(request)),
      userAgent: (request.headers.get("user-agent") ?? "").slice(0, 512),
      noCookie: request.method === "HEAD" || request.headers.has("upgrade") || /prefetch/.test(request.headers.get("sec-purpose") ?? ""),
    };
  }

  #fresh(q, reason) {
    return new Session(this.#guest, readSession(this.#guest.ask(op.create, (w) => writeRequest(w, q))), reason);
  }

  async #resume(ticket, q) {
    const id = idText(ticket.id);
    let record;
    try {
      record = checked(await within(this.#o.commitTimeout, () => this.#o.store.load(id)), ticket.id);
      if (!record) throw new Refused("unknown_session", "session not found");
      const r = this.#guest.ask(op.resume, (w) => writeRecord(writeRequest(w.time(this.#o.clock()).raw(ticket.bytes), q), record), record.sealed.length + 512);
      return new Session(this.#guest, readSession(r));
    } catch (err) {
      if (err instanceof Refused) {
        if (breaches.includes(err.reason)) await this.#end(id);
        this.#event("refused", { reason: err.reason, id, tenant: q.tenant, user: record?.user });
      }
      throw err instanceof SessionError ? err : new Unavailable(`load session ${id}: the store failed`, err);
    }
  }

  async #end(id) {
    try {
      await within(this.#o.commitTimeout, () => this.#o.store.delete(id));
    } catch (cause) {
      throw new Unavailable(`end session ${id}: the store failed`, cause);
    }
  }

  /**
   * Stores what the request did and returns the response with its cookie. Call
   * it before the response is sent. If it throws, nothing of the response must
   * be sent: `failure(err)` makes the one that may.
   */
  async commit(session, response) {
    const fields = await this.store(session);
    const vary = response.headers.get("vary");
    const varies = vary !== null && vary.split(",").some((f) => ["cookie", "*"].includes(f.trim().toLowerCase()));
    if (response.status === 101 && fields.length === 0) return response;
    const out = new Response(response.body, response);
    if (!varies) out.headers.append("vary", "Cookie");
    for (const f of fields) out.headers.append("set-cookie", f);
    if (fields.length > 0) out.headers.set("cache-control", "no-store");
    return out;
  }

  /** Stores what the request did and returns the Set-Cookie fields, for hosts without Response. */
  async store(session) {
    if (session.spent) throw new SessionError("committed", "the session was committed already");
    session.spent = true;
    const clearing = session.clearing ? this.#guest.ask(op.clearCookie, () => {}).list() : [];
    if (!this.#guest.ask(op.pending, (w) => w.time(this.#o.clock()).raw(session.bytes), session.bytes.length + 64).flag()) return clearing;
    const { store, clock, random, commitTimeout: timeout } = this.#o;
    const e = await new Commit(this.#guest, store, { clock, random, timeout }).run(session.bytes);
    if (!e) return clearing;
    const next = new Session(this.#guest, e.next);
    for (const [deed, kind] of [[did.create, "created"], [did.login, "login"], [did.renew, "renewed"], [did.refresh, "refreshed"], [did.end, "ended"]]) {
      if (e.did & deed) this.#event(kind, { id: next.id, tenant: next.tenant, user: next.user });
    }
    if (e.warn) console.warn(`sessions: session ${next.id} has grown to ${e.size} bytes; keep large things elsewhere and their IDs here`);
    return e.cookies.length > 0 ? e.cookies : clearing;
  }

  #event(kind, about) {
    try {
      this.#o.onEvent({ kind, at: this.#o.clock(), ...about });
    } catch (err) {
      console.warn("sessions: onEvent failed", err);
    }
  }

  /**
   * Wraps a handler: `handler(request, session, ...rest)` returns a Response.
   * What cannot be loaded or stored becomes an error response in its place.
   */
  withSession(handler) {
    return async (request, ...rest) => {
      let session;
      try {
        session = await this.load(request);
      } catch (err) {
        return failure(err);
      }
      const response = await handler(request, session, ...rest);
      try {
        return await this.commit(session, response);
      } catch (err) {
        return failure(err);
      }
    };
  }

  /** Ends a session by its ID, for operators. */
  async end(id) { await this.#end(id); }
}

/** The response for an error of load or commit; it throws what is no SessionError. */
export function failure(err) {
  if (!(err instanceof SessionError)) throw err;
  const known = {
    ended: [401, "The session has ended in the meantime. Nothing of this request was stored."],
    superseded: [401, "The session was signed in anew in the meantime. Nothing of this request was stored."],
    conflict: [409, "The session was changed by another request. Nothing of this request was stored."],
    too_large: [413, "The session is too large. Nothing of this request was stored."],
    bad_name: [400, "No session can be kept under this host name."],
  };
  const [status, text] = known[err.code] ?? [503, "The session store does not answer. What this request changed may not be stored; try again."];
  if (status === 503) console.error("sessions: a session could not be loaded or stored:", err.message, err.cause?.message ?? "");
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  if (status === 503) headers["retry-after"] = "1";
  return new Response(text + "\n", { status, headers });
}
