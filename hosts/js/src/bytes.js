// Little-endian frames, written and read; see wasm/README.md.

const text = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

const eight = new DataView(new ArrayBuffer(8)); // for what plain arithmetic cannot do

/** Writer grows a buffer. */
export class Writer {
  constructor(room = 1024) {
    this.b = new Uint8Array(room);
    this.n = 0;
  }
  need(n) {
    if (this.n + n <= this.b.length) return;
    const b = new Uint8Array(Math.max(2 * this.b.length, this.n + n));
    b.set(this.b.subarray(0, this.n));
    this.b = b;
  }
  u8(v) { this.need(1); this.b[this.n++] = v; return this; }
  u16(v) {
    this.need(2);
    const { b, n } = this;
    b[n] = v; b[n + 1] = v >> 8;
    this.n = n + 2;
    return this;
  }
  u32(v) {
    this.need(4);
    const { b, n } = this;
    b[n] = v; b[n + 1] = v >> 8; b[n + 2] = v >> 16; b[n + 3] = v >> 24;
    this.n = n + 4;
    return this;
  }
  u64(v) { eight.setBigUint64(0, BigInt.asUintN(64, v), true); return this.u32(eight.getUint32(0, true)).u32(eight.getUint32(4, true)); }
  // A moment is a whole number that a double holds: two halves, without a BigInt.
  time(ms) {
    if (!Number.isFinite(ms)) throw new RangeError("a moment is no number");
    const t = Math.trunc(ms), high = Math.floor(t / 0x100000000);
    return this.u32(t - high * 0x100000000).u32(high);
  }
  flag(on) { return this.u8(on ? 1 : 0); }
  raw(bytes) { this.need(bytes.length); this.b.set(bytes, this.n); this.n += bytes.length; return this; }
  short(v) {
    if (typeof v === "string" && v.length <= 0xffff && this.u16(v.length).#codes(v, v.length, 0x7f)) return this;
    const b = typeof v === "string" ? text.encode(v) : v;
    if (b.length > 0xffff) throw new RangeError("a field of a frame is longer than 65535 bytes");
    return this.u16(b.length).raw(b);
  }
  long(v) {
    if (typeof v === "string" && this.u32(v.length).#codes(v, v.length, 0x7f, 4)) return this;
    const b = typeof v === "string" ? text.encode(v) : v;
    return this.u32(b.length).raw(b);
  }
  // A text, at most `most` bytes of it.
  clipped(v, most) {
    if (v.length <= most && this.u16(v.length).#codes(v, v.length, 0x7f)) return this;
    return this.short(text.encode(v).subarray(0, most));
  }
  // A header field in ASCII. Its other bytes come decoded in one way or the other,
  // by runtime: each run of them is a "?" everywhere, as in hosts.Request.
  header(v, most) {
    if (v.length > most || !this.u16(v.length).#codes(v, v.length, 0x7f)) {
      const plain = v.replace(/[^\0-\x7f]+/g, "?").slice(0, most);
      this.u16(plain.length).#codes(plain, plain.length, 0x7f);
    }
    return this;
  }
  // Texts of a frame are plain as a rule: no encoder for these. One that is not
  // takes back its length, too, and reports false.
  #codes(s, n, most, length = 2) {
    this.need(n);
    const { b, n: from } = this;
    for (let i = 0; i < n; i++) {
      const c = s.charCodeAt(i);
      if (c > most) { this.n = from - length; return false; }
      b[from + i] = c;
    }
    this.n = from + n;
    return true;
  }
  done() { return this.b.subarray(0, this.n); }
}

/**
 * Reader reads a part of the bytes, and copies what it returns of them. It
 * throws a RangeError where a frame ends too early.
 */
export class Reader {
  constructor(b, from = 0, end = b.length) {
    this.b = b;
    this.n = from;
    this.end = end;
  }
  // Moves on by n bytes, and returns where they begin.
  pass(n) {
    const from = this.n;
    if (n > this.end - from) throw new RangeError("a frame ends too early");
    this.n = from + n;
    return from;
  }
  take(n) { const from = this.pass(n); return copy(this.b, from, from + n); }
  u8() { return this.b[this.pass(1)]; }
  u16() { const at = this.pass(2), { b } = this; return b[at] | b[at + 1] << 8; }
  u32() { const at = this.pass(4), { b } = this; return (b[at] | b[at + 1] << 8 | b[at + 2] << 16 | b[at + 3] << 24) >>> 0; }
  u64() { eight.setUint32(0, this.u32(), true); eight.setUint32(4, this.u32(), true); return eight.getBigUint64(0, true); }
  time() { return this.u32() + (this.u32() | 0) * 0x100000000; }
  flag() { return this.u8() === 1; }
  short() { const n = this.u16(), from = this.pass(n); return ascii(this.b, from, n) ?? lenient.decode(this.b.subarray(from, from + n)); }
  longBytes() { return this.take(this.u32()); }
  long() { const n = this.u32(), from = this.pass(n); return lenient.decode(this.b.subarray(from, from + n)); }
  list() { return Array.from({ length: this.u32() }, () => this.long()); }
  get left() { return this.end - this.n; }
}

/** A copy of a part; the slice of a Buffer is none. */
export const copy = (b, from, end) => Uint8Array.prototype.slice.call(b, from, end);

export const encodeText = (s) => text.encode(s);

/** Reports whether a string has no half of a character (a lone surrogate). */
export function wellFormed(s) {
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c < 0xd800 || c >= 0xe000) continue;
    const next = s.charCodeAt(i + 1);
    if (c >= 0xdc00 || !(next >= 0xdc00 && next < 0xe000)) return false;
    i++;
  }
  return true;
}

/** Throws a TypeError for bytes that are not UTF-8. */
export const decodeText = (b, from = 0, n = b.length) => ascii(b, from, n) ?? utf8.decode(b.subarray(from, from + n));

// Most texts are short and plain: a decoder costs more than they do.
function ascii(b, from, n) {
  if (n > 40) return null;
  let out = "";
  for (let i = from; i < from + n; i++) {
    if (b[i] > 0x7f) return null;
    out += String.fromCharCode(b[i]);
  }
  return out;
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Writes 16 bytes as the 22 characters of a session ID (base64url). */
export function idText(id) {
  let out = "";
  for (let i = 0; i < 15; i += 3) {
    const three = id[i] << 16 | id[i + 1] << 8 | id[i + 2];
    out += digits[three >> 18] + digits[three >> 12 & 63] + digits[three >> 6 & 63] + digits[three & 63];
  }
  return out + digits[id[15] >> 2] + digits[id[15] << 4 & 63];
}

/** Reads the 22 characters; throws a RangeError for anything that idText did not write. */
export function idBytes(id) {
  const out = new Uint8Array(16);
  let bits = 0, held = 0, n = 0;
  for (const c of id) {
    const v = digits.indexOf(c);
    if (v < 0 || n > 16) throw new RangeError("a session ID is 22 characters of base64url");
    held = held << 6 | v;
    bits += 6;
    if (bits >= 8) {
      out[n++] = held >> bits - 8;
      bits -= 8;
      held &= (1 << bits) - 1;
    }
  }
  if (id.length !== 22 || n !== 16 || held !== 0) throw new RangeError("a session ID is 22 characters of base64url");
  return out;
}
