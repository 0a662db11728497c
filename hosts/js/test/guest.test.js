import assert from "node:assert/strict";
import { test } from "node:test";
import { readdirSync } from "node:fs";
import { Guest } from "../src/guest.js";
import { op } from "../src/frames.js";
import { Conflict, SessionError, Refused, sessions, MemoryStore } from "../node.js";
import { sessions as bare } from "../src/index.js";
import { hex, key, module, unhex, vectors, vectorsDir, world } from "./world.js";

// Kinds of a reply, as the vectors name them, by what the package makes of it.
const classes = { refused: Refused, error: SessionError, too_large: SessionError, policy: SessionError, conflict: Conflict, malformed: SessionError, unknown_op: SessionError, unknown_machine: SessionError };

for (const verb of readdirSync(vectorsDir)) {
  test(`the guest answers the vectors of ${verb}`, () => {
    for (const s of vectors(verb)) {
      const [kind, detail] = s.expect.split(" ");
      try {
        const guest = new Guest(module, unhex(s.configure));
        guest.start();
        if (!s.request) { assert.equal(kind, "ok", s.file); continue; }
        const request = unhex(s.request);
        if (request.length < 5 || request[1] !== 1 || request[2] !== 0) continue; // of no verb on machine 1: no frame of ask
        const r = guest.ask(request[0], (w) => w.raw(request.subarray(5)));
        assert.equal(kind, "ok", s.file);
        assert.equal("00" + hex(r.take(r.left)), s.reply, s.file);
      } catch (err) {
        if (err.code === "ERR_ASSERTION") throw err;
        assert.ok(classes[kind] && err instanceof classes[kind], `${s.file}: ${kind}, ${err}`);
        if (kind === "refused" || kind === "error") assert.equal(err.code, detail, s.file);
      }
    }
  });
}

test("an instance that traps is dropped, and the next call makes another", () => {
  const guest = new Guest(module, unhex(vectors("commit")[0].configure));
  const real = WebAssembly.Instance;
  let traps = true;
  WebAssembly.Instance = function (m) {
    const { exports } = new real(m);
    return { exports: { ...exports, handle: (n) => { if (traps && started) { traps = false; throw new WebAssembly.RuntimeError("unreachable"); } return exports.handle(n); } } };
  };
  let started = false;
  try {
    guest.start();
    started = true;
    assert.throws(() => guest.ask(op.clearCookie, (w) => w.flag(false)), { code: "guest" });
    assert.equal(guest.dropped, 1);
    assert.equal(guest.ask(op.clearCookie, (w) => w.flag(false)).list().length, 1);
  } finally {
    WebAssembly.Instance = real;
  }
});

test("a frame that is too large for the module is refused and drops nothing", () => {
  const guest = new Guest(module, unhex(vectors("commit")[0].configure));
  assert.throws(() => guest.ask(op.commit, (w) => w.raw(new Uint8Array(64 << 20))), SessionError);
  assert.equal(guest.ask(op.clearCookie, (w) => w.flag(false)).list().length, 1);
});

test("a module that is not the core is refused", () => {
  const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  assert.throws(() => sessions({ module: empty, keys: key, store: new MemoryStore() }), { code: "guest" });
});

test("options, policies and keys that are misspelt or out of range are refused, without the key", () => {
  const store = new MemoryStore(), make = (o) => sessions({ module, keys: key, store, ...o });
  for (const [o, code] of [
    [{ module: {} }, "config"], [{ store: {} }, "config"], [{ store: null }, "config"], [{ commitTimeout: 0 }, "config"], [{ commitTimeout: "1" + "x" }, "config"],
    [{ clock: 5 }, "config"], [{ onEvents: () => {} }, "config"], [{ policy: null }, "config"],
    [{ policy: { bindIPv4Bits: 24 } }, "config"], [{ policy: { bindIPv6Bits: 64 }, ip: undefined }, "config"],
    [{ policy: { formerScopes: [{ path: "/", domain: "localhost" }] } }, "policy"],
    [{ policy: { lifeTime: 5 } }, "policy"], [{ policy: { lifetime: "1h" } }, "policy"], [{ policy: { lifetime: -1 } }, "policy"], [{ policy: { allowInsecure: "false" } }, "policy"],
    [{ policy: { sameSite: "loose" } }, "policy"], [{ policy: { merge: { n: "constructor" } } }, "policy"], [{ policy: { exclusive: "n" } }, "policy"],
    [{ policy: { formerScopes: [{ paht: "/" }] } }, "policy"], [{ policy: { sessionSize: 2 ** 32 + 4096 } }, "policy"], [{ policy: { cookieName: 5 } }, "policy"],
    [{ keys: "" }, "no_key"], [{ keys: [] }, "no_key"], [{ keys: undefined }, "no_key"], [{ keys: [{ key: 5 }] }, "no_key"], [{ keys: "abcd" }, "key_length"], [{ keys: "x".repeat(64) }, "key_hex"],
    [{ keys: new Uint8Array(32) }, "weak_key"], [{ keys: [key, key] }, "same_key"], [{ keys: [{ bytes: key }] }, "policy"], [{ keys: [{ key, sealFrom: "now" }] }, "policy"],
    [{ keys: [{ key, sealFrom: 10, openUntil: 5 }] }, "key_times"],
  ]) {
    assert.throws(() => make(o), (err) => err instanceof SessionError && err.code === code && !err.message.includes(key) && !err.message.includes("x".repeat(64)), `${Object.keys(o)} ${code}`);
  }
  assert.throws(() => sessions(), { code: "config" });
});

test("errors of keys name the place and the length, and show nothing of what was given", () => {
  const make = (keys) => sessions({ module, keys, store: new MemoryStore() }), want = "64 hexadecimal digits or a Uint8Array of 32 bytes: openssl rand -hex 32";
  const bytes = [...unhex(key)], phrase = "correct horse battery staple 123";
  for (const [keys, code, text] of [
    [12345, "no_key", `keys is a number; allowed: ${want}, or { key, sealFrom, openUntil }`],
    [bytes, "no_key", `keys[0] is a number; allowed: ${want}, or { key, sealFrom, openUntil }`],
    [[bytes], "no_key", `keys[0] is an array; allowed: ${want}, or { key, sealFrom, openUntil }`],
    [{ [key]: true }, "policy", "field 1 of keys has another name than these, which are allowed: key, sealFrom, openUntil"],
    [Promise.resolve(key), "no_key", `keys is a promise; allowed: ${want}, or { key, sealFrom, openUntil }`],
    [[key, key.slice(1)], "key_length", `keys[1] has 63 hexadecimal digits; allowed: ${want}`],
    [key.slice(32), "key_length", `keys has 32 hexadecimal digits; allowed: ${want}`],
    [phrase, "key_hex", `keys has 32 characters, and not all are hexadecimal digits; allowed: ${want}`],
    [[{ key: phrase + "\n" }], "key_hex", `key of keys[0] has 32 characters, and not all are hexadecimal digits; allowed: ${want}`],
    [new Uint8Array(31), "key_length", `keys has 31 bytes; allowed: ${want}`],
    [[{ key: undefined }], "no_key", "key of keys[0] is undefined: is its environment variable set? Make a key with: openssl rand -hex 32"],
    [[{ key, sealFrom: key }], "policy", "sealFrom of keys[0] is a string; allowed: a Date, or a whole number of Unix milliseconds"],
    [[{ key, openUntil: new Date(NaN) }], "policy", "openUntil of keys[0] is an invalid Date; allowed: a Date, or a whole number of Unix milliseconds"],
  ]) assert.throws(() => make(keys), { code, message: text });
  assert.ok(make(Buffer.from(key)).cookieName, "the 64 digits as bytes, as a file has them");
});

test("options and policies of a wrong type are refused with what was given", () => {
  const make = (o) => sessions({ module, keys: key, store: new MemoryStore(), ...o });
  for (const [o, text] of [
    [{ commitTimeout: "5000" }, /^commitTimeout is "5000"; allowed: milliseconds/], [{ commitTimeout: NaN }, /^commitTimeout is NaN;/], [{ commitTimeout: 5n }, /^commitTimeout is a bigint;/],
    [{ credentials: () => "", credentialsCache: "50" }, /^credentialsCache is "50"; allowed/], [{ credentials: () => "", credentialsCache: null }, /^credentialsCache is null; allowed/],
    [{ policy: [] }, /^policy is an array; allowed: an object/], [{ policy: null }, /^policy is null; allowed/], [{ policy: "x" }, /^policy is "x"; allowed/],
    [{ policy: { lifetime: NaN } }, /^lifetime is NaN; allowed/], [{ policy: { lifetime: Infinity } }, /^lifetime is Infinity; allowed/],
    [{ policy: { merge: "counter" } }, /^merge is "counter"; allowed: an object of names/], [{ policy: { merge: null } }, /^merge is null; allowed/], [{ policy: { merge: ["n"] } }, /^merge is an array; allowed/],
  ]) assert.throws(() => make(o), (err) => err instanceof SessionError && ["config", "policy"].includes(err.code) && text.test(err.message), String(text));
  const { all } = world();
  for (const handler of [5, undefined, null, "x"]) assert.throws(() => all.withSession(handler), { code: "config", message: /^withSession: the handler is .*; allowed: a function/ });
});

test("an entry brings its module, and one that is given goes first", () => {
  const options = { keys: key, store: new MemoryStore() };
  for (const given of [{}, { module: undefined }, { module }]) assert.ok(sessions({ ...options, ...given }).cookieName);
  assert.throws(() => sessions({ ...options, module: null }), { code: "config", message: /^module must be a WebAssembly.Module/ });
  assert.throws(() => bare(options), { code: "config", message: /rockstar-sessions\/node/ });
});

test("a key whose environment variable is not set is refused with its place", () => {
  for (const [keys, text] of [[undefined, "keys is undefined"], [null, "keys is null"], ["", "keys is empty"], [[], "keys is empty"], [[key, undefined], "keys[1] is undefined"], [[""], "keys[0] is empty"]]) {
    assert.throws(() => sessions({ keys, store: new MemoryStore() }), { code: "no_key", message: `${text}: is its environment variable set? Make a key with: openssl rand -hex 32` });
  }
});

test("what stands on Object.prototype is no option, no policy and no field of a key", async () => {
  const polluted = {
    allowInsecure: true, allowScripts: true, sameSite: "none", cookieName: "evil", cookieDomain: "evil.example", bindUserAgent: true, bindIPv4Bits: 32,
    lifetime: 1000, sessionSize: 1024, merge: { n: "counter" }, exclusive: ["n"], formerScopes: [{ path: "/x" }], path: "/x", domain: "evil.example",
    sealFrom: 4e12, openUntil: 1, policy: { allowInsecure: true }, tenant: () => "evil", ip: () => "1.2.3.4", clock: () => 0, random: () => {}, commitTimeout: -1,
    onEvent: () => { throw new Error("called"); }, most: 0, retention: 0, secureByRequest: true, lastWins: true, https: () => true, anyTenant: true, superseded: true, crossSite: 2, signIn: true,
    noCookie: true, recent: true, request: {}, tickets: [{}], taking: () => {}, keys: "x", store: {}, module: {},
  };
  const fields = async (policy) => {
    const all = sessions({ module, keys: [{ key }], store: new MemoryStore(), policy });
    const load = () => all.load(new Request("http://example.test/"));
    const begun = await all.store((await load()).set("n", 1));
    return [...begun, ...await all.store((await load()).set("n", 1).login("alice"))].map((f) => f.replace(/=[^;]*/, "").replace(/Max-Age=\d+/, ""));
  };
  const given = [undefined, {}, { cookiePath: "/app", formerScopes: [{ path: "/old" }] }];
  const plain = [];
  for (const policy of given) plain.push(await fields(policy));
  for (const [name, value] of Object.entries(polluted)) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true });
    try {
      for (const [i, policy] of given.entries()) assert.deepEqual(await fields(policy), plain[i], name);
      assert.throws(() => bare({ keys: key, store: new MemoryStore() }), { code: "config" }, `no module, ${name}`);
      assert.throws(() => sessions({ module, keys: key }), { code: "config" }, `no store, ${name}`);
      assert.throws(() => sessions({ module, store: new MemoryStore() }), { code: "no_key" }, `no keys, ${name}`);
      assert.throws(() => sessions({ module, keys: key, store: new MemoryStore(), policy: { bindIPv6Bits: 64 } }), { code: "config" }, `no ip, ${name}`);
    } finally {
      delete Object.prototype[name];
    }
  }
});

test("a key is given as hex, as bytes, or in a ring; all are the same", async () => {
  const cookies = [];
  const bytes = unhex(key), store = new MemoryStore();
  for (const keys of [key, key.toUpperCase() + "\n", bytes, Buffer.from(bytes), [{ key }], [{ key: bytes, sealFrom: 0, openUntil: new Date(2e12) }]]) {
    const v = world({ keys, store }).visitor();
    await v.do((s) => s.login("alice"));
    cookies.push(v.cookie);
  }
  for (const cookie of cookies) {
    const v = world({ store }).visitor();
    v.cookie = cookie;
    assert.equal((await v.load()).user, "alice");
  }
});

test("a ring opens what its former key sealed", async () => {
  const { visitor, store, clock } = world();
  const v = visitor();
  await v.do((s) => s.login("alice"));
  const next = "1d5f8e2c9b704a63d8e1f2033c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69";
  v.all = world({ store, keys: [{ key: next, sealFrom: clock.now - 1000 }, key] }).all;
  assert.equal((await v.load()).user, "alice");
  v.all = world({ store, keys: next }).all;
  assert.equal((await v.load()).reason, "unknown_key");
});

test("a random source need not return its bytes; zeros are refused", async () => {
  const w = world({ random: (b) => { crypto.getRandomValues(b); } }), v = w.visitor();
  await v.do((s) => s.set("n", 1));
  assert.equal((await v.load()).get("n"), 1);
  const zero = world({ random: () => {} }).visitor();
  await assert.rejects(zero.do((s) => s.set("n", 1)), { code: "seed" });
});
