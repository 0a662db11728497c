// The parts of a request that the core needs: tenant, address, user agent and so on.

import { addressBytes } from "./address.js";
import { wellFormed } from "./bytes.js";
import { SessionError } from "./errors.js";
import { crossSites, plainRequest } from "./frames.js";
import { shown } from "./only.js";
import { isPrefetch } from "./quiet.js";

/** The request as frames have it, by the options of sessions(). */
export function requestOf(o, request) {
  const { headers } = request, tenant = o.tenant(request);
  if (typeof tenant !== "string" || !wellFormed(tenant)) refuse("tenant", tenant, "it must return a string of whole characters");
  return {
    ...plainRequest, tenant, ip: addressOf(o, request), userAgent: headers.get("user-agent") ?? "",
    https: o.policy.secureByRequest === true && o.https(request) === true,
    noCookie: o.policy.renewAfter > 0 && isNoPlaceToRenew(request),
  };
}

// Without the check, text that is no address would switch the binding off silently.
function addressOf({ ip, policy }, request) {
  const text = ip(request) ?? "", bytes = addressBytes(text), isBinding = policy.bindIPv4Bits > 0 || policy.bindIPv6Bits > 0;
  if (typeof text !== "string") refuse("ip", text, "it must return the client's address as a string, or \"\" where there is none");
  if (isBinding && text !== "" && bytes.length === 0) {
    refuse("ip", text, "that is no IP address: it must return one alone, such as 192.0.2.7 or 2001:db8::7; take off a port, and of a list such as X-Forwarded-For take the one that your own proxy has added");
  }
  return bytes;
}

function refuse(name, value, want) {
  if (typeof value?.then === "function") value.then(null, () => {}); // else its rejection would end the process
  throw new SessionError("config", `${name}() has returned ${shown(value)}; ${want}`);
}

// No page is shown, or none yet, or no cookie may arrive.
function isNoPlaceToRenew({ method, headers }) {
  return method === "HEAD" || headers.has("upgrade") || isPrefetch({ headers });
}

/** In which requests from other sites a browser leaves out cookies with SameSite, by Fetch Metadata. */
export function crossSiteOf({ method, headers }) {
  if (headers.get("sec-fetch-site") !== "cross-site") return crossSites.no;
  const navigates = headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document";
  return navigates && (method === "GET" || method === "HEAD") ? crossSites.navigation : crossSites.other;
}
