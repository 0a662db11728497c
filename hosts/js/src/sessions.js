import { Commit } from "./save.js";
import { Deadline, idOf, loadRecord } from "./asking.js";
import { Guest } from "./guest.js";
import { Session, innerOf, sumOf } from "./session.js";
import { changed, configureFrame, dueOf, maxTenant, op, plainRequest, readSession, readTickets, ticketOf, viewOf, writeRecord, writeRequest } from "./frames.js";
import { changedCookie, waitForCaches } from "./caching.js";
import { decode } from "./cbor-read.js";
import { idText } from "./bytes.js";
import { Conflict, Refused, SessionError, Unavailable } from "./errors.js";
import { crossSiteOf, requestOf } from "./request.js";
import { checkOptions } from "./options.js";
import { Credentials } from "./credentials.js";
import { aboutOf, sendEvent, tellDeeds } from "./events.js";
import { failure } from "./failure.js";
import { Outage } from "./outage.js";
import { areOrigins, isForeign, plain, saysQuiet, statusOf } from "./quiet.js";
import { isFlag, only, shown } from "./only.js";
import { prepared, varying, withCookies } from "./response.js";

const maxCandidates = 2; // sessions of one request that the store is asked for
const maxAgain = 4; // times that a session is judged anew, because others have changed it meanwhile
const credentialsChanged = "session ended: its user's credentials have changed since the login";
const breaches = ["theft", "ip_changed", "user_agent_changed"];

/**
 * Makes the sessions of one application. It refuses a bad policy, key or option
 * with its name, its value and what is allowed. See index.d.ts for the options.
 */
export const sessions = sessionsWith(undefined);

/** Returns sessions() for a runtime whose entry has loaded the module. One in the options goes first. */
export function sessionsWith(module) {
  return (options) => new Sessions(options, module);
}

class Sessions {
  #guest;
  #o;
  #credentials;
  #outage = new Outage((count, error) => this.#event("failed", { count, error }));

  constructor(options, module) {
    const o = checkOptions(options, module);
    this.#guest = new Guest(o.module, configureFrame(o.policy, o.keys));
    const { warnings, cookieName } = this.#guest.start();
    for (const w of warnings) console.warn("sessions: " + w);
    this.cookieName = cookieName;
    this.#o = o;
    this.#credentials = new Credentials(this.#guest, o);
  }

  /** How many instances of the module were dropped after a trap. */
  get dropped() { return this.#guest.dropped; }

  /**
   * Returns the session of a request. A visitor without a live one gets a new
   * one, whose `reason` tells why; of it nothing is stored until something is
   * in it. It throws Unavailable if the store cannot be asked. A request that is
   * quiet, or says so itself, notes no use of its session.
   */
  load(request, options) {
    const quiet = quietOf(options);
    return this.#reported(async () => {
      const session = await this.#load(request);
      innerOf(session).quiet = quiet || saysQuiet(request);
      return session;
    });
  }

  async #reported(work) {
    try {
      return await work();
    } catch (err) {
      throw this.#outage.met(err);
    }
  }

  async #load(request) {
    const q = requestOf(this.#o, request);
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
      return this.#fresh(err.reason === "none" ? { ...q, crossSite: crossSiteOf(request) } : q, err.reason);
    }
    let first = null, ended = false;
    const seen = { barred: null };
    for (const ticket of tickets.slice(0, maxCandidates)) {
      try {
        return await this.#resume(ticket, q, tickets, seen);
      } catch (err) {
        if (!(err instanceof Refused)) throw err;
        first ??= err;
        ended ||= breaches.includes(err.reason);
      }
    }
    const superseded = first.recent; // the browser may have a later cookie by now
    const s = this.#fresh({ ...q, superseded, signIn: seen.barred !== null }, first.reason, tickets);
    innerOf(s).barred = seen.barred;
    innerOf(s).clearing = ended; // this request ended what the cookie is of
    return s;
  }

  #fresh(q, reason, tickets = []) {
    return this.#session(readSession(this.#guest.ask(op.create, (w) => writeRequest(w, q))), reason, q, tickets);
  }

  #session(bytes, reason, request, tickets = []) {
    return new Session(this.#guest, bytes, reason, { request, tickets, taking: this.#taking, stamps: this.#credentials.on, clock: this.#o.clock });
  }

  #resumed(ticket, q, record) {
    return readSession(this.#guest.ask(op.resume, (w) => writeRecord(writeRequest(w.time(this.#o.clock()).raw(ticket), q), record)));
  }

  async #resume(ticket, q, tickets, seen) {
    let record = null;
    try {
      for (let again = 0; ; again++) {
        record = await loadRecord(this.#o.store, ticket.id, new Deadline(this.#o.commitTimeout));
        if (!record) throw new Refused("unknown_session", "session not found");
        const bytes = await this.#admitted(this.#resumed(ticket.bytes, q, record));
        if (bytes) return this.#session(bytes, null, q, tickets);
        if (again === maxAgain) throw new Unavailable(`end session ${idText(ticket.id)}: other requests were always first`);
      }
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      const about = { reason: err.reason, id: idText(ticket.id), tenant: q.tenant, user: record?.user ?? "" };
      this.#event("refused", about);
      if (err.reason === "ip_family") seen.barred ??= () => this.#resumed(ticket.bytes, { ...q, signIn: true }, record);
      if (breaches.includes(err.reason)) {
        await this.#commit().remove(ticket.id);
        this.#event("ended", about);
      }
      throw err;
    }
  }

  // The bytes of a session that was resumed, if its user's credentials have not changed. Else
  // it is ended, and refused; null where another request was faster.
  async #admitted(bytes) {
    if (!this.#credentials.on || viewOf(bytes).user === "") return bytes;
    const work = this.#commit();
    const vouched = await this.#credentials.vouched(bytes, false, work.deadline);
    if (vouched) return vouched;
    if (!await this.#outdate(bytes, work)) return null;
    throw new Refused("credentials_changed", credentialsChanged, true);
  }

  async #outdate(bytes, work) {
    if (!await work.outdate(bytes)) return false;
    const { id, tenant, user } = viewOf(bytes);
    this.#event("ended", { reason: "credentials_changed", id: idText(id), tenant, user });
    await this.#waitForCaches();
    return true;
  }

  async #waitForCaches() {
    const failed = await waitForCaches(this.#o.store, performance.now(), new Deadline(this.#o.commitTimeout));
    if (failed) this.#outage.met(failed);
  }

  // Judges, before it is stored, what a request did: the credentials may have changed since
  // it has begun.
  async #admitChange({ bytes, request }) {
    const v = viewOf(bytes), anew = v.stampsAnew === true;
    if (!this.#credentials.on || v.user === "" || v.state === "ended" || !anew && request.anyTenant) return;
    const work = this.#commit();
    if (await this.#credentials.vouched(bytes, anew, work.deadline)) return;
    if (!anew) await this.#outdate(bytes, work); // a stamp of the program that is wrong says nothing of what is stored
    throw new Refused("credentials_changed", credentialsChanged, true);
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
    if (!(response?.headers instanceof Headers)) throw new SessionError("response", `commit got ${shown(response)} for a response; it wants the Response that is to be sent: has the handler returned one?`);
    if (response.bodyUsed) throw new SessionError("response", "the body of the response was read already: return one that nobody has read");
    const ready = this.#isDue(session) ? prepared(response) : response;
    let fields;
    try {
      fields = await this.store(session);
    } catch (err) {
      if (ready !== response) await ready.body?.cancel().catch(() => {});
      throw err;
    }
    return fields.length > 0 ? withCookies(response, fields, ready) : varying(ready);
  }

  /** Stores what the request did and returns the Set-Cookie fields, for hosts without Response. */
  async store(session) {
    const inner = innerOf(session);
    if (inner.spent) throw new SessionError("committed", "the session was committed already");
    inner.spent = true;
    const clearing = inner.clearing ? this.#guest.ask(op.clearCookie, (w) => w.flag(inner.request.https)).list() : [];
    if (!this.#isDue(session)) return clearing;
    let e;
    try {
      if (changed(inner.bytes)) await this.#admitChange(inner);
      e = await this.#commit().run(inner.bytes, inner.updates, inner.quiet);
      if (session.state === "ended") {
        await this.#endProven(inner, session.id);
        await this.#waitForCaches();
      }
    } catch (err) {
      if (err instanceof Conflict) this.#event("conflict", { ...aboutOf(session), names: [err.valueName] });
      // A renewal that is only due by the clock waits for the next request: this one only read.
      const again = err instanceof Refused && err.reason === "superseded" && session.reason === "credentials_changed";
      if (again) throw new Refused(session.reason, credentialsChanged, true);
      if (session.state !== "active" || changed(inner.bytes)) throw this.#outage.met(err);
      this.#warnTouch(err);
      return clearing;
    }
    if (!e) return clearing;
    inner.bytes = e.next;
    inner.view = null;
    tellDeeds(e, session, (kind, about) => this.#event(kind, about));
    const cookies = e.cookies.length > 0 ? e.cookies : clearing;
    return e.save && !e.touch && this.#o.changedCookie ? [...cookies, this.#changedCookie(inner)] : cookies;
  }

  // Ends every live session but one that a cookie of the request proves: the
  // browser may have several, and the visitor wants to be in none of them. One that is
  // not there is deleted once more: it may have been by a logout that failed.
  async #endProven({ tickets, request }, but) {
    const work = this.#commit();
    for (const { bytes, id } of tickets) {
      if (idText(id) === but) continue;
      let record;
      try {
        record = await loadRecord(this.#o.store, id, work.deadline);
        if (!record) {
          await work.remove(id);
          continue;
        }
        this.#resumed(bytes, request, record);
      } catch (err) {
        if (!(err instanceof Refused)) throw err;
        // A request that has changed the credentials would begin the session anew.
        if (err.reason === "credentials_changed") await work.remove(id);
        if (!breaches.includes(err.reason)) continue;
      }
      await work.remove(id);
      this.#event("ended", { reason: "ended", id: idText(id), tenant: record.tenant, user: record.user });
    }
  }

  #changedCookie({ request }) {
    const { partitioned, sameSite } = this.#o.policy;
    const expired = this.#guest.ask(op.clearCookie, (w) => w.flag(request.https)).list();
    // With SameSite=None the cookie of the other kind stands first.
    return changedCookie(this.cookieName, expired[partitioned || String(sameSite).toLowerCase() === "none" ? 1 : 0]);
  }

  #isDue(session) {
    const { bytes, quiet } = innerOf(session);
    if (quiet && session.state === "active") return changed(bytes);
    return this.#o.clock() >= dueOf(bytes);
  }

  /**
   * Answers how long the session of a request lasts, as nethttp.StatusHandler does: GET and
   * HEAD change nothing, POST is a use of it, and with refresh a refresh.
   */
  async status(request, options) {
    const { method } = request, { refresh = false, trustedOrigins = [] } = only(options, { refresh: isFlag, trustedOrigins: areOrigins });
    if (!["GET", "HEAD", "POST"].includes(method)) return plain(405, "Only GET, HEAD and POST are answered here.\n", { allow: "GET, HEAD, POST" });
    if (method === "POST" && isForeign(request, trustedOrigins)) return plain(403, "Another site sent this request.\n");
    try {
      const [session, fields] = method === "POST" ? await this.#extended(request, refresh) : [await this.load(request, { quiet: true }), []];
      const text = JSON.stringify(statusOf(session, innerOf(session).bytes, this.#o.clock())) + "\n";
      const headers = new Headers({ "content-type": "application/json", "cache-control": "no-store", vary: "Cookie" });
      for (const f of fields) headers.append("set-cookie", f);
      return new Response(method === "HEAD" ? null : text, { headers });
    } catch (err) {
      return failure(err);
    }
  }

  // The session after a use of it was noted, and the Set-Cookie fields. That the note failed is
  // an error here.
  async #extended(request, refresh) {
    for (let again = 0; ; again++) {
      const session = await this.load(request), inner = innerOf(session);
      inner.quiet = false;
      if (refresh && session.state === "active") session.refresh();
      const now = this.#o.clock(), due = this.#isDue(session);
      const fields = await this.store(session);
      if (session.state !== "active" || !due || session.seenAt >= now) return [session, fields];
      if (again > 0) throw new Unavailable(`extend session ${session.id}: the store has not noted the use`); // else another request was first
    }
  }

  #event(kind, about) { sendEvent(this.#o, kind, about); }

  /**
   * Wraps a handler: `handler(request, session, ...rest)` returns a Response.
   * What cannot be loaded or stored becomes an error response in its place.
   */
  withSession(handler, options) {
    if (typeof handler !== "function") throw new SessionError("config", `withSession: the handler is ${shown(handler)}; allowed: a function of a Request and a session that returns a Response`);
    const quiet = quietOf(options);
    return async (request, ...rest) => {
      let session;
      try {
        session = await this.load(request, { quiet });
      } catch (err) {
        return failure(err);
      }
      const response = await handler(request, session, ...rest); // one that throws stores nothing, and the runtime gets the error
      try {
        return await this.commit(session, response);
      } catch (err) {
        await response?.body?.cancel?.().catch(() => {}); // it is never sent
        return failure(err);
      }
    };
  }

  // How a session takes a value that is stored, and goes on from what is stored then.
  #taking = (inner, name) => this.#reported(async () => {
    await this.#admitChange(inner);
    const work = this.#commit(), taken = await work.take(inner.bytes, name);
    if (!taken) return undefined;
    if (!inner.spent) {
      try {
        const next = work.rebase(inner.bytes, taken.record);
        if (next) inner.bytes = inner.updates?.redo(next) ?? next;
        inner.view = null;
      } catch { /* the commit meets the same, and refuses it */ }
    }
    return decode(taken.value);
  });

  /** Ends a session by its ID, for operators. */
  async end(id) {
    const bytes = idOf(id);
    await this.#reported(() => this.#commit().remove(bytes));
  }

  // The session of an ID, for a program that acts for no visitor.
  #byId(id) {
    const bytes = idOf(id);
    return this.#reported(async () => {
      const record = await loadRecord(this.#o.store, bytes, new Deadline(this.#o.commitTimeout));
      if (!record) throw new Refused("unknown_session", "session not found");
      const q = { ...plainRequest, anyTenant: true };
      return this.#session(this.#resumed(ticketOf(bytes), q, record), null, q);
    });
  }

  async #changed(id, change) {
    const s = await this.#byId(id);
    change(s);
    await this.store(s);
    return s;
  }

  /** Session.add of the session of an ID, stored at once. Returns the sum that was stored. */
  async add(id, name, n) {
    const s = await this.#changed(id, (s) => { s.add(name, n); });
    return sumOf(s.get(name));
  }

  /** Session.update of the session of an ID, stored at once. Returns the value that was stored. */
  async update(id, name, fn) {
    const s = await this.#changed(id, (s) => { s.update(name, fn); });
    return s.get(name);
  }

  /** Session.take of the session of an ID. */
  async take(id, name) { return (await this.#byId(id)).take(name); }
}

const quietOf = (options) => only(options, { quiet: isFlag }).quiet ?? false;
