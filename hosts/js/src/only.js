import { own } from "./own.js";
import { SessionError } from "./errors.js";

const bad = (text) => { throw new SessionError("config", text); };

/** What a value is, and nothing of it. */
export function kindOf(value) {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value.then === "function") return "a promise";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

const longest = 80; // characters of a text in a message

/** A value as messages show it: never the content of an object, which may hold a secret. */
export function shown(value) {
  if (typeof value === "string") return JSON.stringify(value.length > longest ? value.slice(0, longest) + "..." : value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value);
}

/** Returns the options of a call, each of which is known and checked: a misspelt one is refused. */
export function only(options, checks, of = "") {
  const where = of && `${of}: `;
  if (options !== undefined && options !== null && (typeof options !== "object" || Array.isArray(options))) {
    bad(`${where}the options are ${shown(options)}; allowed: an object of ${Object.keys(checks).join(", ")}`);
  }
  const given = own(options);
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(checks, key)) bad(`${where}there is no option ${JSON.stringify(key)}; allowed: ${Object.keys(checks).join(", ")}`);
    checks[key]?.(key, value, of);
  }
  return given;
}

export function isFlag(name, value) {
  if (typeof value !== "boolean") bad(`${name} is ${shown(value)}; allowed: true, false`);
}

/** Makes a check of a number from `least` to `most`; left out it is undefined. */
export const isNumber = (least, most, unit) => (name, value, of = "") => {
  if (value !== undefined && !(typeof value === "number" && value >= least && value <= most)) {
    bad(`${of && `${of}: `}${name} is ${shown(value)}; allowed: ${unit}, ${least} to ${most}`);
  }
};

export function isFunction(name, value, of = "") {
  if (value !== undefined && typeof value !== "function") bad(`${of && `${of}: `}${name} is ${shown(value)}; allowed: a function`);
}

export function isText(name, value, of = "") {
  if (value !== undefined && typeof value !== "string") bad(`${of && `${of}: `}${name} is ${shown(value)}; allowed: a string`);
}

/** How long a store keeps a record behind its expiry. */
export const isRetention = isNumber(0, Number.MAX_SAFE_INTEGER, "milliseconds");

/** Returns what a store is made of, which must have the verbs: a binding that is not set is undefined. */
export function bound(store, given, verbs) {
  if (given === null || given === undefined) bad(`${store} got ${given}: is the binding set?`);
  if (typeof given.then === "function") {
    given.then(null, () => {}); // else its rejection would end the process
    bad(`${store} got a promise: await it first`);
  }
  const missing = verbs.find((verb) => typeof given[verb] !== "function");
  if (missing) bad(`${store} got ${kindOf(given)} without ${missing}(): is it the right binding?`);
  return given;
}
