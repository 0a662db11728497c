// Sessions whose values are declared, and values of an interface. Compiled with and without lib dom, and never run.
import { MemoryStore, sessions, type Session, type Value } from "rockstar-sessions/node";

interface Item { sku: string; price?: number; made: Date }
interface Cart { items: Item[]; owner: { name: string } | null }
interface Data { cart: Cart; visits: number; total?: bigint; theme: "dark" | "light" }
declare const variables: { [name: string]: string | undefined };
declare const cart: Cart;

const plain = sessions({ keys: variables.KEY, store: new MemoryStore() });
const typed = sessions<Data>({ keys: [variables.KEY, { key: "y" }], store: new MemoryStore() });

export const untyped = plain.withSession(async (request, session) => {
  session.set("cart", cart).set("n", 1).set("list", ["a"]).set("bytes", new Uint8Array(1)).set("value", cart.items as readonly Item[]);
  const value: Value = { a: [1, { b: null }] };
  session.set("value", value);
  const n: number = session.update("n", (old: number | undefined) => (old ?? 0) + 1);
  const stored: Cart = session.update("cart", (old: Cart | undefined) => old ?? cart);
  const read: Cart | undefined = session.get<Cart>("cart"), taken: Cart | undefined = await session.take<Cart>("cart");
  session.update("cart", (list = []) => [...list, "thing"]);
  // @ts-expect-error a function is no value
  session.set("f", () => {});
  // @ts-expect-error nor is one within an object
  session.set("f", { deep: [{ f() {} }] });
  // @ts-expect-error a promise is none
  session.set("p", session.take("p"));
  // @ts-expect-error a Map is none
  session.set("m", new Map([["a", 1]]));
  // @ts-expect-error a symbol is none
  session.set("s", Symbol("s"));
  // @ts-expect-error update takes no promise either
  session.update("n", async () => 1);
  return reply(request.url, n, stored, read, taken);
});

export const declared = typed.withSession(async (request, session) => {
  session.set("cart", cart).set("visits", 2).set("theme", "dark").delete("total");
  session.set("cart", { items: [{ sku: "a", made: new Date() }], owner: null });
  const sum: number | bigint = session.add("visits");
  session.add("total", 2n);
  const read: Cart | undefined = session.get("cart"), total: bigint | undefined = await session.take("total");
  const next: Cart = session.update("cart", (old) => ({ items: old?.items ?? [], owner: null }));
  // @ts-expect-error a name that is not declared
  session.get("carts");
  // @ts-expect-error the type of another value
  session.set("cart", 5);
  // @ts-expect-error a field too many
  session.set("cart", { items: [], owner: null, colour: "red" });
  // @ts-expect-error a cart is no counter
  session.add("cart");
  // @ts-expect-error what update returns must be a cart
  session.update("cart", () => 1);
  // @ts-expect-error a theme that there is not
  session.set("theme", "blue");
  show(session);
  return reply(request.url, read, total, next, sum);
});

export function show(session: Session<Data>): number { return session.get("visits") ?? 0; }
declare function reply(...parts: unknown[]): Awaited<ReturnType<ReturnType<typeof plain.withSession>>>;

// @ts-expect-error keys must be named, though one may be undefined
sessions({ store: new MemoryStore() });
