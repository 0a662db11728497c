// Writes a tiny module with the exports of the ABI, for tests:
//   node make.mjs version|trap|hang FILE
// "version" is of ABI version 77. "trap" and "hang" take every setup, trap or
// run for ever on a request that ends with that word, and else answer that there
// is no cookie.
import { writeFileSync } from "node:fs";

const [, , kind, path] = process.argv;
const leb = (n) => { const out = []; do { out.push(n & 127 | (n > 127 ? 128 : 0)); n >>>= 7; } while (n); return out; };
const vec = (items) => [...leb(items.length), ...items.flat()];
const section = (id, body) => [id, ...leb(body.length), ...body];
const str = (s) => [...leb(s.length), ...Buffer.from(s)];
const i32 = 0x7f, i64 = 0x7e;
const sleb = (n) => { const out = []; for (;;) { const b = Number(n & 127n); n >>= 7n; if (n === 0n && !(b & 64) || n === -1n && b & 64) { out.push(b); return out; } out.push(b | 128); } };
const constI32 = (n) => [0x41, ...sleb(BigInt(n))];
const constI64 = (n) => [0x42, ...sleb(BigInt(n))];
const code = (body) => { const b = [0, ...body, 0x0b]; return [...leb(b.length), ...b]; };

const buffer = 4096, setupReply = 64, noCookie = 128;
// number 1, no warnings, the defaults of a policy.
const name = "rockstar_session", retention = Buffer.alloc(8);
retention.writeBigInt64LE(3600000n);
const setup = [0, 1, 0, 0, 0, 0, 0, 0, 0, name.length, 0, ...Buffer.from(name), ...Buffer.alloc(8), ...retention];
const refusal = [1, 0, 0, 0, 0];
const packed = (at, bytes) => constI64(BigInt(at) << 32n | BigInt(bytes.length));
const bad = kind === "hang" ? [0x03, 0x40, 0x0c, 0, 0x0b] : [0x00]; // loop br 0 end, or unreachable
const handle = [
  ...constI32(buffer), 0x2d, 0, 0, ...constI32(1), 0x46, // first byte is configure?
  0x04, 0x40, ...packed(setupReply, setup), 0x0f, 0x0b, //   return the setup's reply
  0x20, 0, ...constI32(buffer - 4), 0x6a, 0x28, 2, 0, ...constI32(Buffer.from(kind).readInt32LE()), 0x46, // last four bytes are the word?
  0x04, 0x40, ...bad, 0x0b,
  ...packed(noCookie, refusal),
];
const module = [
  0, ...Buffer.from("asm"), 1, 0, 0, 0,
  ...section(1, vec([[0x60, 0, 0], [0x60, 0, 1, i32], [0x60, 1, i32, 1, i32], [0x60, 1, i32, 1, i64]])),
  ...section(3, vec([0, 1, 2, 3])),
  ...section(5, vec([[0, 1]])),
  ...section(7, vec([["_initialize", 0, 0], ["abi_version", 0, 1], ["buffer", 0, 2], ["handle", 0, 3], ["memory", 2, 0]].map(([n, k, i]) => [...str(n), k, i]))),
  ...section(10, vec([code([]), code(constI32(kind === "version" ? 77 : 3)), code(constI32(buffer)), code(handle)])),
  ...section(11, vec([[setupReply, setup], [noCookie, refusal]].map(([at, bytes]) => [0, ...constI32(at), 0x0b, ...vec(bytes)]))),
];
writeFileSync(path, Buffer.from(module));
