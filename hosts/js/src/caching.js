// Servers that share a store may keep its records in a cache. A logout then waits until
// none of them shows the session signed in: see package hosts/feed of the Go module.

import { Unavailable } from "./errors.js";

const wait = 600; // milliseconds: feed.Wait of the Go module, which all must share

/**
 * Waits until the time has passed since a logout was done in the store, if the store
 * says that caches are in use; where it cannot be asked, too. A store that says nothing
 * of caches has none.
 */
export async function waitForCaches(store, since, deadline) {
  if (typeof store.caching !== "function") return null;
  let failed = null;
  try {
    if (await deadline.within(() => store.caching()) === false) return null;
  } catch (err) {
    failed = new Unavailable("logout waits as if caches were in use: " + err.message, err);
  }
  await new Promise((done) => setTimeout(done, Math.max(since + wait - performance.now(), 0)));
  return failed;
}

/**
 * The cookie by which a browser says for a moment that it has changed its session, so
 * that a server with a cache asks its store. `expired` is the Set-Cookie field that
 * removes the session cookie, whose attributes it shares.
 */
export function changedCookie(cookieName, expired) {
  return `${cookieName}_changed=1` + expired.slice(expired.indexOf(";")).replace("; Max-Age=0", "; Max-Age=2");
}
