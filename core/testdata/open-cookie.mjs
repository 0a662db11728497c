// Opens session cookies and records with nothing but Node 18 or later and the
// package documentation of core. Of the secret it prints only the SHA-256.
//
//   export SESSION_ENCRYPTION_KEY=<64 hex digits>
//   node open-cookie.mjs NAME VALUE [TENANT]
//   node open-cookie.mjs --record SEALED-IN-HEX < its clear fields in JSON
import { createDecipheriv, createHash, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";

const key = Buffer.from(process.env.SESSION_ENCRYPTION_KEY ?? "", "hex");
const [what, given, tenant = ""] = process.argv.slice(2);
if (key.length !== 32 || !given) throw new Error("usage: see the head of this file");

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const field = (text) => {
  const bytes = Buffer.from(text), length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const eight = (number) => { const b = Buffer.alloc(8); b.writeBigInt64BE(BigInt(number)); return b; };

function open(raw, purpose, rest) {
  if (raw[0] !== 1) throw new Error(`format ${raw[0]}: this script reads format 1`);
  const keyID = sha256(Buffer.from("rockstar sessions key id\0"), key).subarray(0, 4);
  if (!keyID.equals(raw.subarray(1, 5))) throw new Error(`sealed under key ${raw.toString("hex", 1, 5)}, not under ${keyID.toString("hex")}`);
  const info = Buffer.concat([Buffer.from(`rockstar sessions v1 ${purpose}\0`), raw.subarray(5, 9)]);
  const gcm = createDecipheriv("aes-256-gcm", Buffer.from(hkdfSync("sha256", key, "", info, 64)).subarray(0, 32), raw.subarray(9, 21));
  gcm.setAAD(Buffer.concat([raw.subarray(0, 9), field(purpose), ...rest]));
  gcm.setAuthTag(raw.subarray(-16));
  return Buffer.concat([gcm.update(raw.subarray(21, -16)), gcm.final()]);
}

// CBOR without floats: bytes in hex, private tags as {tag, value}.
function cbor(data, at = { i: 0 }) {
  const major = data[at.i] >> 5, info = data[at.i++] & 31, size = info < 24 ? 0 : 1 << (info - 24);
  if (major === 7) return { 20: false, 21: true, 22: null }[info];
  const n = size === 0 ? info : size === 8 ? Number(data.readBigUInt64BE(at.i)) : data.readUIntBE(at.i, size);
  const take = (length) => data.subarray(at.i, (at.i += length));
  at.i += size;
  switch (major) {
    case 0: return n;
    case 1: return -1 - n;
    case 2: return take(n).toString("hex");
    case 3: return take(n).toString();
    case 4: return Array.from({ length: n }, () => cbor(data, at));
    case 5: return Object.fromEntries(Array.from({ length: n }, () => [cbor(data, at), cbor(data, at)]));
    case 6: return { tag: n, value: cbor(data, at) };
  }
}

if (what === "--record") {
  const r = JSON.parse(readFileSync(0, "utf8"));
  const rest = [Buffer.from(r.ID, "base64url"), ...[r.Version, r.CreatedAt, r.SeenAt, r.ExpiresAt].map(eight), field(r.Tenant), field(r.User)];
  console.log(JSON.stringify(cbor(open(Buffer.from(given, "hex"), "record", rest))));
} else {
  const plain = open(Buffer.from(given, "base64url"), "cookie", [field(what), field(tenant)]);
  console.log(JSON.stringify({
    id: plain.toString("base64url", 0, 16), secretHash: sha256(plain.subarray(16, 48)).toString("hex"),
    chain: plain.readUInt32BE(48), step: plain.readUInt32BE(52),
  }));
}
