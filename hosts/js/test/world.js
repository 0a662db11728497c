// What the tests share: a browser, a clock, and sessions over a memory store.
import { readFileSync, readdirSync } from "node:fs";
import { MemoryStore, module, sessions } from "../node.js";

export const key = "7c1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15";
export { module };

export function world(options = {}) {
  const clock = { now: 1_800_000_000_000 };
  const store = options.store ?? new MemoryStore();
  const { policy, ...rest } = options;
  const all = sessions({ module, keys: key, clock: () => clock.now, policy: { allowInsecure: true, ...policy }, ...rest, store });
  return { all, clock, store, visitor: () => new Visitor(all) };
}

/** A browser: it keeps the cookie that it is given. */
export class Visitor {
  constructor(all, cookie = "") { Object.assign(this, { all, cookie, headers: {} }); }
  request(init = {}) {
    const headers = { ...this.headers, ...init.headers };
    if (this.cookie) headers.cookie = this.cookie;
    return new Request("http://example.test/", { ...init, headers });
  }
  load(init) { return this.all.load(this.request(init)); }
  async commit(session, response = new Response("ok")) {
    const answer = await this.all.commit(session, response);
    for (const field of answer.headers.getSetCookie()) {
      if (!field.startsWith(this.all.cookieName + "=")) continue;
      this.cookie = field.includes("Max-Age=0") ? "" : field.split(";")[0];
    }
    return answer;
  }
  async do(change, init) {
    const s = await this.load(init);
    change(s);
    await this.commit(s);
    return s;
  }
}

/** A store between the sessions and another, whose verbs a test replaces. */
export function between(store, verbs) {
  const pass = { load: (id) => store.load(id), save: (...a) => store.save(...a), delete: (id) => store.delete(id) };
  return { ...pass, ...Object.fromEntries(Object.entries(verbs).map(([name, f]) => [name, (...a) => f(pass[name], ...a)])) };
}

export const vectorsDir = new URL("../../../conformance/vectors/testdata/", import.meta.url);

export function vectors(verb) {
  return readdirSync(new URL(verb + "/", vectorsDir)).map((file) => {
    const lines = { file: `${verb}/${file}` };
    for (const line of readFileSync(new URL(`${verb}/${file}`, vectorsDir), "utf8").trimEnd().split("\n")) {
      const cut = line.indexOf(":");
      lines[line.slice(0, cut)] = line.slice(cut + 2);
    }
    return lines;
  });
}

export const unhex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
