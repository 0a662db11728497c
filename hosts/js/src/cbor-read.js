// Reading the values that cbor.js describes.

import { Reader, decodeText } from "./bytes.js";
import { ByteString, Duration, kept, maxNesting, tagBytesText, tagDuration, tagInt64, tagInts, tagStringMap, tagStrings, tagTime, tagUint64 } from "./cbor-types.js";

/** Decodes one value, all of a part of the bytes. What the guest has checked is not checked again in full. */
export function decode(bytes, from, end) {
  const r = new Reader(bytes, from, end);
  const v = read(r, 0);
  if (r.left !== 0) throw new RangeError("a value has bytes behind its end");
  return v;
}

/** Skips one value and returns where it lies. */
export function skip(r) {
  const from = r.n;
  pass(r, 0);
  return { from, end: r.n };
}

function view(r, n) {
  const from = r.pass(n);
  return new DataView(r.b.buffer, r.b.byteOffset + from, n);
}

function pass(r, depth) {
  if (depth > 2 * maxNesting + 2) throw new RangeError("a value nests lists and maps deeper than 16"); // a tag each
  const first = r.b[r.n];
  if (first >= 0xe0) return void simple(r);
  const major = first >> 5, n = readHead(r);
  if (major === 2 || major === 3) r.pass(n);
  else if (major > 3) for (let left = major === 4 ? n : major === 5 ? 2 * n : 1; left > 0; left--) pass(r, depth + 1);
}

/** Reads the head of an item and returns its number; beyond 2^53 as a BigInt. */
export function readHead(r) {
  const info = r.u8() & 31;
  if (info < 24) return info;
  if (info === 24) return r.u8();
  if (info === 25) return r.u8() << 8 | r.u8();
  if (info === 26) return bigEndian(r);
  if (info > 27) throw new RangeError("not deterministic CBOR");
  const high = bigEndian(r), low = bigEndian(r);
  return high < 0x200000 ? high * 0x100000000 + low : BigInt(high) << 32n | BigInt(low);
}

function bigEndian(r) {
  const at = r.pass(4), { b } = r;
  return (b[at] << 24 | b[at + 1] << 16 | b[at + 2] << 8 | b[at + 3]) >>> 0;
}

function read(r, depth) {
  if (depth > maxNesting + 1) throw new RangeError("a value nests lists and maps deeper than 16");
  const first = r.b[r.n];
  if (first >= 0xe0) return simple(r);
  const n = readHead(r);
  switch (first >> 5) {
    case 0: return n;
    case 1: return typeof n === "bigint" || n === Number.MAX_SAFE_INTEGER ? -1n - BigInt(n) : -1 - n;
    case 2: return r.take(n);
    case 3: return decodeText(r.b, r.pass(n), n);
    case 4: return list(r, n, depth + 1);
    case 5: return entries(r, n, depth + 1);
  }
  return tagged(r, n, depth);
}

function list(r, n, depth) {
  const out = [];
  for (let i = 0; i < n; i++) out.push(read(r, depth));
  return out;
}

function entries(r, n, depth) {
  const out = {};
  for (let i = 0; i < n; i++) {
    const k = read(r, depth), value = read(r, depth);
    const key = k instanceof ByteString ? new TextDecoder().decode(k.bytes) : k;
    // Not by assignment: "__proto__" is a name like any other.
    Object.defineProperty(out, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return out;
}

function simple(r) {
  switch (r.u8()) {
    case 0xf4: return false;
    case 0xf5: return true;
    case 0xf6: return null;
    case 0xf9: {
      const h = r.u8() << 8 | r.u8(), exp = h >> 10 & 31, frac = h & 0x3ff;
      const v = exp === 31 ? (frac ? NaN : Infinity) : exp === 0 ? frac * 2 ** -24 : (1 + frac / 1024) * 2 ** (exp - 15);
      return h & 0x8000 ? -v : v;
    }
    case 0xfa: return view(r, 4).getFloat32(0);
    case 0xfb: return view(r, 8).getFloat64(0);
  }
  throw new RangeError("not a value of a session");
}

function tagged(r, tag, depth) {
  if (r.b[r.n] >> 5 === 6) throw new RangeError("not a value of a session");
  const v = read(r, depth);
  switch (tag) {
    case tagInt64: case tagUint64: return BigInt(v);
    case tagDuration: return new Duration(v);
    case tagBytesText: return new ByteString(v);
    case tagTime: {
      const [seconds, nanos, east] = v;
      const d = new Date(Number(seconds) * 1000 + Math.floor(nanos / 1e6));
      kept.set(d, { ms: d.getTime(), nanos, east });
      return d;
    }
    case tagStrings: case tagInts: case tagStringMap:
      kept.set(v, { tag });
      return v;
  }
  throw new RangeError("not a value of a session");
}
