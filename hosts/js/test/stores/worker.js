import { D1Store, DurableObjectStore } from "../../src/index.js";
import { conformance } from "../../src/conformance.js";

export { SessionObject } from "../../src/index.js";

let tables = 0;
const opens = {
  "/durable": (env) => () => new DurableObjectStore(env.OBJECTS, { retention: 60_000 }),
  "/d1": (env) => async () => {
    const store = new D1Store(env.DB, { table: `t${tables++}` });
    await store.create();
    return store;
  },
};

export default {
  async fetch(request, env) {
    return Response.json(await conformance(opens[new URL(request.url).pathname](env)));
  },
};
