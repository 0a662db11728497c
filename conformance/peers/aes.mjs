// Holds the cipher as a WebAssembly module to Wycheproof's vectors, and to Node's
// own cipher with random messages, the same in every run:
//   node aes.mjs aes.wasm < aes_gcm_test.json
import { createCipheriv } from "node:crypto";
import { readFileSync } from "node:fs";

const roomSize = 1 << 16;
const guest = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2]))).exports;
guest._initialize();
const room = () => Buffer.from(guest.memory.buffer, guest.buffer(), roomSize);

// Where a result may go: so far behind the beginning of the text.
const places = { "in place": () => 0, overlapping: () => 5, apart: (text) => text };

// call returns null for what is refused. It also looks that the guest writes its
// result and nothing else.
function call(verb, m, text, place) {
  const args = Buffer.concat([m.key, m.iv, m.aad, text]);
  const out = args.length - text.length + places[place](text.length);
  room().set(args);
  const want = Buffer.from(room());
  const size = guest[verb](m.aad.length, text.length, out);
  const result = size < 0 ? null : Buffer.from(room().subarray(out, out + size));
  if (result) want.set(result, out);
  if (!want.equals(room())) throw new Error(`${m.name}, ${place}: ${verb} writes beside its result`);
  return result;
}

function holds(m, sealed) {
  for (const place in places) {
    if (!call("seal", m, m.msg, place)?.equals(sealed)) throw new Error(`${m.name}, ${place}: sealed otherwise`);
    if (!call("open", m, sealed, place)?.equals(m.msg)) throw new Error(`${m.name}, ${place}: not opened`);
  }
}

function refuses(m, sealed) {
  for (const place in places) {
    if (call("open", m, sealed, place) !== null) throw new Error(`${m.name}, ${place}: opened`);
  }
}

const count = { valid: 0, invalid: 0, random: 0 };
const groups = JSON.parse(readFileSync(0, "utf8")).testGroups;
for (const v of groups.filter((g) => g.keySize === 256 && g.ivSize === 96 && g.tagSize === 128).flatMap((g) => g.tests)) {
  const [key, iv, aad, msg, sealed] = [v.key, v.iv, v.aad, v.msg, v.ct + v.tag].map((hex) => Buffer.from(hex, "hex"));
  const check = { valid: holds, invalid: refuses }[v.result];
  if (!check) throw new Error(`vector ${v.tcId}: unknown result ${v.result}`);
  check({ name: `vector ${v.tcId}`, key, iv, aad, msg }, sealed);
  count[v.result]++;
}

const stream = createCipheriv("aes-256-ctr", Buffer.alloc(32), Buffer.alloc(16));
const bytes = (n) => stream.update(Buffer.alloc(n));
const below = (n) => bytes(4).readUInt32LE() % n;
for (; count.random < 400; count.random++) {
  const size = count.random < 300 ? count.random : below(16 << 10);
  const m = { name: `${size} random bytes`, key: bytes(32), iv: bytes(12), aad: bytes(below(200)), msg: bytes(size) };
  const own = createCipheriv("aes-256-gcm", m.key, m.iv).setAAD(m.aad);
  const sealed = Buffer.concat([own.update(m.msg), own.final(), own.getAuthTag()]);
  holds(m, sealed);
  sealed[below(sealed.length)] ^= 1 << below(8);
  refuses(m, sealed);
}
console.log(`ok: ${count.valid} valid and ${count.invalid} invalid vectors, ${count.random} random messages`);
