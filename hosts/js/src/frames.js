// The verbs of the module, and the bytes of records, policies and sessions; see
// wasm/README.md.

import { Reader, Writer, decodeText } from "./bytes.js";
import { readHead, skip } from "./cbor-read.js";
import { SessionError } from "./errors.js";
import { shown } from "./only.js";
import { own } from "./own.js";

export const op = {
  configure: 1, identify: 2, create: 3, resume: 4, apply: 5, commit: 6,
  rebase: 7, fold: 8, applied: 9, cookie: 10, clearCookie: 11, inspect: 12, keepId: 13, quiet: 14, checkStamp: 15,
};
export const change = { set: 1, delete: 2, clear: 3, login: 4, renew: 5, refresh: 6, setLifetime: 7, end: 8, read: 9, add: 10, update: 11, loginWith: 12, renewWith: 13, confirm: 14, adopt: 15, outdate: 16 };
export const did = { create: 1, login: 2, renew: 4, refresh: 8, change: 16, touch: 32, end: 64 };

const ticketLength = 61;

// The fields of a policy with the place of each, so that a misspelt one is refused.
const policyFlags = ["allowInsecure", "allowScripts", "partitioned", "endWithBrowser", "bindUserAgent", "secureByRequest"];
const flagLastWinsAll = 64;
const policyTimes = ["lifetime", "anonymousLifetime", "maxLifetime", "idleTimeout", "renewAfter", "renewGrace", "retention"];
const policySizes = ["bindIPv4Bits", "bindIPv6Bits", "sessionSize", "warnSize"];
const policyOthers = ["cookieName", "cookiePath", "cookieDomain", "sameSite", "formerScopes", "merge", "exclusive", "lastWins"];
const sameSites = ["lax", "strict", "none"];
const mergeKinds = { counter: 1, set: 2 };

function oneOf(field, value, allowed) {
  throw new SessionError("policy", `${field} is ${shown(value)}; allowed: ${allowed}`);
}

// Returns the object's own fields, all of which must be known.
function only(what, object, known) {
  if (object === null || typeof object !== "object" || Array.isArray(object)) oneOf(what, object, `an object of ${known.join(", ")}`);
  const fields = own(object);
  for (const field of Object.keys(fields)) if (!known.includes(field)) oneOf(`a field of ${what}`, field, known.join(", "));
  return fields;
}

/** The frame that configures a machine. It holds the keys, as keyList returns them. */
export function configureFrame(rules, keys) {
  const policy = only("policy", rules, [...policyFlags, ...policyTimes, ...policySizes, ...policyOthers]);
  const w = new Writer().u8(op.configure);
  for (const f of ["cookieName", "cookiePath", "cookieDomain"]) w.short(string(f, policy[f]));
  const all = policy.lastWins === true; // of the names
  w.u8(policyFlags.reduce((bits, f, i) => flag(f, policy[f]) ? bits | 1 << i : bits, all ? flagLastWinsAll : 0));
  const site = policy.sameSite === undefined ? 0 : sameSites.indexOf(String(policy.sameSite).toLowerCase());
  if (site < 0) oneOf("sameSite", policy.sameSite, "Lax, Strict, None");
  w.u8(site);
  const scopes = array("formerScopes", policy.formerScopes);
  w.u32(scopes.length);
  for (const s of scopes) {
    const { path, domain } = only("formerScopes", s, ["path", "domain"]);
    w.short(string("path of formerScopes", path)).short(string("domain of formerScopes", domain));
  }
  for (const f of policyTimes) w.time(whole(f, policy[f]));
  for (const f of policySizes) w.u32(whole(f, policy[f], 2 ** 31 - 1) >>> 0);
  const merge = Object.entries(mergeOf(policy.merge));
  w.u32(merge.length);
  for (const [name, kind] of merge) w.short(name).u8(Object.hasOwn(mergeKinds, kind) ? mergeKinds[kind] : oneOf(`merge of ${name}`, kind, "counter, set"));
  writeNames(w, "exclusive", array("exclusive", policy.exclusive));
  writeNames(w, "lastWins", all ? [] : array("lastWins", policy.lastWins, "true, an array of names"));
  writeKeys(w, keys);
  return w.done().slice();
}

function mergeOf(merge = {}) {
  if (merge !== null && typeof merge === "object" && !Array.isArray(merge)) return own(merge);
  return oneOf("merge", merge, "an object of names, each with counter or set, such as { visits: \"counter\" }");
}

function writeNames(w, field, names) {
  w.u32(names.length);
  for (const name of names) w.long(string(field, name));
}

function writeKeys(w, keys) {
  w.u32(keys.length);
  for (const { key, sealFrom, openUntil } of keys) w.short(key).time(0).time(sealFrom).time(openUntil);
}

function string(field, value = "") {
  return typeof value === "string" ? value : oneOf(field, value, "a string");
}

function flag(field, value = false) {
  return typeof value === "boolean" ? value : oneOf(field, value, "true, false");
}

function array(field, value = [], allowed = "an array") {
  return Array.isArray(value) ? value : oneOf(field, value, allowed);
}

function whole(field, value = 0, most = Number.MAX_SAFE_INTEGER) {
  if (value instanceof Date) value = value.getTime();
  return Number.isSafeInteger(value) && Math.abs(value) <= most ? value : oneOf(field, value, "a whole number; durations and moments are in milliseconds");
}

/** A record as stores keep it; see types. */
export function writeRecord(w, r) {
  return w.raw(r.id).u64(r.version).time(r.createdAt).time(r.seenAt).time(r.expiresAt).short(r.tenant).short(r.user).long(r.sealed);
}

export function readRecord(r) {
  return {
    id: r.take(16), version: r.u64(), createdAt: r.time(), seenAt: r.time(), expiresAt: r.time(),
    tenant: r.short(), user: r.short(), sealed: r.longBytes(),
  };
}

const maxUserAgent = 512; // bytes that the core keeps
export const maxTenant = 256; // bytes: one more than may match any session

// Flags of a request.
const anyTenant = 1, noCookie = 2, https = 4, superseded = 8, crossSite = 16, signIn = 64;

/** How a request came from another site without a cookie, as bits from 16 on. */
export const crossSites = { no: 0, navigation: 1, other: 2 };

/** Every field of a request, so that none is looked for on Object.prototype. */
export const plainRequest = {
  tenant: "", ip: new Uint8Array(), userAgent: "", anyTenant: false, noCookie: false, https: false, superseded: false, crossSite: crossSites.no, signIn: false,
};

export function writeRequest(w, q) {
  const flags = (q.anyTenant ? anyTenant : 0) | (q.noCookie ? noCookie : 0) | (q.https ? https : 0) | (q.superseded ? superseded : 0) |
    q.crossSite * crossSite | (q.signIn ? signIn : 0);
  return w.clipped(q.tenant, maxTenant).short(q.ip).header(q.userAgent, maxUserAgent).u8(flags);
}

/** Reads tickets: the bytes of each, and the ID that it is of. */
export function readTickets(r) {
  const all = [];
  for (let n = r.u32(); n > 0; n--) {
    const bytes = r.take(ticketLength);
    all.push({ bytes, id: bytes.subarray(0, 16) });
  }
  return all;
}

const ticketTrusted = 2;

/** The ticket of a program, which proves and binds nothing: never of an ID that a visitor sent. */
export function ticketOf(id) {
  const ticket = new Uint8Array(ticketLength);
  ticket.set(id);
  ticket[ticketLength - 1] = ticketTrusted;
  return ticket;
}

/** Reads the rest of a reply, which is a session. */
export const readSession = (r) => r.take(r.left);

/** The moment from which on there is something to commit of a session. */
export function dueOf(bytes) {
  const r = new Reader(bytes);
  r.pass(4);
  return r.time();
}

function part(r, n) {
  const from = r.pass(n);
  return { from, end: r.n };
}

const noMarks = new Map();

/** What a session's bytes show, and where its values lie in them: see core/life_bytes.go. */
export function viewOf(bytes) {
  const r = new Reader(bytes);
  r.u8(); // format, which the ABI version covers
  const v = { state: ["new", "active", "ended"][r.u8()], marks: noMarks };
  v.flags = r.u16();
  r.pass(8); // due
  v.id = r.take(16);
  r.pass(8); // version
  v.createdAt = r.time(); v.seenAt = r.time(); v.expiresAt = r.time();
  v.tenant = r.short();
  r.pass(r.u16()); // the stored user; what this request made of it stands at the end
  const length = r.u32(), payload = r.pass(length);
  v.values = new Map();
  v.deadline = 0;
  v.provenAt = 0;
  v.methods = [];
  if (length > 0) readPayload(v, new Reader(bytes, payload, r.n));
  v.stored = v.values;
  if (v.flags & flagOwned) {
    v.values = new Map();
    for (let n = r.u32(); n > 0; n--) v.values.set(r.short(), part(r, r.u32()));
  }
  if (v.flags & flagMarked) v.marks = marksOf(r);
  if (v.flags & flagProving) v.stampsAnew = readProving(r);
  r.pass(ticketLength);
  for (let i = 0; i < 3; i++) r.pass(r.u16()); // the request
  r.pass(1 + 16); // its flags, and the session that this one replaces
  v.user = r.short();
  return v;
}

// Flags of a session's bytes.
const flagOwned = 1, flagsOfDeeds = 8 | 16 | 32 | 64, flagMarked = 1024, flagProving = 4096; // login, renew, refresh, lifetime
const flagLogin = 8, flagAdopt = 1;

/** Reports whether the request has signed a user in, and not stored it yet. */
export const signsIn = (v) => (v.flags & flagLogin) !== 0;

// Reads what is noted of the user, and reports whether the program has given a stamp.
function readProving(r) {
  const stamped = r.take(32).some((b) => b !== 0), flags = r.u8();
  r.pass(8);
  r.pass(r.u16());
  return stamped && (flags & flagAdopt) === 0;
}

// What a request did to a name at last, and flags of that: see core/life_marks.go.
const didRead = 0, didDrop = 4, flagAgain = 4;

function marksOf(r) {
  const marks = new Map();
  for (let n = r.u32(); n > 0; n--) {
    const name = r.short(), act = r.u8(), flags = r.u8();
    r.pass(8); // what was added
    marks.set(name, { wrote: act !== didRead && act !== didDrop, again: (flags & flagAgain) !== 0 });
  }
  return marks;
}

/** The names whose updates must be computed anew, on the values that the view shows. */
export const againOf = (v) => [...v.marks].filter(([, m]) => m.again).map(([name]) => name);

/** Reports whether the request did anything that a commit must store. */
export function changed(bytes) {
  const v = viewOf(bytes), { flags, values, stored } = v;
  if (flags & flagsOfDeeds || againOf(v).length > 0) return true;
  if (values.size !== stored.size) return true;
  for (const [name, v] of values) {
    const was = stored.get(name);
    if (was?.end - was?.from !== v.end - v.from) return true;
    for (let i = 0; i < v.end - v.from; i++) if (bytes[v.from + i] !== bytes[was.from + i]) return true;
  }
  return false;
}

// Keys in the sealed payload: core/record_payload.go.
const keyOfDeadline = 1, keyOfLogin = 3, keyOfValues = 17, keyOfProof = 22;

function readPayload(v, r) {
  for (let pairs = readHead(r); pairs > 0; pairs--) {
    switch (readHead(r)) {
      case keyOfDeadline: v.deadline = readHead(r); break;
      case keyOfLogin: v.provenAt = readHead(r); break;
      case keyOfValues:
        for (let n = readHead(r); n > 0; n--) {
          const length = readHead(r), name = decodeText(r.b, r.pass(length), length);
          v.values.set(name, skip(r));
        }
        break;
      case keyOfProof: readProof(v, r); break;
      default: skip(r);
    }
  }
}

// How the user last proved who they are: core/record_proof.go. It counts for the login that it is of.
function readProof(v, r) {
  const length = readHead(r), from = r.pass(length), at = new DataView(r.b.buffer, r.b.byteOffset + from);
  if (Number(at.getBigInt64(0)) !== v.provenAt) return;
  v.provenAt = Number(at.getBigInt64(8));
  if (length > proofLength) v.methods = decodeText(r.b, from + proofLength, length - proofLength).split(" ");
}

const proofLength = 48;

/** Reads what a commit tells the host to do. */
export function readEffects(r) {
  const id = r.take(16);
  const e = { delete: id.some((b) => b !== 0) ? id : null, trace: null, save: null, prev: 0n };
  if (r.flag()) e.trace = readRecord(r);
  if (r.flag()) { e.save = readRecord(r); e.prev = r.u64(); }
  e.touch = r.flag();
  e.cookies = r.list();
  e.dropped = r.list();
  e.did = r.u8();
  e.size = r.u32();
  e.warn = r.flag();
  e.next = readSession(r);
  return e;
}
