// The verbs of the module, and the bytes of records, policies and sessions; see
// wasm/README.md.

import { Reader, Writer, decodeText, idText } from "./bytes.js";
import { readHead, skip } from "./cbor.js";
import { SessionError } from "./errors.js";

export const op = {
  configure: 1, identify: 2, create: 3, resume: 4, apply: 5, pending: 6, commit: 7,
  rebase: 8, fold: 9, applied: 10, cookie: 11, clearCookie: 12, inspect: 13, keepId: 14,
};
export const change = { set: 1, delete: 2, clear: 3, login: 4, renew: 5, refresh: 6, setLifetime: 7, end: 8 };
export const did = { create: 1, login: 2, renew: 4, refresh: 8, change: 16, touch: 32, end: 64 };

const ticketLength = 61;

// The fields of a policy with the place of each, so that a misspelt one is refused.
const policyFlags = ["allowInsecure", "allowScripts", "partitioned", "endWithBrowser", "bindUserAgent"];
const policyTimes = ["lifetime", "anonymousLifetime", "maxLifetime", "idleTimeout", "renewAfter", "renewGrace", "retention"];
const policySizes = ["bindIPv4Bits", "bindIPv6Bits", "sessionSize", "warnSize"];
const policyOthers = ["cookieName", "cookiePath", "cookieDomain", "sameSite", "formerScopes", "merge", "exclusive"];
const sameSites = ["lax", "strict", "none"];
const mergeKinds = { counter: 1, set: 2 };

function oneOf(field, value, allowed) {
  throw new SessionError("policy", `${field} is ${JSON.stringify(value)}; allowed: ${allowed}`);
}

/** The frame that configures a machine. It holds the keys. */
export function configureFrame(policy, keys) {
  const known = [...policyFlags, ...policyTimes, ...policySizes, ...policyOthers];
  for (const field of Object.keys(policy)) if (!known.includes(field)) oneOf("policy", field, known.join(", "));
  const w = new Writer().u8(op.configure);
  w.short(policy.cookieName ?? "").short(policy.cookiePath ?? "").short(policy.cookieDomain ?? "");
  w.u8(policyFlags.reduce((bits, f, i) => policy[f] ? bits | 1 << i : bits, 0));
  const site = policy.sameSite === undefined ? 0 : sameSites.indexOf(String(policy.sameSite).toLowerCase());
  if (site < 0) oneOf("sameSite", policy.sameSite, "Lax, Strict, None");
  w.u8(site);
  const scopes = policy.formerScopes ?? [];
  w.u32(scopes.length);
  for (const s of scopes) w.short(s.path ?? "").short(s.domain ?? "");
  for (const f of policyTimes) w.time(whole(f, policy[f]));
  for (const f of policySizes) w.u32(whole(f, policy[f]) >>> 0);
  const merge = Object.entries(policy.merge ?? {}).sort(([a], [b]) => a < b ? -1 : 1);
  w.u32(merge.length);
  for (const [name, kind] of merge) w.short(name).u8(mergeKinds[kind] ?? oneOf(`merge of ${name}`, kind, "counter, set"));
  const exclusive = policy.exclusive ?? [];
  w.u32(exclusive.length);
  for (const name of exclusive) w.long(name);
  w.u32(keys.length);
  for (const k of keys) {
    const full = typeof k === "string" || k instanceof Uint8Array ? { key: k } : k;
    w.short(full.key).time(0).time(whole("sealFrom", full.sealFrom)).time(whole("openUntil", full.openUntil));
  }
  return w.done().slice();
}

function whole(field, value = 0) {
  if (value instanceof Date) value = value.getTime();
  return Number.isSafeInteger(value) ? value : oneOf(field, value, "a whole number; durations and moments are in milliseconds");
}

/** A record as stores keep it; see types. */
export function writeRecord(w, r) {
  return w.raw(r.id).u64(r.version).time(r.createdAt).time(r.seenAt).time(r.expiresAt).short(r.tenant).short(r.user).long(r.sealed);
}

export function readRecord(r) {
  return {
    id: r.take(16).slice(), version: r.u64(), createdAt: r.time(), seenAt: r.time(), expiresAt: r.time(),
    tenant: r.short(), user: r.short(), sealed: r.longBytes().slice(),
  };
}

export function writeRequest(w, q) {
  return w.short(q.tenant).short(q.ip).short(q.userAgent).u8((q.anyTenant ? 1 : 0) | (q.noCookie ? 2 : 0));
}

/** Reads tickets: the bytes of each, and the ID that it is of. */
export function readTickets(r) {
  return Array.from({ length: r.u32() }, () => {
    const bytes = r.take(ticketLength).slice();
    return { bytes, id: bytes.subarray(0, 16) };
  });
}

/** The ticket of a program that handles a session by its ID. */
export function ticketById(id) {
  const bytes = new Uint8Array(ticketLength);
  bytes.set(id);
  bytes[60] = 2; // trusted
  return { bytes, id };
}

/** Reads the rest of a reply, which is a session. */
export const readSession = (r) => r.take(r.left).slice();

/** What a session's bytes show: see core/session_bytes.go. */
export function viewOf(bytes) {
  const r = new Reader(bytes);
  r.u8(); // format, which the ABI version covers
  const v = { state: ["new", "active", "ended"][r.u8()] };
  const owned = (r.u16() & 1) !== 0;
  const id = r.take(16);
  v.id = id.some((b) => b !== 0) ? idText(id) : null;
  v.version = r.u64();
  v.createdAt = r.time(); v.seenAt = r.time(); v.expiresAt = r.time();
  v.tenant = r.short();
  r.short(); // the stored user; what this request made of it stands at the end
  const payload = r.longBytes();
  if (payload.length > 0) Object.assign(v, payloadOf(payload));
  v.values ??= new Map();
  if (owned) {
    v.values = new Map();
    for (let n = r.u32(); n > 0; n--) v.values.set(r.short(), r.longBytes());
  }
  r.take(ticketLength);
  r.short(); r.short(); r.short(); r.u8(); // the request
  r.take(16); // the session that this one replaces
  v.user = r.short();
  return v;
}

// Keys of the sealed payload that a program may want to see: core/payload.go.
const payloadTimes = { 1: "deadline", 3: "loginAt" };

function payloadOf(bytes) {
  const r = new Reader(bytes), out = {};
  for (let pairs = readHead(r).n; pairs > 0; pairs--) {
    const key = readHead(r).n;
    if (key === 17) {
      out.values = new Map();
      for (let n = readHead(r).n; n > 0; n--) {
        const name = decodeText(r.take(readHead(r).n));
        out.values.set(name, skip(r));
      }
    } else if (key in payloadTimes) out[payloadTimes[key]] = Number(readHead(r).n);
    else skip(r);
  }
  return out;
}

/** Reads what a commit tells the host to do. */
export function readEffects(r) {
  const id = r.take(16).slice();
  const e = { delete: id.some((b) => b !== 0) ? id : null, save: null, prev: 0n };
  if (r.flag()) { e.save = readRecord(r); e.prev = r.u64(); }
  e.touch = r.flag();
  e.cookies = r.list();
  e.did = r.u8();
  e.size = r.u32();
  e.warn = r.flag();
  e.next = readSession(r);
  return e;
}
