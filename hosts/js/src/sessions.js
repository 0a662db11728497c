import { Commit } from "./save.js";
import { Deadline, loadRecord } from "./asking.js";
import { Guest } from "./guest.js";
import { Session, innerOf } from "./session.js";
import { changed, configureFrame, did, dueOf, maxTenant, op, readSession, readTickets, writeRecord, writeRequest } from "./frames.js";
import { idBytes, idText, wellFormed } from "./bytes.js";
import { Refused, SessionError, Unavailable } from "./errors.js";
import { addressBytes } from "./address.js";
import { checkOptions } from "./options.js";
import { failure } from "./failure.js";
import { Outage } from "./outage.js";
import { varying, withCookies } from "./response.js";

const maxCandidates = 2; // sessions of one request that the store is asked for
const breaches = ["theft", "ip_changed", "user_agent_changed"];

// No page is shown, or none yet, or no cookie may arrive.
function isNoPlaceToRenew({ method, headers }) {
  return method === "HEAD" || headers.has("upgrade") || (headers.get("sec-purpose") ?? "").startsWith("prefetch") || headers.get("purpose") === "prefetch";
}

/**
 * Makes the sessions of one application. It refuses a bad policy, key or option
 * with its name, its value and what is allowed. See index.d.ts for the options.
 */
export function sessions(options) {
  return new Sessions(options);
}

class Sessions {
  #guest;
  #o;
  #outage = new Outage((count, error) => this.#event("failed", { count, error }));

  constructor(options) {
    const o = checkOptions(options);
    this.#guest = new Guest(o.module, configureFrame(o.policy, o.keys));
    const { warnings, cookieName } = this.#guest.start();
    for (const w of warnings) console.warn("sessions: " + w);
    this.cookieName = cookieName;
    this.#o = o;
  }

  /** How many instances of the module were dropped after a trap. */
  get dropped() { return this.#guest.dropped; }

  /**
   * Returns the session of a request. A visitor without a live one gets a new
   * one, whose `reason` tells why; of it nothing is stored until something is
   * in it. It throws Unavailable if the store cannot be asked.
   */
  async load(request) {
    try {
      return await this.#load(request);
    } catch (err) {
      throw this.#outage.met(err);
    }
  }

  async #load(request) {
    const q = this.#request(request);
    // As it came: a comma is part of a cookie's value, and whoever may set any
    // cookie would write ours behind one.
    const cookies = request.headers.get("cookie") ?? "", now = this.#o.clock();
    let tickets;
    try {
      tickets = readTickets(this.#guest.ask(op.identify, (w) => {
        w.time(now).clipped(q.tenant, maxTenant).u32(1).long(cookies);
      }));
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      if (err.reason !== "none") this.#event("refused", { reason: err.reason, tenant: q.tenant });
      return this.#fresh(q, err.reason);
    }
    let reason = null, ended = false;
    const seen = { barred: null };
    for (const ticket of tickets.slice(0, maxCandidates)) {
      try {
        return await this.#resume(ticket, q, seen);
      } catch (err) {
        if (!(err instanceof Refused)) throw err;
        reason ??= err.reason;
        ended ||= breaches.includes(err.reason);
      }
    }
    const s = this.#fresh({ ...q, signIn: seen.barred !== null }, reason);
    innerOf(s).barred = seen.barred;
    innerOf(s).clearing = ended; // this request ended what the cookie is of
    return s;
  }

  #request(request) {
    const { headers } = request;
    const tenant = this.#o.tenant(request);
    if (typeof tenant !== "string" || !wellFormed(tenant)) throw new SessionError("config", "tenant() must return a string of whole characters");
    return {
      tenant, ip: addressBytes(this.#o.ip(request)), userAgent: headers.get("user-agent") ?? "",
      noCookie: this.#o.policy.renewAfter > 0 && isNoPlaceToRenew(request),
    };
  }

  #fresh(q, reason) {
    return new Session(this.#guest, readSession(this.#guest.ask(op.create, (w) => writeRequest(w, q))), reason);
  }

  async #resume(ticket, q, seen) {
    let record = null;
    const resumed = (how) => readSession(this.#guest.ask(op.resume, (w) => writeRecord(writeRequest(w.time(this.#o.clock()).raw(ticket.bytes), how), record)));
    try {
      record = await loadRecord(this.#o.store, ticket.id, new Deadline(this.#o.commitTimeout));
      if (!record) throw new Refused("unknown_session", "session not found");
      return new Session(this.#guest, resumed(q));
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      const about = { reason: err.reason, id: idText(ticket.id), tenant: q.tenant, user: record?.user ?? "" };
      this.#event("refused", about);
      if (err.reason === "ip_family") seen.barred ??= () => resumed({ ...q, signIn: true });
      if (breaches.includes(err.reason)) {
        await this.#commit().remove(ticket.id);
        this.#event("ended", about);
      }
      throw err;
    }
  }

  #commit() {
    const { store, clock, seed, commitTimeout: timeout } = this.#o;
    return new Commit(this.#guest, store, { clock, seed, timeout, warnTouch: (err) => this.#warnTouch(err) });
  }

  #warnTouch(err) {
    this.#outage.met(new Unavailable("the request goes on, but the use is not noted, so that the session may idle out: " + err.message, err.cause ?? err));
  }

  /**
   * Stores what the request did and returns the response with its cookie. Call
   * it before the response is sent. If it throws, nothing of the response must
   * be sent: `failure(err)` makes the one that may.
   */
  async commit(session, response) {
    if (!(response?.headers instanceof Headers)) throw new SessionError("response", "commit wants the Response that is to be sent");
    if (response.bodyUsed) throw new SessionError("response", "the body of the response was read already");
    if (this.#isDue(session) && response.body?.locked) throw new SessionError("response", "the body of the response is being read already, so that no cookie can be set on it");
    const fields = await this.store(session);
    return fields.length > 0 ? withCookies(response, fields) : varying(response);
  }

  /** Stores what the request did and returns the Set-Cookie fields, for hosts without Response. */
  async store(session) {
    const inner = innerOf(session);
    if (inner.spent) throw new SessionError("committed", "the session was committed already");
    inner.spent = true;
    const clearing = inner.clearing ? this.#guest.ask(op.clearCookie, (w) => w.flag(false)).list() : [];
    if (!this.#isDue(session)) return clearing;
    let e;
    try {
      e = await this.#commit().run(inner.bytes);
    } catch (err) {
      // A renewal that is only due by the clock waits for the next request: this one only read.
      if (session.state !== "active" || changed(inner.bytes)) throw this.#outage.met(err);
      this.#warnTouch(err);
      return clearing;
    }
    if (!e) return clearing;
    inner.bytes = e.next;
    inner.view = null;
    this.#tell(e, session);
    return e.cookies.length > 0 ? e.cookies : clearing;
  }

  #isDue(session) { return this.#o.clock() >= dueOf(innerOf(session).bytes); }

  #tell(e, next) {
    const about = { id: next.id, tenant: next.tenant, user: next.user };
    if (e.warn) console.warn(`sessions: session ${next.id} has grown to ${e.size} bytes; keep large things elsewhere and their IDs here`);
    // What was deleted is this session, or the one of another user that a login replaces.
    if (e.delete) this.#event("ended", e.did & did.end ? { ...about, id: idText(e.delete), reason: "ended" } : { id: idText(e.delete), tenant: next.tenant, user: "", reason: "superseded" });
    for (const [deed, kind] of [[did.create, "created"], [did.login, "login"], [did.renew, "renewed"], [did.refresh, "refreshed"]]) {
      if (e.did & deed) this.#event(kind, about);
    }
  }

  #event(kind, about) {
    const failed = (err) => console.warn("sessions: onEvent failed:", err?.message);
    try {
      this.#o.onEvent({ kind, at: this.#o.clock(), ...about })?.then?.(null, failed);
    } catch (err) {
      failed(err);
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
      const response = await handler(request, session, ...rest); // one that throws stores nothing
      try {
        return await this.commit(session, response);
      } catch (err) {
        await response?.body?.cancel?.().catch(() => {}); // it is never sent
        return failure(err);
      }
    };
  }

  /** Ends a session by its ID, for operators. */
  async end(id) {
    let bytes;
    try {
      bytes = idBytes(id);
    } catch (cause) {
      throw new SessionError("bad_id", "a session ID is 22 characters of base64url", { cause });
    }
    try {
      await this.#commit().remove(bytes);
    } catch (err) {
      throw this.#outage.met(err);
    }
  }
}
