// A host of the core in plain Node, written from ../README.md alone: the story of one session over a store in memory.
//   node host.mjs ../core.wasm
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const op = { configure: 1, identify: 2, new: 3, resume: 4, apply: 5, commit: 6, rebase: 7 };
const reasons = ["none", "malformed", "unknown_key", "not_authentic", "unknown_session", "wrong_tenant", "idle", "expired",
  "superseded", "theft", "ip_changed", "user_agent_changed", "ended", "corrupt", "ip_family", "cross_site"];
const breaches = reasons.slice(9, 12); // after these the session is deleted

function number(n, size) {
  const b = Buffer.alloc(8);
  b.writeBigInt64LE(BigInt(n));
  return b.subarray(0, size);
}
const u8 = (n) => number(n, 1), u32 = (n) => number(n, 4), time = (ms) => number(ms, 8);
const lp2 = (b) => Buffer.concat([number(b.length, 2), Buffer.from(b)]);
const lp4 = (b) => Buffer.concat([u32(b.length), Buffer.from(b)]);

class Reader {
  constructor(bytes) { this.b = bytes; }
  take(n) { assert(n <= this.b.length, "cut off"); const out = this.b.subarray(0, n); this.b = this.b.subarray(n); return out; }
  u8() { return this.take(1)[0]; }
  u16() { return this.take(2).readUInt16LE(); }
  u32() { return this.take(4).readUInt32LE(); }
  u64() { return this.take(8).readBigUInt64LE(); }
  lp2() { return this.take(this.u16()); }
  lp4() { return this.take(this.u32()); }
  list(one) { return Array.from({ length: this.u32() }, one); }
  record() { // its bytes, whole
    const r = new Reader(this.b);
    r.take(16 + 4 * 8), r.lp2(), r.lp2(), r.lp4();
    return this.take(this.b.length - r.b.length);
  }
  cbor() { // what this story needs of it
    const first = this.u8(), low = first & 31;
    const n = low < 24 ? low : Number(BigInt("0x" + this.take(1 << (low - 24)).toString("hex")));
    switch (first >> 5) {
      case 0: return n;
      case 2: return this.take(n);
      case 3: return this.take(n).toString();
      case 5: return new Map(Array.from({ length: n }, () => [this.cbor(), this.cbor()]));
      default: throw new Error("not in this story");
    }
  }
}

class Refused extends Error {
  constructor(reason, recent = 0) { super(reason); this.recent = recent; }
}

class Host {
  constructor(module, key) {
    this.guest = new WebAssembly.Instance(module).exports;
    this.guest._initialize();
    assert.equal(this.guest.abi_version(), 3);
    const policy = Buffer.alloc(3 * 2 + 2 + 4 + 7 * 8 + 4 * 4 + 4 + 4 + 4); // all defaults
    const r = this.ask(op.configure, policy, u32(1), lp2(key), time(0), time(0), time(0));
    this.machine = r.u32();
    this.records = new Map();
  }
  ask(verb, ...parts) {
    const frame = Buffer.concat(verb === op.configure ? [u8(verb), ...parts] : [u8(verb), u32(this.machine), ...parts]);
    const at = this.guest.buffer(frame.length) >>> 0;
    assert(at, "frame is too large");
    new Uint8Array(this.guest.memory.buffer).set(frame, at);
    const packed = BigInt.asUintN(64, this.guest.handle(frame.length));
    const from = Number(packed >> 32n), length = Number(packed & 0xffffffffn);
    const r = new Reader(Buffer.from(this.guest.memory.buffer.slice(from, from + length))); // a copy
    const status = r.u8();
    if (status === 1) throw new Refused(reasons[r.u8()], r.u8());
    if (status === 8) throw new Error(`conflict of ${r.lp2()}`);
    if (status !== 0) throw new Error(`status ${status}: ${r.b}`);
    return r;
  }
  load(cookie) { // the session of a request, or a new one and why
    const request = (flags) => Buffer.concat([lp2(""), lp2(Buffer.of(192, 0, 2, 7)), lp2("story"), u8(flags)]);
    let first = null;
    try {
      const r = this.ask(op.identify, time(Date.now()), lp2(""), u32(cookie ? 1 : 0), ...(cookie ? [lp4(cookie)] : []));
      for (const ticket of r.list(() => r.take(61)).slice(0, 2)) {
        const record = this.records.get(ticket.toString("hex", 0, 16));
        try {
          if (!record) throw new Refused("unknown_session");
          return { session: this.ask(op.resume, time(Date.now()), ticket, request(0), record).b, why: null };
        } catch (err) {
          if (!(err instanceof Refused)) throw err;
          if (breaches.includes(err.message)) this.records.delete(ticket.toString("hex", 0, 16));
          first ??= err;
        }
      }
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      first = err;
    }
    const superseded = first.message === "superseded" && first.recent ? 8 : 0; // the browser may have a later cookie by now
    return { session: this.ask(op.new, request(superseded)).b, why: first.message };
  }
  apply(session, ...changes) { return this.ask(op.apply, session, ...changes).b; }
  commit(session) { // the Set-Cookie fields
    for (const end = Date.now() + 5000; Date.now() < end;) {
      if (BigInt(Date.now()) < session.readBigInt64LE(4)) return []; // nothing is due
      const e = this.ask(op.commit, time(Date.now()), randomBytes(32), session);
      this.records.delete(e.take(16).toString("hex"));
      if (e.u8()) this.save({ record: e.record(), prev: 0n }); // the trace: whether it is stored is no matter
      const save = e.u8() ? { record: e.record(), prev: e.u64() } : null;
      const touch = e.u8(), cookies = e.list(() => e.lp4().toString());
      e.list(() => e.lp4()); // names of values that a login left out
      if (!save || this.save(save)) return cookies;
      if (touch) return [];
      if (save.prev === 0n) continue;
      const theirs = this.records.get(save.record.toString("hex", 0, 16));
      const r = this.ask(op.rebase, time(Date.now()), session, theirs ? Buffer.concat([u8(1), theirs]) : u8(0));
      if (!r.u8()) return [];
      session = r.b;
    }
    throw new Error("too many conflicts");
  }
  save({ record, prev }) { // compare-and-set
    const id = record.toString("hex", 0, 16), held = this.records.get(id)?.readBigUInt64LE(16) ?? 0n;
    if (held !== prev && held !== record.readBigUInt64LE(16)) return false;
    this.records.set(id, record);
    return true;
  }
}

function show(session) { // user and values
  const r = new Reader(session);
  r.take(1 + 1);
  const flags = r.u16();
  r.take(8 + 16 + 4 * 8), r.lp2(), r.lp2();
  const payload = r.lp4();
  let values = payload.length ? new Reader(payload).cbor().get(17) : new Map();
  if (flags & 1) values = new Map(r.list(() => [r.lp2().toString(), new Reader(r.lp4()).cbor()]));
  if (flags & 1024) r.list(() => [r.lp2(), r.take(1 + 1 + 8)]); // the marks
  r.take(61), r.lp2(), r.lp2(), r.lp2(), r.take(1 + 16);
  return `${r.lp2() || "nobody"} ${JSON.stringify(Object.fromEntries(values))}`;
}

const set = (name, cbor) => Buffer.concat([u8(1), lp2(name), lp4(cbor)]);
const read = (name) => Buffer.concat([u8(9), lp2(name)]);
const add = (name, n) => Buffer.concat([u8(10), lp2(name), number(n, 8)]);
const login = (user) => Buffer.concat([u8(4), lp2(user), time(0)]);
const end = u8(8);

const host = new Host(new WebAssembly.Module(readFileSync(process.argv[2])), randomBytes(32));
const first = host.load("");
console.log("visitor:", first.why);
const [given] = host.commit(host.apply(first.session, login("alice"), set("cart", [3])));
const cookie = given.split(";")[0];
console.log("cookie:", given.replace(/=[^;]+/, "=..."));
const [one, two] = [host.load(cookie).session, host.load(cookie).session];
console.log("read:", show(one));
host.commit(host.apply(one, set("colour", [0x63, ...Buffer.from("red")])));
host.commit(host.apply(two, set("cart", [4]))); // meets a conflict and is rebased
console.log("both:", show(host.load(cookie).session));
host.commit(host.apply(host.load(cookie).session, read("cart"), set("cart", [5])));
try {
  host.commit(host.apply(two, read("cart"), set("cart", [6])));
} catch (err) { console.log("refused:", err.message); }
for (const late of [host.load(cookie).session, host.load(cookie).session].map((s) => host.apply(s, add("hits", 1)))) host.commit(late);
console.log("added:", show(host.load(cookie).session));
console.log("unchanged:", host.commit(host.load(cookie).session).length, "cookies");
const [cleared] = host.commit(host.apply(host.load(cookie).session, end));
console.log("ended:", cleared);
console.log("again:", host.load(cookie).why, host.records.size);
const [carols] = host.commit(host.apply(host.load("").session, login("carol"))).map((c) => c.split(";")[0]);
host.commit(host.apply(host.load(carols).session, login("dave")));
const late = host.load(carols);
try {
  host.commit(host.apply(late.session, set("cart", [7])));
} catch (err) { console.log("late:", late.why, err.message, host.records.size); }
