// What commit does to a response.

import { SessionError } from "./errors.js";

// Bun sets the content type of a text only when it sends the response, and not if `body`
// was accessed before. A clone keeps the type.
const isBun = globalThis.Bun !== undefined;

const isUpgrade = ({ status }) => status === 101 || status === 0; // no Response can be made with these

/** What is to be sent of a response whose session is about to be stored; it throws where that is too late. */
export function prepared(response) {
  if (isUpgrade(response)) return response;
  try {
    if (isBun) return copyOf(response);
    if (!response.body?.locked) return response;
  } catch { /* nor can it be cloned */ }
  throw new SessionError("response", "the body of the response is being read already, so that no cookie can be set on it: commit before you send or read it");
}

function copyOf(response) {
  if (!isBun) return new Response(response.body, response);
  const out = response.clone();
  response.body?.cancel().catch(() => {}); // else what the copy sends is kept for this one, too
  return out;
}

/**
 * A copy with the cookies: the response may be one that is shared or cannot be
 * changed, so it is not the place for a visitor's cookie.
 * @param ready what prepared has made of the response; it is a copy already where it is another
 */
export function withCookies(response, fields, ready = response) {
  if (isUpgrade(response)) return inPlace(response, fields);
  const out = ready === response ? copyOf(response) : ready;
  for (const f of fields) out.headers.append("set-cookie", f);
  noStore(out.headers);
  return varying(out);
}

// Some CDNs and proxies obey these before Cache-Control, beside
// CDN-Cache-Control and all that end in -Cache-Control (RFC 9213): those of
// Fastly, Akamai and nginx.
const cdnFields = ["surrogate-control", "edge-control", "x-accel-expires"];

function noStore(headers) {
  const targeted = [...headers.keys()].filter((name) => name.endsWith("-cache-control") || cdnFields.includes(name));
  for (const name of targeted) headers.delete(name);
  headers.set("cache-control", "no-store");
}

// No Response can be made with the status of an upgrade: only its own header can
// take the cookie, where the runtime lets it.
function inPlace(response, fields) {
  try {
    for (const f of fields) response.headers.append("set-cookie", f);
  } catch {
    console.warn("sessions: a session was saved but its cookie could not be set on this response; sign in before the upgrade");
  }
  return response;
}

/** What a page shows depends on the cookie, so caches must know. */
export function varying(response) {
  const vary = response.headers.get("vary");
  if (response.status === 101 || vary !== null && vary.split(",").some((f) => ["cookie", "*"].includes(f.trim().toLowerCase()))) return response;
  try {
    response.headers.append("vary", "Cookie");
    return response;
  } catch { // an immutable one, of fetch or redirect
    const out = copyOf(response);
    out.headers.append("vary", "Cookie");
    return out;
  }
}
