// What commit does to a response.

/**
 * A copy with the cookies: the response may be one that is shared or cannot be
 * changed, so it is not the place for a visitor's cookie.
 */
export function withCookies(response, fields) {
  if (response.status === 101 || response.status === 0) return inPlace(response, fields);
  const out = new Response(response.body, response);
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
    const out = new Response(response.body, response);
    out.headers.append("vary", "Cookie");
    return out;
  }
}
