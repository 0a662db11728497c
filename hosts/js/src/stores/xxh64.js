// XXH64 with seed 0, the checksum of cachestore/redis. It finds damage, no forgery.

const p1 = 11400714785074694791n, p2 = 14029467366897019727n, p3 = 1609587929392839161n, p4 = 9650029242287828579n, p5 = 2870177450012600261n;
const u64 = (n) => BigInt.asUintN(64, n);
const rotate = (n, by) => u64(n << by) | n >> 64n - by;
const round = (acc, input) => u64(rotate(u64(acc + input * p2), 31n) * p1);
const merge = (h, acc) => u64((h ^ round(0n, acc)) * p1 + p4);

export function xxh64(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), end = bytes.length;
  let at = 0, h;
  if (end >= 32) {
    let a = u64(p1 + p2), b = p2, c = 0n, d = u64(-p1);
    for (; at + 32 <= end; at += 32) {
      a = round(a, view.getBigUint64(at, true));
      b = round(b, view.getBigUint64(at + 8, true));
      c = round(c, view.getBigUint64(at + 16, true));
      d = round(d, view.getBigUint64(at + 24, true));
    }
    h = u64(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
    for (const acc of [a, b, c, d]) h = merge(h, acc);
  } else h = p5;
  h = u64(h + BigInt(end));
  for (; at + 8 <= end; at += 8) h = u64(rotate(h ^ round(0n, view.getBigUint64(at, true)), 27n) * p1 + p4);
  if (at + 4 <= end) {
    h = u64(rotate(u64(h ^ BigInt(view.getUint32(at, true)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < end; at++) h = u64(rotate(u64(h ^ BigInt(bytes[at]) * p5), 11n) * p1);
  h = u64((h ^ h >> 33n) * p2);
  h = u64((h ^ h >> 29n) * p3);
  return h ^ h >> 32n;
}
