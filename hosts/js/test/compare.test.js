// Plays the rows of the README's comparison with iron-session and better-auth, used
// as their documents say, and holds their columns to what came out. The columns of
// Go are held by conformance/peers/compare.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { getIronSession } from "iron-session";
import { world } from "./world.js";

const secret = "comparison-of-libraries, not a secret";

function ours() {
  const { all } = world();
  return (handle) => all.withSession((request, s) => handle({
    user: () => s.user,
    login: () => void s.login("alice"),
    logout: () => void s.logout(),
    put: (name, value) => void s.set(name, value),
    append: (name, value) => void s.update(name, (old = []) => [...old, value]),
    get: (name) => s.get(name),
  }, request));
}

function iron() {
  const options = { password: secret, cookieName: "iron", cookieOptions: { secure: false } };
  return (handle) => async (request) => {
    const fields = new Response();
    const s = await getIronSession(request, fields, options);
    const put = (name, value) => { s[name] = value; return s.save(); };
    const { status, body } = await handle({
      user: () => s.user ?? "",
      login: () => put("user", "alice"),
      logout: () => s.destroy(),
      put,
      append: (name, value) => put(name, [...s[name] ?? [], value]),
      get: (name) => s[name],
    }, request);
    return new Response(body, { status, headers: fields.headers });
  };
}

// Values of a session are fields that the configuration declares.
function better() {
  const text = { type: "string", required: false }, list = { type: "string[]", required: false };
  const { api } = betterAuth({
    baseURL: "http://example.test", secret, emailAndPassword: { enabled: true }, logger: { disabled: true }, telemetry: { enabled: false },
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    session: { additionalFields: { a: text, b: text, list } },
  });
  return (handle) => async (request) => {
    const { headers } = request, cookies = new Headers();
    const keep = (answer) => { for (const field of answer.headers.getSetCookie()) cookies.append("set-cookie", field); };
    const read = await api.getSession({ headers });
    const put = async (name, value) => keep(await api.updateSession({ headers, body: { [name]: value }, returnHeaders: true }));
    const { status, body } = await handle({
      user: () => read?.user.name ?? "",
      login: async () => keep(await api.signUpEmail({ body: { email: "alice@example.test", password: "wonderland", name: "alice" }, returnHeaders: true })),
      logout: async () => keep(await api.signOut({ headers, returnHeaders: true })),
      put,
      append: (name, value) => put(name, [...read.session[name] ?? [], value]),
      get: (name) => read?.session[name],
    }, request);
    return new Response(body, { status, headers: cookies });
  };
}

/** A site and one browser. */
class Stage {
  constructor(make) {
    this.make = make;
    this.cookies = new Map();
    this.restarted();
  }
  restarted() { this.site = this.make()((session, request) => this.handle(session, request)); }
  copied() { return Object.assign(Object.create(Stage.prototype), this, { cookies: new Map(this.cookies) }); }
  async handle(session, request) {
    const { pathname, searchParams } = new URL(request.url);
    const name = searchParams.get("name"), value = searchParams.get("value") ?? "x";
    if (searchParams.has("slow")) await this.pause();
    try {
      switch (pathname) {
        case "/login": await session.login(); break;
        case "/logout": await session.logout(); break;
        case "/put": await session.put(name, value); break;
        case "/append": await session.append("list", value); break;
        case "/replace":
          session.get(name);
          await session.put(name, value);
          break;
        case "/count": return new Response(String(session.get("list")?.length ?? 0));
        case "/has": return new Response(String(session.get(name) != null));
        case "/user": return new Response(session.user());
      }
    } catch (err) {
      if (typeof err.statusCode !== "number") throw err;
      return new Response(err.message, { status: err.statusCode });
    }
    return new Response("");
  }
  async ask(path) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await this.site(new Request("http://example.test" + path, { headers: cookie ? { cookie } : {} }));
    for (const field of answer.headers.getSetCookie()) {
      const [, name, value] = field.match(/^([^=]+)=([^;]*)/);
      if (/Max-Age=0|expires=Thu, 01 Jan 1970/i.test(field)) this.cookies.delete(name); else this.cookies.set(name, value);
    }
    return { ok: answer.ok, text: await answer.text() };
  }
  async get(path) { return (await this.ask(path)).text; }
  /** One request that has read its session waits while another runs; whether both were done. */
  async duringSlow(slow, fast) {
    let goOn;
    const reached = new Promise((arrived) => {
      this.pause = () => new Promise((done) => { goOn = done; arrived(); });
    });
    const answer = this.ask(slow + (slow.includes("?") ? "&" : "?") + "slow=1");
    await reached;
    const first = await this.ask(fast);
    goOn();
    return (await answer).ok && first.ok;
  }
}

const scenes = {
  "two requests at once put different names, and both are kept": async (s) => {
    await s.duringSlow("/put?name=a", "/put?name=b");
    return await s.get("/has?name=a") === "true" && await s.get("/has?name=b") === "true";
  },
  "two requests at once append to one list, and both are kept": async (s) => {
    await s.duringSlow("/append", "/append");
    return await s.get("/count") === "2";
  },
  "a logout stays, also beside a slow request that writes": async (s) => {
    const thief = s.copied();
    await s.duringSlow("/put?name=a", "/logout");
    return await thief.get("/user") === "";
  },
  "a copy of the cookie opens nothing after the logout": async (s) => {
    const thief = s.copied();
    await s.get("/logout");
    return await thief.get("/user") === "";
  },
  "two requests at once read a value and then put another, and the later one is refused": async (s) => !await s.duringSlow("/replace?name=a&value=1", "/replace?name=a&value=2"),
  "a session lives on where the server has lost its store": async (s) => {
    s.restarted();
    return await s.get("/user") === "alice";
  },
};

test("the README's comparison with iron-session and better-auth is what came out", async () => {
  const rows = readFileSync(new URL("../../../README.md", import.meta.url), "utf8").split("\n").filter((line) => line.startsWith("| "));
  const cells = (row) => row.split("|").slice(1, -1).map((cell) => cell.trim());
  const header = cells(rows.find((row) => row.includes("iron-session")) ?? assert.fail("the README has no column iron-session"));
  for (const [says, play] of Object.entries(scenes)) {
    const row = cells(rows.find((line) => line.startsWith(`| ${says} |`)) ?? assert.fail(`the README has no row "${says}"`));
    for (const [name, make] of Object.entries({ "this library": ours, "iron-session": iron, "better-auth": better })) {
      const s = new Stage(make);
      await s.get("/login");
      assert.equal(await s.get("/user"), "alice", name);
      assert.equal(row[header.indexOf(name)], await play(s) ? "yes" : "no", `${says}: ${name}`);
    }
  }
});

test("docs/comparison.md names the versions that are played", () => {
  const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
  const { devDependencies } = JSON.parse(read("../package.json")), page = read("../../../docs/comparison.md");
  for (const name of ["iron-session", "better-auth"]) assert.ok(page.includes(`${name} ${devDependencies[name]}`), name);
});
