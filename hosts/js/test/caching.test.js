// Logouts wait for the caches of other servers, and changes are announced to them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchStore, MemoryStore } from "../node.js";
import { between, world } from "./world.js";

const wait = 600; // milliseconds, as feed.Wait

// The time that an answer takes, by the clock of the runtime.
async function timed(work) {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

// A store whose records servers keep in a cache, or that fails to say.
const marked = (caching) => {
  const store = new MemoryStore();
  return { ...between(store, {}), caching };
};

test("a logout waits while caches are in use, and where nobody knows", async () => {
  for (const [caching, waits] of [[async () => true, true], [async () => false, false], [async () => { throw new Error("down"); }, true], [undefined, false]]) {
    const events = [], { visitor } = world({ store: marked(caching), onEvent: (e) => events.push(e.kind) }), v = visitor();
    await v.do((s) => s.login("alice"));
    const took = await timed(() => v.do((s) => s.logout()));
    assert.equal(took >= wait, waits, `${caching}: ${took} ms`);
    assert.equal((await v.load()).signedIn, false);
  }
});

test("what ends no session of its visitor does not wait", async () => {
  const { visitor } = world({ store: marked(async () => true) }), v = visitor();
  const took = await timed(async () => {
    await v.do((s) => s.login("alice"));
    await v.do((s) => s.set("n", 1));
    await v.do((s) => s.login("bob")); // the session of alice ends
  });
  assert.ok(took < wait, `${took} ms`);
});

test("a change sets the cookie of a moment, with the attributes of the first", async () => {
  for (const [policy, attributes] of [
    [{ allowInsecure: false, cookieName: "__Host-s" }, "; Path=/; Max-Age=2; HttpOnly; Secure; SameSite=Lax"],
    [{ allowInsecure: false, cookieName: "s", cookiePath: "/app", cookieDomain: "example.test" }, "; Path=/app; Domain=example.test; Max-Age=2; HttpOnly; Secure; SameSite=Lax"],
    [{ allowInsecure: false, cookieName: "s", sameSite: "None", partitioned: true }, "; Path=/; Max-Age=2; HttpOnly; Secure; SameSite=None; Partitioned"],
    [{ allowInsecure: false, cookieName: "s", sameSite: "None" }, "; Path=/; Max-Age=2; HttpOnly; Secure; SameSite=None"],
    [{ cookieName: "s", sameSite: "Strict", allowScripts: true, formerScopes: [{ path: "/old" }] }, "; Path=/; Max-Age=2; SameSite=Strict"],
  ]) {
    const { all, visitor } = world({ changedCookie: true, policy }), v = visitor();
    const fields = async (change) => {
      const s = await v.load();
      change(s);
      const answer = await v.commit(s);
      return answer.headers.getSetCookie().filter((f) => f.startsWith(`${policy.cookieName}_changed=`));
    };
    assert.deepEqual(await fields((s) => s.login("alice")), [`${all.cookieName}_changed=1${attributes}`]);
    assert.equal((await fields((s) => s.add("n"))).length, 1);
    assert.deepEqual(await fields(() => {}), []);
    assert.deepEqual(await fields((s) => s.logout()), []);
  }
  const { visitor } = world(), v = visitor();
  const s = await v.load();
  s.login("alice");
  assert.equal((await v.commit(s)).headers.getSetCookie().length, 1);
});

test("FetchStore asks the origin, and one of a release before has no caches", async () => {
  const answers = { caching: [204, { "session-caching": "yes" }] }, sent = [];
  const fetch = async (url, init) => {
    const verb = url.slice(url.lastIndexOf("/") + 1);
    sent.push([verb, init.headers["session-wait"]]);
    const [status, headers] = answers[verb];
    return new Response(null, { status, headers });
  };
  const store = new FetchStore({ url: "https://origin.test/store", token: "t".repeat(32), fetch });
  assert.equal(await store.caching(), true);
  answers.caching[1] = { "session-caching": "no" };
  assert.equal(await store.caching(), false);
  answers.caching = [404];
  assert.equal(await store.caching(), false);
  answers.caching = [503];
  await assert.rejects(store.caching());
  assert.deepEqual(sent[0], ["caching", "caller"]);
});
