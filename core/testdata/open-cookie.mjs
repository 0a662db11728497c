// Opens a session cookie with nothing but Node 18 or later and the package
// documentation of core, and prints what is in it, secret and all.
//
//   SESSION_ENCRYPTION_KEY=<64 hex digits> node open-cookie.mjs NAME VALUE [TENANT]
import { createDecipheriv, createHash, hkdfSync } from "node:crypto";

const [name, value, tenant = ""] = process.argv.slice(2);
const key = Buffer.from(process.env.SESSION_ENCRYPTION_KEY ?? "", "hex");
if (key.length !== 32 || !value) {
  throw new Error("usage: SESSION_ENCRYPTION_KEY=<64 hex digits> node open-cookie.mjs NAME VALUE [TENANT]");
}

const raw = Buffer.from(value, "base64url");
const [version, keyID, epoch] = [raw[0], raw.subarray(1, 5), raw.readUInt32BE(5)];
const [header, nonce, sealed, tag] = [raw.subarray(0, 9), raw.subarray(9, 21), raw.subarray(21, -16), raw.subarray(-16)];
if (version !== 1) throw new Error(`format ${version}: this script reads format 1`);

const expected = createHash("sha256").update("rockstar sessions key id\0").update(key).digest().subarray(0, 4);
if (!keyID.equals(expected)) throw new Error(`sealed under key ${keyID.toString("hex")}, not under ${expected.toString("hex")}`);

const info = Buffer.concat([Buffer.from("rockstar sessions v1 cookie\0"), raw.subarray(5, 9)]);
const subkey = Buffer.from(hkdfSync("sha256", key, "", info, 64)).subarray(0, 32);

const field = (text) => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};
const gcm = createDecipheriv("aes-256-gcm", subkey, nonce);
gcm.setAAD(Buffer.concat([header, field("cookie"), field(name), field(tenant)]));
gcm.setAuthTag(tag);
const plain = Buffer.concat([gcm.update(sealed), gcm.final()]);

console.log(JSON.stringify({
  keyID: keyID.toString("hex"),
  hour: new Date(epoch * 3600000).toISOString(),
  id: plain.toString("base64url", 0, 16),
  secret: plain.toString("base64url", 16, 48),
  chain: plain.readUInt32BE(48),
  step: plain.readUInt32BE(52),
}));
