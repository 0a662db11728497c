import { SessionError } from "./errors.js";
import { own } from "./own.js";
import { keyList } from "./keys.js";
import { shown } from "./only.js";

const known = ["module", "keys", "policy", "store", "clock", "random", "tenant", "ip", "https", "commitTimeout", "onEvent", "changedCookie", "credentials", "credentialsCache"];
const longestTimeout = 600_000, longestCache = 3_600_000;

const bad = (text) => { throw new SessionError("config", text); };

const isHTTPS = ({ url }) => typeof url === "string" && url.startsWith("https:");

/** Checks the options of sessions(), and fills in what is left out; loaded is the module of the entry, if it has one. */
export function checkOptions(options, loaded) {
  const given = own(options);
  const { module = loaded, keys, policy = {}, store, clock = Date.now, random, tenant = () => "", ip = () => "", https = isHTTPS, commitTimeout = 5000, onEvent = () => {}, changedCookie = false, credentials = null, credentialsCache = 0 } = given;
  for (const name of Object.keys(given)) if (!known.includes(name)) bad(`there is no option ${JSON.stringify(name)}; allowed: ${known.join(", ")}`);
  if (!(module instanceof WebAssembly.Module)) bad("module must be a WebAssembly.Module of core.wasm; the entries for node, bun, deno and workerd load it by themselves: import from \"rockstar-sessions/node\", for example");
  for (const verb of ["load", "save", "delete"]) {
    if (typeof store?.[verb] !== "function") bad(`store has no ${verb}(); a store has load, save and delete`);
  }
  for (const [name, f] of Object.entries({ clock, tenant, ip, https, onEvent, random: random ?? (() => {}) })) {
    if (typeof f !== "function") bad(`${name} is ${shown(f)}; it must be a function`);
  }
  if (typeof changedCookie !== "boolean") bad(`changedCookie is ${shown(changedCookie)}; it must be true or false`);
  if (credentials !== null && typeof credentials !== "function") bad("credentials must be a function of a tenant and a user that returns a stamp");
  if (!(typeof credentialsCache === "number" && credentialsCache >= 0 && credentialsCache <= longestCache)) bad(`credentialsCache is ${shown(credentialsCache)}; allowed: milliseconds, 0 (off) to ${longestCache}`);
  if (credentialsCache > 0 && !credentials) bad("credentialsCache is set without credentials: there is nothing to keep");
  if (!(typeof commitTimeout === "number" && commitTimeout > 0 && commitTimeout <= longestTimeout)) bad(`commitTimeout is ${shown(commitTimeout)}; allowed: milliseconds, above 0 and at most ${longestTimeout}`);
  if (policy === null || typeof policy !== "object" || Array.isArray(policy)) bad(`policy is ${shown(policy)}; allowed: an object such as { lifetime: 86_400_000 }`);
  const rules = own(policy);
  for (const field of ["bindIPv4Bits", "bindIPv6Bits"]) {
    if (rules[field] > 0 && given.ip === undefined) bad(`${field} is ${rules[field]}, and there is no option ip: give ip(request), which returns the client's address`);
  }
  const list = keyList(keys);
  return { module, keys: list, policy: rules, store, clock, seed: seeds(random), tenant, ip, https, commitTimeout, onEvent, changedCookie, credentials, credentialsCache };
}

// 32 bytes for each commit, from the system unless a test says otherwise.
function seeds(random) {
  if (!random && !globalThis.crypto?.getRandomValues) bad("this runtime has no crypto.getRandomValues; give random, which fills the bytes it gets");
  return () => {
    const seed = new Uint8Array(32);
    if (random) random(seed);
    else crypto.getRandomValues(seed);
    return seed;
  };
}
