// The story of one session that a Go origin begins and every runtime goes on
// with: over real HTTP, printed as a table of runtime by scenario.
//   node test/story/run.mjs [runtime ...]
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { startOrigin, runtimes, stopAll } from "./runtimes.mjs";

const env = { KEY: randomBytes(32).toString("hex"), TOKEN: randomBytes(32).toString("hex") };
const origin = await startOrigin(env);
env.STORE_URL = origin + "/store";
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(runtimes);
const urls = {};
for (const name of wanted) urls[name] = await runtimes[name](env);

/** One request, as a browser with the cookie. */
async function ask(url, path, cookie = "") {
  const a = await fetch(url + path, { headers: cookie ? { cookie } : {} });
  const set = a.headers.getSetCookie();
  const text = await a.text();
  let body = {};
  try { body = JSON.parse(text); } catch { body = { text }; }
  return { status: a.status, body, set, headers: a.headers, cookie: set.length ? set[0].split(";")[0] : cookie };
}
/** One request with these header fields, byte by byte. */
function askRaw(url, path, fields) {
  return new Promise((done, fail) => {
    const r = request(url + path, { agent: false, headers: ["Host", new URL(url).host, "Connection", "close", ...fields] }, async (a) => {
      let text = "";
      for await (const part of a) text += part;
      done({ body: JSON.parse(text), set: a.headers["set-cookie"] ?? [] });
    });
    r.on("error", fail).end();
  });
}
const login = async (path = "/login") => (await ask(origin, path)).cookie;
function equal(got, want, what) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

const scenarios = {
  "reads what Go stored": async (url) => {
    const a = await ask(url, "/", await login());
    equal([a.body.user, a.body.roles, a.set], ["alice", ["admin", "editor"], []], "session");
  },
  "Go sees its change": async (url, name) => {
    const cookie = await login();
    await ask(url, "/visit", cookie);
    const a = await ask(origin, "/", cookie);
    equal([a.body.visits, a.body.last, a.body.roles_type], [1, name, "[]string"], "at the origin");
  },
  "no update is lost": async (url) => {
    const cookie = await login();
    for (let n = 0; n < 5; n++) await ask(url, "/visit", cookie);
    equal((await ask(origin, "/", cookie)).body.visits, 5, "visits");
  },
  "none of 40 at once is lost": async (url, name) => {
    const cookie = await login();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(i % 2 ? url : origin, "/visit", cookie)));
    equal(answers.every((a) => a.status === 200), true, "answers");
    const { visits, log } = (await ask(origin, "/", cookie)).body;
    equal([visits, log.length, log.filter((l) => l === name).length], [40, 40, 20], "visits");
  },
  "one of 20 takes a value": async (url) => {
    const cookie = await login();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(i % 2 ? url : origin, "/take", cookie)));
    equal(answers.map((a) => a.body.flash).filter((f) => f !== null), ["hello"], "flash");
  },
  "out there is out at all": async (url) => {
    const cookie = await login();
    const a = await ask(url, "/logout", cookie);
    equal(a.set.length === 1 && a.set[0].includes("Max-Age=0"), true, "the cookie is cleared");
    for (const place of [origin, ...Object.values(urls)]) equal((await ask(place, "/", cookie)).body.reason, "unknown_session", place);
  },
  "out at Go is out there": async (url) => {
    const cookie = await login();
    await ask(origin, "/logout", cookie);
    equal((await ask(url, "/", cookie)).body.reason, "unknown_session", "reason");
  },
  "no cookie": async (url) => equal((await ask(url, "/")).body.reason, "none", "reason"),
  "tampered": async (url) => {
    const cookie = await login();
    const bad = cookie.slice(0, -8) + (cookie.at(-8) === "A" ? "B" : "A") + cookie.slice(-7);
    for (const place of [origin, url]) equal((await ask(place, "/", bad)).body.reason, "not_authentic", place);
  },
  "foreign": async (url) => {
    const foreign = "rockstar_session=" + Buffer.concat([Buffer.from([1]), randomBytes(92)]).toString("base64url");
    for (const place of [origin, url]) equal((await ask(place, "/", foreign)).body.reason, "unknown_key", place);
  },
  "malformed": async (url) => {
    for (const place of [origin, url]) equal((await ask(place, "/", "rockstar_session=x")).body.reason, "malformed", place);
  },
  "expired": async (url) => {
    const cookie = await login("/short");
    const until = Date.now() + 1100;
    while (Date.now() < until) await new Promise((r) => setTimeout(r, until - Date.now()));
    for (const place of [origin, url]) equal((await ask(place, "/", cookie)).body.reason, "expired", place);
  },
  "odd user agents are the same": async (url) => {
    for (const agent of ["Pok\xc3\xa9mon/1.0", "caf\xe9/1.0", "\xe2\x82\xac/1.0"]) {
      const cookie = (await askRaw(origin, "/login", ["User-Agent", agent])).set[0].split(";")[0];
      equal((await askRaw(url, "/", ["User-Agent", agent, "Cookie", cookie])).body.user, "alice", agent);
      equal((await askRaw(url, "/", ["User-Agent", "other", "Cookie", cookie])).body.reason, "user_agent_changed", agent);
    }
  },
  // Which no browser sends over HTTP/1.1. workerd alone joins them by a comma,
  // which is part of a value: see the README.
  "several Cookie fields": async (url, name) => {
    const cookie = await login();
    for (const [place, commas] of [[origin, false], [url, name === "workerd"]]) {
      for (const [list, reason] of [[["a=1", cookie], "none"], [[cookie, "a=1"], "malformed"], [["a=1", `b=2; ${cookie}; c=3`, "d=4"], null]]) {
        const { user, reason: why } = (await askRaw(place, "/", ["User-Agent", "node", ...list.flatMap((c) => ["Cookie", c])])).body;
        equal([user || "", why || null], commas && reason ? ["", reason] : ["alice", null], `${place}, ${list.length} fields`);
      }
    }
  },
  "a comma parts no cookies": async (url) => {
    const cookie = await login();
    for (const place of [origin, url]) {
      for (const [header, reason] of [[`lang=en, ${cookie}`, "none"], [`${cookie}, lang=en`, "malformed"]]) {
        equal((await askRaw(place, "/", ["User-Agent", "node", "Cookie", header])).body.reason, reason, `${place}, ${header.slice(0, 20)}`);
      }
    }
  },
  "streams, beside other cookies": async (url) => {
    const a = await ask(url, "/stream");
    equal([a.body.text, a.set.length, a.set[0].split("=")[0], a.set[1].split("=")[0]], ["one two three", 2, "other", "rockstar_session"], "answer");
    equal([a.headers.get("cache-control"), a.headers.get("vary")], ["no-store", "Cookie"], "headers");
  },
};

const width = Math.max(...Object.keys(scenarios).map((s) => s.length));
console.log(["scenario".padEnd(width), ...wanted].join("  "));
let failed = 0;
for (const [what, play] of Object.entries(scenarios)) {
  const cells = [];
  for (const name of wanted) {
    try {
      await play(urls[name], name);
      cells.push("true".padEnd(name.length));
    } catch (err) {
      failed++;
      cells.push("FALSE".padEnd(name.length));
      console.error(`${name}, ${what}: ${err.message}`);
    }
  }
  console.log([what.padEnd(width), ...cells].join("  "));
}
console.log(`${Object.keys(scenarios).length * wanted.length - failed} passed, ${failed} failed`);
stopAll();
// Then the stores, each where it lives.
const stores = process.argv.length > 2 ? 0 : spawnSync(process.execPath, [fileURLToPath(new URL("../stores/run.mjs", import.meta.url))], { stdio: "inherit" }).status;
process.exit(failed || stores !== 0 ? 1 : 0);
