// Compiled by `npm run types` and never run.
import { Conflict, MemoryStore, Unavailable, failure, module, sessions, toNode, typed, type SessionRecord, type Store } from "rockstar-sessions/node";
import { FetchStore, RedisStore } from "rockstar-sessions";
import { conformance } from "rockstar-sessions/conformance";

const all = sessions({
  module, keys: [{ key: "x", sealFrom: new Date() }, "y"], store: new MemoryStore({ most: 5 }),
  policy: { lifetime: 1000, sameSite: "Strict", merge: { visits: "counter" }, exclusive: ["seat"], lastWins: true, secureByRequest: true }, https: (request) => request.url !== "",
  tenant: (request: Request) => new URL(request.url).host, ip: ({ headers }) => headers.get("x-real-ip"), onEvent: (e) => console.log(e.kind, e.reason),
});

class Mine implements Store {
  async load(id: string): Promise<SessionRecord | null> { return id === "" ? null : null; }
  async save(record: SessionRecord, prev: bigint): Promise<boolean> { return record.version === prev; }
  async delete(_id: string): Promise<void> {}
}

export default {
  fetch: all.withSession(async (request, session, env: { NAME: string }) => {
    session.set("visits", (session.get<number>("visits") ?? 0) + 1).set("roles", typed("[]string", ["a"])).login(env.NAME, { lifetime: 5 });
    const sum: number | bigint = session.add("visits", 2n);
    const cart: string[] = session.update("cart", (old: string[] | undefined) => [...(old ?? []), String(sum)]);
    session.update("n", (old = 0) => old + cart.length);
    const flash: string | undefined = await session.take<string>("flash");
    // @ts-expect-error a promise is no value
    session.update("n", async () => 1);
    if (flash) await all.update(flash, "n", (old: number | undefined) => (old ?? 0) + 1);
    // @ts-expect-error a function is no value
    session.set("f", () => {});
    // @ts-expect-error the bytes of a session are its own
    session.bytes;
    return new Response(session.id ?? request.url);
  }),
};

export async function byHand(request: Request): Promise<Response> {
  try {
    const s = await all.load(request);
    return await all.commit(s, new Response(s.reason));
  } catch (err) {
    if (err instanceof Unavailable) console.log(err.code);
    if (err instanceof Conflict) console.log(err.valueName);
    return failure(err);
  }
}

// @ts-expect-error load({ method, headers }) has no url
sessions({ module, keys: "x", store: new Mine(), tenant: (request) => new URL(request.url).host });
// @ts-expect-error a promise is no tenant
sessions({ module, keys: "x", store: new Mine(), tenant: async () => "acme" });
interface WithIP { method: string; headers: Headers; ip?: string }
export const bound = sessions({ module, keys: "x", store: new Mine(), policy: { bindIPv4Bits: 24 }, ip: (request: WithIP) => request.ip });
bound.load({ method: "GET", headers: new Headers(), ip: "192.0.2.7" });
// @ts-expect-error a request has headers
bound.load({ method: "GET" });

// @ts-expect-error a misspelt field
sessions({ module, keys: "x", store: new Mine(), policy: { lifeTime: 5 } });
new FetchStore({ url: "https://x", token: "y" });
new RedisStore({ send: async () => null, getBuffer: async () => null });
conformance(() => new Mine()).then((r) => r.filter((c) => c.seen));

export const listener: (req: object, res: object) => Promise<void> = toNode(byHand, { origin: "https://shop.example" });
