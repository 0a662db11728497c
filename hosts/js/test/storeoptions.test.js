// What the constructors of stores refuse, so that a binding that is not set is no outage later.
import assert from "node:assert/strict";
import { test } from "node:test";
import { D1Store, DenoKvStore, DurableObjectStore, FetchStore, MemoryStore, RedisStore } from "../node.js";

const f = () => {}, token = "t".repeat(32), url = "https://shop.example/store";
const given = {
  DurableObjectStore: { get: f, idFromName: f }, D1Store: { prepare: f }, DenoKvStore: { get: f, atomic: f, delete: f }, RedisStore: { send: f, getBuffer: f },
};
const stores = { D1Store, DenoKvStore, DurableObjectStore, RedisStore };

for (const [name, Store] of Object.entries(stores)) {
  test(`${name} refuses what is no binding, and options that there are not`, () => {
    const refused = (binding, message) => assert.throws(() => new Store(binding), { code: "config", message });
    refused(undefined, `${name} got undefined: is the binding set?`);
    refused(null, `${name} got null: is the binding set?`);
    refused(Promise.resolve({}), `${name} got a promise: await it first`);
    refused(Promise.reject(new Error("nobody waits")), `${name} got a promise: await it first`);
    const [verb] = Object.keys(given[name]);
    refused("SESSIONS", `${name} got a string without ${verb}(): is it the right binding?`);
    refused({ list: f }, `${name} got an object without ${verb}(): is it the right binding?`);
    for (const options of [{ retentoin: 5 }, { table: "a b" }, { table: 5 }, { prefix: 5 }, { retention: "1h" }, { retention: NaN }, { retention: -1 }, 5]) {
      assert.throws(() => new Store(given[name], options), (err) => err.code === "config" && err.message.startsWith(`${name}: `) && /; allowed: /.test(err.message), JSON.stringify(options));
    }
    for (const options of [undefined, {}, { [name === "D1Store" ? "table" : "retention"]: undefined }]) assert.ok(new Store(given[name], options));
  });
}

test("MemoryStore refuses options that there are not, or of another type", () => {
  for (const options of [{ max: 5 }, { most: "5" }, { most: 0 }, { most: NaN }, { clock: 5 }, { retention: "1h" }, 5, []]) {
    assert.throws(() => new MemoryStore(options), (err) => err.code === "config" && err.message.startsWith("MemoryStore: ") && /; allowed: /.test(err.message), JSON.stringify(options));
  }
  assert.ok(new MemoryStore({ most: Infinity, clock: Date.now, retention: 0 }));
});

test("FetchStore refuses a URL, a token and a time that cannot work, and shows no token", () => {
  for (const [options, text] of [
    [undefined, "url is undefined: is its environment variable set?"], [{ url: "" }, "url is empty: is its"], [{ url: token }, "url is no URL; allowed: the URL of"], [{ url: "/store" }, "url is no URL;"],
    [{ url: 5 }, "url is a number;"], [{ url: "ftp://shop.example" }, "the scheme of url is ftp:;"], [{ url: `https://${token}:x@shop.example` }, "url has a user or password,"], [{ url: "https://shop.example/?a" }, "url has a query or fragment,"],
    [{ token: undefined }, "token is undefined: is its"], [{ token: "" }, "token is empty: is its"], [{ token: 5 }, "token is a number: is its"], [{ token: token + "\n" }, "token begins or ends with white space"], [{ token: " " + token }, "token begins or ends with white space"],
    [{ token: `${token}\r\nx: y` }, "token has characters that no header can have"], [{ token: token + "\u20ac" }, "token has characters"], [{ token: token.slice(1) }, "token has 31 characters; allowed: 32 or more"],
    [{ timeout: "5000" }, 'timeout is "5000"; allowed: milliseconds, 1 to 600000'], [{ timeout: NaN }, "timeout is NaN;"], [{ timeout: 0 }, "timeout is 0;"], [{ fetch: 5 }, "fetch is 5; allowed: a function"], [{ tokne: token }, 'there is no option "tokne"; allowed: url, token, timeout, fetch'],
  ]) {
    assert.throws(() => new FetchStore(options && { url, token, ...options }), (err) => err.code === "config" && err.message.startsWith("FetchStore: " + text) && !err.message.includes(token.slice(1)), text);
  }
  for (const of of [url, url + "/", new URL(url), "http://127.0.0.1:9"]) assert.ok(new FetchStore({ url: of, token, timeout: 100 }));
});
