import assert from "node:assert/strict";
import { test } from "node:test";
import { world } from "./world.js";

test("a cookie that is used after it was renewed twice was stolen: the session ends", async () => {
  const events = [];
  const { visitor, store, clock } = world({ policy: { renewAfter: 600_000 }, onEvent: (e) => events.push(e) });
  const v = visitor();
  const { id } = await v.do((s) => s.login("alice"));
  const stolen = v.cookie;
  for (let n = 0; n < 3; n++) {
    clock.now += 700_000;
    await v.do(() => {});
  }
  assert.notEqual(v.cookie, stolen);
  const thief = visitor();
  thief.cookie = stolen;
  const s = await thief.load();
  assert.equal(s.reason, "theft");
  assert.match((await thief.commit(s)).headers.getSetCookie()[0], /Max-Age=0/);
  assert.equal(await store.load(id), null);
  assert.equal((await v.load()).reason, "unknown_session");
  assert.deepEqual(events.filter((e) => e.reason === "theft").map((e) => [e.kind, e.id, e.user]), [["refused", id, "alice"], ["ended", id, "alice"]]);
});

test("a session that is bound to its address and user agent ends elsewhere", async () => {
  for (const [policy, header, from, to, reason] of [
    [{ bindIPv4Bits: 32 }, "x-ip", "192.0.2.1", "192.0.2.2", "ip_changed"],
    [{ bindUserAgent: true }, "user-agent", "One/1", "Two/2", "user_agent_changed"],
  ]) {
    const { visitor } = world({ policy, ip: (request) => request.headers.get("x-ip") ?? "" });
    const v = visitor();
    v.headers[header] = from;
    await v.do((s) => s.login("alice"));
    assert.equal((await v.load()).user, "alice");
    v.headers[header] = to;
    assert.equal((await v.load()).reason, reason);
    v.headers[header] = from;
    assert.equal((await v.load()).reason, "unknown_session");
  }
});

test("an address of the other family is refused without an end, and learnt when its user signs in", async () => {
  const { visitor } = world({ policy: { bindIPv4Bits: 32, bindIPv6Bits: 64 }, ip: (request) => request.headers.get("x-ip") });
  const at = (v, ip) => { v.headers["x-ip"] = ip; return v; };
  const v = at(visitor(), "192.0.2.1");
  const { id } = await v.do((s) => s.set("seat", "12A").login("alice"));
  const copy = (ip) => { const other = at(visitor(), ip); other.cookie = v.cookie; return other; };
  const thief = copy("2001:db8:e::e");
  const refused = await thief.load();
  assert.deepEqual([refused.reason, refused.signedIn, refused.names], ["ip_family", false, []]);
  assert.deepEqual((await thief.commit(refused)).headers.getSetCookie(), []);
  const theirs = await thief.do((s) => s.login("eve"));
  assert.notEqual(theirs.id, id);
  assert.equal(theirs.get("seat"), undefined);
  assert.equal((await v.load()).user, "alice");

  const again = await at(v, "2001:db8::1").do((s) => s.set("next", "22B").login("alice", { lifetime: 1e6 }));
  assert.deepEqual([again.id, again.get("seat"), again.get("next")], [id, "12A", "22B"]);
  for (const ip of ["2001:db8::2", "192.0.2.1"]) assert.equal((await at(v, ip).load()).user, "alice", ip);
  assert.equal((await copy("2001:db8:e::e").load()).reason, "ip_changed");
  assert.equal((await v.load()).reason, "unknown_session");
});

test("a user agent counts by its first 512 bytes", async () => {
  const { visitor } = world({ policy: { bindUserAgent: true } });
  const v = visitor();
  v.headers["user-agent"] = "a".repeat(511) + "\u00ff" + "more";
  await v.do((s) => s.login("alice"));
  v.headers["user-agent"] = "a".repeat(511) + "\u00fe" + "else";
  assert.equal((await v.load()).user, "alice");
  v.headers["user-agent"] = "a".repeat(511) + "b";
  assert.equal((await v.load()).reason, "user_agent_changed");
});

test("a tenant's cookie is nobody at another tenant", async () => {
  const { visitor } = world({ tenant: (request) => request.headers.get("x-tenant") ?? "" });
  const v = visitor();
  v.headers["x-tenant"] = "acme";
  const s = await v.do((s) => s.login("alice"));
  assert.equal(s.tenant, "acme");
  v.headers["x-tenant"] = "other";
  const other = await v.load();
  assert.deepEqual([other.signedIn, other.reason !== null], [false, true]);
});

test("events tell what was done, and one that throws fails no request", async () => {
  const kinds = [];
  const { visitor } = world({ onEvent: (e) => { kinds.push(e.kind); throw new Error("mine"); } });
  const v = visitor();
  await v.do((s) => s.set("a", 1));
  await v.do((s) => s.login("alice"));
  await v.do((s) => s.renew());
  await v.do((s) => s.refresh());
  await v.do((s) => s.logout());
  assert.deepEqual(kinds.filter((k) => k !== "refused"), ["created", "login", "renewed", "renewed", "refreshed", "ended"]); // a login renews
});

test("an ip that is no address is refused, and binds nothing by mistake", async () => {
  const load = (ip, policy) => world({ policy, ip: () => ip }).visitor().load();
  for (const policy of [{}, { bindIPv4Bits: 32 }]) {
    for (const [ip, is] of [[Promise.resolve("192.0.2.1"), "a promise"], [Promise.reject(new Error("nobody waits")), "a promise"], [5, "5"], [["192.0.2.1"], "an array"], [{}, "an object"]]) {
      await assert.rejects(load(ip, policy), { code: "config", message: `ip() has returned ${is}; it must return the client's address as a string, or "" where there is none` });
    }
    for (const none of [undefined, null, ""]) assert.equal((await load(none, policy)).reason, "none");
  }
  for (const policy of [{ bindIPv4Bits: 32 }, { bindIPv6Bits: 64 }]) {
    for (const ip of ["192.0.2.1:443", "192.0.2.1, 192.0.2.2", "[2001:db8::1]:443", "unknown", "192.0.2.256"]) {
      await assert.rejects(load(ip, policy), (err) => err.code === "config" && err.message.startsWith(`ip() has returned ${JSON.stringify(ip)}; that is no IP address: it must return one alone`));
    }
    for (const ip of ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0"]) assert.equal((await load(ip, policy)).reason, "none");
  }
  assert.equal((await load("unknown", {})).reason, "none", "where nothing is bound it does not matter");
  await assert.rejects(world({ tenant: async () => "acme" }).visitor().load(), { code: "config", message: "tenant() has returned a promise; it must return a string of whole characters" });
});

test("tenant, ip and https get what load was given", async () => {
  const seen = [], { all } = world({ policy: { secureByRequest: true, allowInsecure: false }, tenant: (r) => { seen.push(r); return ""; }, ip: (r) => { seen.push(r); return r.ip; }, https: (r) => { seen.push(r); return true; } });
  const asked = { method: "GET", headers: new Headers(), ip: "192.0.2.7" };
  await all.load(asked);
  assert.deepEqual([seen.length, seen.every((r) => r === asked)], [3, true]);
});
