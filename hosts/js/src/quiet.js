// Requests that no person has made, and how long a session lasts: see hosts/nethttp/quiet.go
// and status.go.

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

/** A page of another origin has sent the request. */
export function isForeign({ url, headers }) {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
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
