// Requests that no person has made, and how long a session lasts: see hosts/nethttp/quiet.go
// and status.go.

import { SessionError } from "./errors.js";
import { op, readSession, viewOf } from "./frames.js";

const flagsOfUse = 8 | 16 | 32 | 64 | 4096; // login, renew, refresh, lifetime, a proof of who they are

/** The browser fetches a page that nobody may ever look at. */
export function isPrefetch({ headers }) {
  const [purpose] = (headers.get("sec-purpose") ?? "").split(";");
  return purpose.trim() === "prefetch" || headers.get("purpose") === "prefetch";
}

/** The request says of itself that it is no use of the session. */
export const saysQuiet = (request) => request.headers.get("session-quiet") === "1" || isPrefetch(request);

/** The session with its changes of values and nothing else; as it is where it does more, such as a login. */
export function quieted(guest, bytes) {
  const { state, flags } = viewOf(bytes);
  if (state !== "active" || flags & flagsOfUse) return bytes;
  const quiet = readSession(guest.ask(op.quiet, (w) => w.raw(bytes)));
  return readSession(guest.ask(op.fold, (w) => w.raw(quiet).raw(bytes)));
}

/** Refuses what is no list of origins, such as ["https://app.example.com"]. */
export function areOrigins(name, value) {
  if (!Array.isArray(value)) throw new SessionError("config", `${name} must be an array of origins`);
  for (const o of value) {
    if (!URL.canParse(o) || new URL(o).origin !== o) throw new SessionError("config", `an origin of ${name} is ${JSON.stringify(o)}; allowed: a scheme and a host, such as https://app.example.com`);
  }
}

/** A page of another origin has sent the request, and not of one that is trusted. */
export function isForeign({ url, headers }, trusted) {
  const origin = headers.get("origin");
  if (trusted.includes(origin)) return false;
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  return origin !== null && (!URL.canParse(origin) || new URL(origin).host !== new URL(url).host);
}

const seconds = (end, now) => Math.max(0, Math.floor((end - now) / 1000));

/** What status() answers of a session. */
export function statusOf(session, bytes, now) {
  const { expiresAt, deadline } = viewOf(bytes), stored = session.state === "active";
  return {
    signed_in: session.signedIn, idle_seconds: stored ? seconds(expiresAt, now) : 0, absolute_seconds: stored ? seconds(deadline, now) : 0,
    ...stored ? {} : { reason: session.reason ?? "none" },
  };
}

export function plain(status, text, fields = {}) {
  return new Response(text, { status, headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...fields } });
}
