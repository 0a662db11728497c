// The same five values, by this package, by iron-session and by jose: what each
// request pays that only reads its session.
import { sealData, unsealData } from "iron-session";
import { EncryptJWT, jwtDecrypt } from "jose";

const values = { name: "Alice Example", roles: ["admin", "editor"], visits: 12, theme: "dark", last: "/account/settings" };
const password = "bench-password-of-32-characters!!", seconds = 14 * 86_400;

/** The three workloads; each awaits one request. */
export async function workloads({ MemoryStore, module, sessions }) {
  const all = sessions({ module, keys: "7c1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15", store: new MemoryStore(), policy: { allowInsecure: true } });
  const first = await all.load(new Request("http://example.test/"));
  for (const [name, value] of Object.entries(values)) first.set(name, value);
  const [field] = await all.store(first.login("alice"));
  const request = new Request("http://example.test/", { headers: { cookie: field.split(";")[0], "user-agent": "Mozilla/5.0" } });
  const sealed = await sealData({ user: "alice", ...values }, { password, ttl: seconds });
  const key = new Uint8Array(32).map((_, i) => i * 7 + 3);
  const token = await new EncryptJWT({ user: "alice", ...values }).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).setIssuedAt().setExpirationTime("14d").encrypt(key);
  const same = (user, got) => {
    if (user !== "alice" || got.visits !== 12 || got.roles.length !== 2) throw new Error("another session: " + JSON.stringify(got));
  };
  return {
    async js() {
      const s = await all.load(request), got = {};
      for (const name of s.names) got[name] = s.get(name);
      same(s.user, got);
      if ((await all.store(s)).length > 0) throw new Error("an unchanged session has set a cookie");
    },
    async iron() { const got = await unsealData(sealed, { password, ttl: seconds }); same(got.user, got); },
    async jose() { const { payload } = await jwtDecrypt(token, key); same(payload.user, payload); },
  };
}

export async function times(n, f) { for (let i = 0; i < n; i++) await f(); }
