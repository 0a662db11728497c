import { bound, isRetention, isText, only } from "../only.js";
import { decodeText, encodeText, idBytes, idText } from "../bytes.js";
import { checkRecord } from "../record.js";
import { Refused, SessionError } from "../errors.js";
import { convert, remove, save } from "./redis-scripts.js";
import { xxh64 } from "./xxh64.js";

// Offsets of the value; see the documentation of the Go package cachestore/redis.
const format = 1, offOwner = 8, offExpiry = 24, offFormat = 32, offSum = 35, offRest = 43, fixedSize = 67;
const latest = 2n ** 52n, bucketCount = 64, maxConversions = 3;

/**
 * Sessions in Redis or Valkey, with the keys, values and scripts of the Go
 * package cachestore/redis: a Go origin and a JavaScript edge share them. Set
 * the server's maxmemory-policy to noeviction, or sessions are dropped when its
 * memory is full; unlike the Go package this one does not look. The client sends
 * a command whose arguments are text or bytes, and gets a value as bytes:
 * Bun.RedisClient does.
 */
export class RedisStore {
  #client;
  #prefix;
  #retention;

  constructor(client, options) {
    const { prefix = "session:", retention = 3_600_000 } = only(options, { prefix: isText, retention: isRetention }, "RedisStore");
    this.#client = bound("RedisStore", client, ["send", "getBuffer"]);
    this.#prefix = prefix;
    this.#retention = BigInt(Math.max(Math.trunc(retention), 60_000));
  }

  async load(id) {
    const bytes = idBytes(id), [key] = this.#keys(bytes);
    const value = await this.#client.getBuffer(key);
    return value === null ? null : decode(bytes, new Uint8Array(value));
  }

  async save(record, prev) {
    checkRecord(record);
    const value = await encode(record, this.#retention), [key, index] = this.#keys(record.id);
    const keys = [key, index, bucket(index, place(record.id, value))], args = [prev === 0n ? this.#hint(value) : expected(record, prev, value), value, expires(value), entry(record.id, value), String(Date.now())];
    let [answer] = await this.#run(save, keys, args);
    for (let n = 0; Number(answer) === 3 && n < maxConversions; n++) {
      await this.#run(convert, [index, ...Array.from({ length: bucketCount }, (_, i) => bucket(index, i))], [String(Date.now())]);
      [answer] = await this.#run(save, keys, args);
    }
    if (Number(answer) === 1) return true;
    if (Number(answer) === 0) return false;
    if (Number(answer) === 2) throw damaged("is cut short");
    if (Number(answer) === 3) throw refusal("servers of the version before go on making an index of layout 1; stop them");
    throw refusal(String(answer)); // of this save alone, which has changed nothing
  }

  async delete(id) {
    const bytes = idBytes(id);
    await this.#run(remove, this.#keys(bytes), [bytes.slice(1)]);
  }

  /** Whether servers keep records of this store in a cache: the mark of the Go package. */
  async caching() {
    const mark = await this.#client.getBuffer(`${this.#prefix}caching`);
    return mark !== null && String.fromCharCode(...new Uint8Array(mark)) !== "off";
  }

  #keys(id) {
    const base = `${this.#prefix}{${hex(id.subarray(0, 1))}}:`;
    return [base + hex(id), base + "index"];
  }

  // The name of the list of shards that may have sessions of the owner; empty for nobody.
  #hint(value) {
    const owner = value.subarray(offOwner, offExpiry);
    return owner.subarray(0, 8).every((x) => x === 0) ? "" : `${this.#prefix}shards:{${hex(owner.subarray(0, 1))}}:${hex(owner)}`;
  }

  async #run(script, keys, args) {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.#client.send("EVALSHA", [script.sum, ...rest]);
    } catch (err) {
      if (!String(err?.message).includes("NOSCRIPT")) throw begun(err);
    }
    try {
      return await this.#client.send("EVAL", [script.text, ...rest]); // it was not begun
    } catch (err) {
      throw begun(err);
    }
  }
}

// Answers of a server that stop a script before its first write.
const before = /^(?:ERR )?-?(READONLY|OOM|NOREPLICAS|MISCONF|LOADING|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MOVED|ASK|NOAUTH|WRONGPASS|NOPERM) /;

const begun = (err) => before.test(String(err?.message)) ? refusal(err.message, err) : err;

const refusal = (answer, cause) => new SessionError(answer.includes("OOM ") ? "full" : "refused", `redis: ${answer.slice(0, 200)}`, { cause });

const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

// The bucket of the index, its entry of a session, and when the server forgets it.
const bucket = (index, n) => `${index}:${String.fromCharCode(48 + n)}`;

const place = (id, value) => (value.subarray(offOwner, offOwner + 8).every((x) => x === 0) ? id[1] : value[offOwner]) % bucketCount;

function entry(id, value) {
  const b = new Uint8Array(23);
  b.set(value.subarray(offOwner, offOwner + 4));
  b.set(value.subarray(offOwner + 8, offOwner + 12), 4);
  b.set(id.subarray(1), 8);
  return b;
}

const expires = (value) => String(new DataView(value.buffer).getBigUint64(offExpiry));

// How the stored value begins if the save is the common one: prev, and owner and
// expiry as they are to be.
function expected(record, prev, value) {
  if (prev === record.version) return "same"; // no version has four bytes: it replaces nothing
  const b = value.slice(0, offFormat);
  new DataView(b.buffer).setBigUint64(0, prev);
  return b;
}

async function digest8(text) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encodeText(text)), 0, 8);
}

async function encode(r, retention) {
  const tenant = encodeText(r.tenant), user = encodeText(r.user);
  const b = new Uint8Array(fixedSize + tenant.length + user.length + r.sealed.length), v = new DataView(b.buffer);
  v.setBigUint64(0, r.version);
  if (user.length > 0) {
    const owner = await digest8(r.user);
    if (owner.every((x) => x === 0)) owner[0] = 1; // zero is nobody
    b.set(owner, offOwner);
  }
  b.set(await digest8(r.tenant), offOwner + 8);
  const at = BigInt(r.expiresAt), expiry = at > latest - retention ? latest : at + retention;
  v.setBigUint64(offExpiry, expiry < 1n ? 1n : expiry);
  b.set([format, tenant.length, user.length], offFormat);
  [r.createdAt, r.seenAt, r.expiresAt].forEach((t, i) => v.setBigInt64(offRest + 8 * i, BigInt(t)));
  b.set(tenant, fixedSize);
  b.set(user, fixedSize + tenant.length);
  b.set(r.sealed, fixedSize + tenant.length + user.length);
  v.setBigUint64(offSum, checksum(r.id, b));
  return b;
}

function checksum(id, b) {
  const all = new Uint8Array(16 + b.length - 8);
  all.set(id);
  all.set(b.subarray(0, offSum), 16);
  all.set(b.subarray(offRest), 16 + offSum);
  return xxh64(all);
}

function decode(id, b) {
  if (b.length > offFormat && b[offFormat] > format) throw new Error(`redis: session ${idText(id)} has format ${b[offFormat]}, this program reads up to ${format}`);
  if (b.length < fixedSize || b[offFormat] !== format) throw damaged("is cut short, or of no format");
  const v = new DataView(b.buffer, b.byteOffset, b.length);
  if (v.getBigUint64(offSum) !== checksum(id, b)) throw damaged("does not match its checksum");
  const user = fixedSize + b[offFormat + 1], sealed = user + b[offFormat + 2];
  if (b.length < sealed) throw damaged("is cut short");
  const time = (i) => Number(v.getBigInt64(offRest + 8 * i));
  try {
    return {
      id, version: v.getBigUint64(0), createdAt: time(0), seenAt: time(1), expiresAt: time(2),
      tenant: decodeText(b.subarray(fixedSize, user)), user: decodeText(b.subarray(user, sealed)), sealed: b.slice(sealed),
    };
  } catch {
    throw damaged("has a name that is no text");
  }
}

const damaged = (how) => new Refused("corrupt", `redis: a value ${how}`);
