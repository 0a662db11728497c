// Values as deterministic CBOR (RFC 8949, section 4.2.1), with the private tags
// of docs/cookies.md that give a value its Go type back.
//
//   Go                         JavaScript read          JavaScript written
//   nil, bool, string          null, boolean, string    the same
//   int                        number, or BigInt beyond 2^53   safe integer
//   float64                    number                   any other number
//   int64, uint64              BigInt                   BigInt (int64 where it fits)
//   []byte                     Uint8Array               Uint8Array, ArrayBuffer
//   time.Time                  Date                     Date
//   time.Duration              Duration                 Duration
//   []any, map[string]any      Array, Object            the same
//   []string, []int,           Array, Object            the same object again keeps
//   map[string]string                                   its type; a new one is the above
//   string that is not UTF-8   ByteString               ByteString

import { Writer, encodeText, wellFormed } from "./bytes.js";
import { SessionError } from "./errors.js";
import { ByteString, Duration, kept, maxNesting, tagBytesText, tagDuration, tagInt64, tagInts, tagStringMap, tagStrings, tagTime, tagUint64 } from "./cbor-types.js";

/**
 * Encodes a value; a SessionError names the type that cannot be kept, and where it is.
 * @param name that of the session's value, if it is one
 */
export function encode(value, name) {
  const w = new Writer(64);
  w.path = []; // to what is written: it stands where that throws
  try {
    write(w, value, 0);
  } catch (err) {
    throw err instanceof SessionError ? placed(err, name, w.path) : err;
  }
  return w.done();
}

const longestKey = 40; // characters

// Another error than the one that was thrown, whose stack would begin with its former message.
function placed(err, name, path) {
  const at = path.map((p) => typeof p === "number" ? `[${p}]` : /^[A-Za-z_$][\w$]{0,39}$/.test(p) ? `.${p}` : `[${JSON.stringify(p.slice(0, longestKey))}]`).join("");
  const where = [typeof name === "string" ? `session value ${JSON.stringify(name.slice(0, 128))}` : "", at && `at ${at}`].filter(Boolean).join(" ");
  return where ? new SessionError(err.code, `${where}: ${err.message}`, { cause: err.cause }) : err;
}

function head(w, major, n) {
  const m = major << 5;
  if (typeof n === "bigint" && n <= 0xffffffffn) n = Number(n);
  if (typeof n === "bigint") { w.u8(m | 27); w.raw(bigEndian(n)); }
  else if (n < 24) w.u8(m | n);
  else if (n <= 0xff) w.u8(m | 24).u8(n);
  else if (n <= 0xffff) w.u8(m | 25).u8(n >> 8).u8(n & 0xff);
  else if (n <= 0xffffffff) w.u8(m | 26).u8(n >>> 24).u8(n >>> 16 & 0xff).u8(n >>> 8 & 0xff).u8(n & 0xff);
  else { w.u8(m | 27); w.raw(bigEndian(BigInt(n))); }
}

function bigEndian(n) {
  const b = new Uint8Array(8);
  new DataView(b.buffer).setBigUint64(0, n);
  return b;
}

function integer(w, n) {
  if (n >= 0) head(w, 0, n);
  else head(w, 1, typeof n === "bigint" ? -1n - n : -1 - n);
}

const maxValue = 1 << 20; // bytes, as the core has it

function write(w, v, depth) {
  if (w.n > maxValue) throw new SessionError("value_size", "value is larger than 1 MiB"); // shared lists unfold without end
  switch (typeof v) {
    case "boolean": w.u8(v ? 0xf5 : 0xf4); return;
    case "number":
      if (Number.isSafeInteger(v) && !Object.is(v, -0)) integer(w, v);
      else float(w, v);
      return;
    case "bigint":
      if (v >= -(2n ** 63n) && v < 2n ** 63n) { head(w, 6, tagInt64); integer(w, v); }
      else if (v >= 0n && v < 2n ** 64n) { head(w, 6, tagUint64); head(w, 0, v); }
      else throw new SessionError("bad_value", "a BigInt beyond 64 bits cannot be kept in a session");
      return;
    case "string": string(w, v); return;
    case "object": object(w, v, depth); return;
  }
  throw refuse(typeof v);
}

function refuse(what) {
  return new SessionError("bad_value", `${what} cannot be kept in a session; allowed are null, boolean, number, BigInt, string, ` +
    "Uint8Array, ArrayBuffer, Date, Duration, Array and plain objects");
}

function string(w, s) {
  if (s instanceof ByteString) { head(w, 6, tagBytesText); head(w, 2, s.bytes.length); w.raw(s.bytes); return; }
  if (typeof s !== "string") throw refuse(typeof s);
  if (!wellFormed(s)) throw refuse("text with half a character (a lone surrogate)"); // it would be written as another text
  const b = encodeText(s);
  head(w, 3, b.length);
  w.raw(b);
}

function object(w, v, depth) {
  if (v === null) { w.u8(0xf6); return; }
  if (v instanceof Uint8Array) { head(w, 2, v.length); w.raw(v); return; }
  if (v instanceof ArrayBuffer) { head(w, 2, v.byteLength); w.raw(new Uint8Array(v)); return; }
  if (v instanceof Date) { time(w, v); return; }
  if (v instanceof Duration) {
    if (BigInt.asIntN(64, v.nanoseconds) !== v.nanoseconds) throw refuse("a Duration beyond 64 bits");
    head(w, 6, tagDuration);
    integer(w, v.nanoseconds);
    return;
  }
  if (v instanceof ByteString) { string(w, v); return; }
  if (depth >= maxNesting) throw new SessionError("nesting", "value nests lists and maps deeper than 16; one that contains itself has no end");
  const tag = kept.get(v)?.tag;
  if (Array.isArray(v)) {
    const all = tag === tagStrings ? v.every(isText) : tag === tagInts && v.every((x) => Number.isSafeInteger(x) && !Object.is(x, -0));
    if (all) head(w, 6, tag);
    head(w, 4, v.length);
    for (const [i, x] of v.entries()) within(w, i, x, depth + 1);
    return;
  }
  const proto = Object.getPrototypeOf(v);
  // A plain object of another realm is one, too.
  if (proto !== null && Object.getPrototypeOf(proto) !== null) throw refuse(`an object of ${proto.constructor?.name || "a class"}`);
  map(w, v, tag, depth);
}

function within(w, at, v, depth) {
  w.path.push(at);
  write(w, v, depth);
  w.path.pop();
}

const isText = (x) => typeof x === "string" || x instanceof ByteString;

function map(w, v, tag, depth) {
  const entries = Object.keys(v).map((k) => {
    const key = new Writer(16);
    string(key, k);
    return [key.done(), v[k], k];
  });
  entries.sort(([a], [b]) => compare(a, b));
  if (tag === tagStringMap && entries.every(([, x]) => isText(x))) head(w, 6, tag);
  head(w, 5, entries.length);
  for (const [k, x, name] of entries) { w.raw(k); within(w, name, x, depth + 1); }
}

// Encoded keys in bytewise order; the head has the length, so shorter is first.
function compare(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function time(w, d) {
  const ms = d.getTime();
  if (Number.isNaN(ms)) throw refuse("an invalid Date");
  const was = kept.get(d);
  const rest = was && was.ms === ms ? was : { nanos: (ms % 1000 + 1000) % 1000 * 1e6, east: 0 };
  head(w, 6, tagTime);
  head(w, 4, 3);
  integer(w, Math.floor(ms / 1000));
  integer(w, rest.nanos);
  integer(w, rest.east);
}

const scratch = new DataView(new ArrayBuffer(8));

// The shortest of half, single and double that is exactly the number.
function float(w, v) {
  if (Number.isNaN(v)) { w.u8(0xf9).u8(0x7e).u8(0); return; }
  if (Math.fround(v) === v) {
    scratch.setFloat32(0, v);
    const half = toHalf(scratch.getUint32(0));
    if (half >= 0) { w.u8(0xf9).u8(half >> 8).u8(half & 0xff); return; }
    w.u8(0xfa);
    for (let i = 0; i < 4; i++) w.u8(scratch.getUint8(i));
    return;
  }
  scratch.setFloat64(0, v);
  w.u8(0xfb);
  for (let i = 0; i < 8; i++) w.u8(scratch.getUint8(i));
}

function toHalf(bits) {
  const sign = bits >>> 16 & 0x8000, exp = (bits >>> 23 & 0xff) - 127, frac = bits & 0x7fffff;
  if (exp === 128) return frac === 0 ? sign | 0x7c00 : -1;
  if (exp === -127) return frac === 0 ? sign : -1;
  if (exp > 15) return -1;
  if (exp >= -14) return (frac & 0x1fff) === 0 ? sign | exp + 15 << 10 | frac >> 13 : -1;
  const shift = 13 - 14 - exp, whole = frac | 0x800000; // subnormal: the half's unit is 2^-24
  if (shift > 23 || (whole & (1 << shift) - 1) !== 0) return -1;
  return sign | whole >> shift;
}
