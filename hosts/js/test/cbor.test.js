import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteString, Duration, decode, encode, typed } from "../node.js";
import { hex, unhex, vectors } from "./world.js";

// Values whose Go type JavaScript numbers do not tell: a whole float64 reads as
// a number and is an int when it is written; uint64 is int64 where it fits.
const changes = ["float-whole.txt", "float-0.txt", "float-single.txt", "uint64.txt", "int-max.txt", "int-min.txt"];

test("every value of Go reads, and writes back to the same bytes", () => {
  let same = 0;
  for (const v of vectors("value")) {
    const value = decode(unhex(v["in.cbor"])), again = hex(encode(value));
    if (again === v["in.cbor"]) same++;
    else assert.ok(changes.includes(v.file.split("/")[1]), `${v.file}: ${v["in.cbor"]} came back as ${again}`);
  }
  assert.equal(same, vectors("value").length - changes.length);
});

test("values of Go are what JavaScript takes them for", () => {
  const of = (name) => decode(unhex(vectors("value").find((v) => v.file === `value/${name}.txt`)["in.cbor"]));
  assert.equal(of("true"), true);
  assert.equal(of("nil"), null);
  assert.equal(of("int-minus-25"), -25);
  assert.equal(typeof of("int64"), "bigint");
  assert.equal(of("uint64-max"), 2n ** 64n - 1n);
  assert.equal(of("int64-min"), -(2n ** 63n));
  assert.ok(of("time") instanceof Date);
  assert.equal(of("time").toISOString(), "2026-11-25T12:00:00.000Z");
  assert.ok(of("duration-negative") instanceof Duration && of("duration-negative").nanoseconds < 0n);
  assert.ok(of("text-not-utf8") instanceof ByteString);
  assert.ok(of("bytes") instanceof Uint8Array);
  assert.ok(Array.isArray(of("strings")));
  assert.ok(Object.is(of("float-minus-0"), -0));
});

test("what JavaScript writes reads back", () => {
  for (const v of [0, -0, 1, -1, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, 1e300, 5e-324,
    0.1, 1.5, 65504, 65505.5, 6e-8, Infinity, -Infinity, NaN, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 5n, "", "é", "🦀", true, null, [], {}, [[]], { b: 1, aa: 2, a: 3 },
    new Uint8Array(), Uint8Array.of(1, 255), new Date(0), new Date(-1), new Date(8.64e15), new Duration(-5n), new ByteString(Uint8Array.of(0xff)), Object.assign(Object.create(null), { x: 1 })]) {
    const back = decode(encode(v));
    assert.deepEqual(typeof v === "object" && v && Object.getPrototypeOf(v) === null ? { ...v } : v, back);
  }
});

test("equal objects are equal bytes, whatever the order of their keys", () => {
  assert.equal(hex(encode({ b: 1, aa: 2, a: 3 })), hex(encode({ a: 3, aa: 2, b: 1 })));
});

test("lists keep their Go type while it is true of them", () => {
  const list = typed("[]string", ["a"]);
  assert.equal(hex(encode(list)).slice(0, 6), "d9be05");
  list.push(1);
  assert.equal(hex(encode(list)).slice(0, 2), "82");
  assert.equal(hex(encode(typed("[]int", [1, 2]))).slice(0, 6), "d9be06");
  assert.equal(hex(encode(typed("map[string]string", { a: "b" }))).slice(0, 6), "d9be07");
  for (const type of ["[]byte", "toString", "__proto__", "constructor", undefined, 5]) assert.throws(() => typed(type, []), { code: "bad_value", message: /^typed: the type is .*; allowed: / });
  for (const value of [null, undefined, "a", 5]) assert.throws(() => typed("[]string", value), { code: "bad_value", message: /^typed: the value is / });
});

test("a date keeps its nanoseconds and zone until it is changed", () => {
  const bytes = unhex(vectors("value").find((v) => v.file === "value/time-nanoseconds.txt")["in.cbor"]);
  const d = decode(bytes);
  assert.equal(hex(encode(d)), hex(bytes));
  d.setTime(0);
  assert.equal(hex(encode(d)), hex(encode(new Date(0))));
});

test("lists nest 16 deep and no deeper", () => {
  let v = [];
  for (let n = 1; n < 16; n++) v = [v];
  assert.deepEqual(decode(encode(v)), v);
  assert.throws(() => encode([v]), { code: "nesting" });
});

test("bytes that are no value are refused and never hang", () => {
  for (const bytes of ["", "ff", "1c", "82", "5b7fffffffffffffff", "9b7fffffffffffffff", "d9be05", "c000", "d9be02", "f8ff", "0000", "d9be00d9be0001"]) {
    assert.throws(() => decode(unhex(bytes)), Error, bytes);
  }
  assert.throws(() => decode(new Uint8Array(100_000).fill(0x81)), RangeError);
  assert.throws(() => decode(new Uint8Array(100_000).fill(0xc6)), RangeError);
});
