// Little-endian frames, written and read; see wasm/README.md.

const text = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Writer grows a buffer. */
export class Writer {
  constructor(room = 1024) {
    this.b = new Uint8Array(room);
    this.view = new DataView(this.b.buffer);
    this.n = 0;
  }
  need(n) {
    if (this.n + n <= this.b.length) return;
    const b = new Uint8Array(Math.max(2 * this.b.length, this.n + n));
    b.set(this.b.subarray(0, this.n));
    this.b = b;
    this.view = new DataView(b.buffer);
  }
  u8(v) { this.need(1); this.b[this.n++] = v; return this; }
  // Texts of a frame are ASCII as a rule: no encoder for these.
  text(s, at) {
    this.need(s.length);
    const b = this.b;
    for (let i = 0; i < s.length; i++) {
      const c = s.charCodeAt(i);
      if (c > 0x7f) { this.n = at; return false; }
      b[this.n++] = c;
    }
    return true;
  }
  u16(v) { this.need(2); this.view.setUint16(this.n, v, true); this.n += 2; return this; }
  u32(v) { this.need(4); this.view.setUint32(this.n, v, true); this.n += 4; return this; }
  u64(v) { this.need(8); this.view.setBigUint64(this.n, BigInt.asUintN(64, v), true); this.n += 8; return this; }
  // A moment is a whole number that a double holds: two halves, without a BigInt.
  time(ms) {
    if (!Number.isFinite(ms)) throw new RangeError("a moment is no number");
    const t = Math.trunc(ms), high = Math.floor(t / 0x100000000);
    return this.u32(t - high * 0x100000000).u32(high >>> 0);
  }
  flag(on) { return this.u8(on ? 1 : 0); }
  raw(bytes) { this.need(bytes.length); this.b.set(bytes, this.n); this.n += bytes.length; return this; }
  short(v) {
    if (typeof v === "string" && v.length < 0x100 && this.u16(v.length).text(v, this.n - 2)) return this;
    const b = typeof v === "string" ? text.encode(v) : v;
    if (b.length > 0xffff) throw new RangeError("a field of a frame is longer than 65535 bytes");
    return this.u16(b.length).raw(b);
  }
  long(v) { const b = typeof v === "string" ? text.encode(v) : v; return this.u32(b.length).raw(b); }
  done() { return this.b.subarray(0, this.n); }
}

/** Reader throws a RangeError where a frame ends too early. */
export class Reader {
  constructor(b) {
    this.b = b;
    this.view = new DataView(b.buffer, b.byteOffset, b.byteLength);
    this.n = 0;
  }
  take(n) {
    if (n > this.b.length - this.n) throw new RangeError("a frame ends too early");
    this.n += n;
    return this.b.subarray(this.n - n, this.n);
  }
  u8() {
    if (this.n >= this.b.length) throw new RangeError("a frame ends too early");
    return this.b[this.n++];
  }
  u16() { this.take(2); return this.view.getUint16(this.n - 2, true); }
  u32() { this.take(4); return this.view.getUint32(this.n - 4, true); }
  u64() { this.take(8); return this.view.getBigUint64(this.n - 8, true); }
  time() { this.take(8); return this.view.getUint32(this.n - 8, true) + this.view.getInt32(this.n - 4, true) * 0x100000000; }
  flag() { return this.u8() === 1; }
  shortBytes() { return this.take(this.u16()); }
  short() { const b = this.shortBytes(); return ascii(b) ?? lenient.decode(b); }
  longBytes() { return this.take(this.u32()); }
  long() { return lenient.decode(this.longBytes()); }
  list() { return Array.from({ length: this.u32() }, () => this.long()); }
  get left() { return this.b.length - this.n; }
}

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

/**
 * The bytes of a header field, at most `most` of them. The standard gives each
 * byte as one character; a runtime that has decoded UTF-8 gets it encoded again.
 */
export function headerBytes(value, most) {
  const b = new Uint8Array(Math.min(value.length, most));
  for (let i = 0; i < b.length; i++) {
    const c = value.charCodeAt(i);
    if (c > 0xff) return text.encode(value).subarray(0, most);
    b[i] = c;
  }
  return b;
}

/** Throws a TypeError for bytes that are not UTF-8. */
export const decodeText = (b) => ascii(b) ?? utf8.decode(b);

// Most texts are short and plain: a decoder costs more than they do.
function ascii(b) {
  if (b.length > 40) return null;
  let out = "";
  for (let i = 0; i < b.length; i++) {
    if (b[i] > 0x7f) return null;
    out += String.fromCharCode(b[i]);
  }
  return out;
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Writes 16 bytes as the 22 characters of a session ID (base64url). */
export function idText(id) {
  let out = "", bits = 0, held = 0;
  for (const b of id) {
    held = held << 8 | b;
    for (bits += 8; bits >= 6; bits -= 6) out += digits[held >> bits - 6 & 63];
    held &= 0xff;
  }
  return bits ? out + digits[held << 6 - bits & 63] : out;
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
