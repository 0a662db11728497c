// The option `keys`. No error here shows any of a key, nor anything that was given for
// one: a key may stand in the wrong place.

import { SessionError } from "./errors.js";
import { own } from "./own.js";
import { kindOf } from "./only.js";

const want = "64 hexadecimal digits or a Uint8Array of 32 bytes: openssl rand -hex 32";
const keyLength = 32, fields = ["key", "sealFrom", "openUntil"];

const refuse = (code, text) => { throw new SessionError(code, text); };

/** The keys as a list of { key, sealFrom, openUntil }. One of an environment variable that is not set comes as undefined. */
export function keyList(keys) {
  const list = Array.isArray(keys) ? keys : [keys];
  if (list.length === 0) missing("keys", "");
  return list.map((k, i) => ringKey(Array.isArray(keys) ? `keys[${i}]` : "keys", k));
}

function missing(name, value) {
  refuse("no_key", `${name} is ${value === "" ? "empty" : value}: is its environment variable set? Make a key with: openssl rand -hex 32`);
}

function ringKey(name, given) {
  if (given === undefined || given === null || given === "") missing(name, given);
  if (typeof given === "string" || given instanceof Uint8Array) return { key: keyOf(name, given), sealFrom: 0, openUntil: 0 };
  if (typeof given !== "object" || Array.isArray(given) || typeof given.then === "function") refuse("no_key", `${name} is ${kindOf(given)}; allowed: ${want}, or { key, sealFrom, openUntil }`);
  const ring = own(given), at = Object.keys(ring).findIndex((field) => !fields.includes(field));
  if (at >= 0) refuse("policy", `field ${at + 1} of ${name} has another name than these, which are allowed: ${fields.join(", ")}`);
  return { key: keyOf(`key of ${name}`, ring.key), sealFrom: momentOf(`sealFrom of ${name}`, ring.sealFrom), openUntil: momentOf(`openUntil of ${name}`, ring.openUntil) };
}

// Bytes may be hexadecimal digits, too, as a file has them: the core reads these.
function keyOf(name, given) {
  if (given === undefined || given === null || given === "") missing(name, given);
  if (given instanceof Uint8Array) {
    if (given.length !== keyLength && given.length !== 2 * keyLength) refuse("key_length", `${name} has ${given.length} bytes; allowed: ${want}`);
    return given;
  }
  if (typeof given !== "string") refuse("no_key", `${name} is ${kindOf(given)}; allowed: ${want}`);
  const text = given.trim();
  if (!/^[0-9a-f]*$/i.test(text)) refuse("key_hex", `${name} has ${text.length} characters, and not all are hexadecimal digits; allowed: ${want}`);
  if (text.length !== 2 * keyLength) refuse("key_length", `${name} has ${text.length} hexadecimal digits; allowed: ${want}`);
  return text;
}

function momentOf(name, given = 0) {
  const at = given instanceof Date ? given.getTime() : given;
  if (!Number.isSafeInteger(at)) refuse("policy", `${name} is ${given instanceof Date ? "an invalid Date" : kindOf(given)}; allowed: a Date, or a whole number of Unix milliseconds`);
  return at;
}
