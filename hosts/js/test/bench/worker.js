// In workerd, whose clock stands still while it computes: the time is taken
// from outside. /first is what a visitor's first request runs.
import * as lib from "../../workerd.js";
import { times, workloads } from "./work.js";

let all, mine;
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/first") {
      mine ??= lib.sessions({ module: lib.module, keys: "7c1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15", store: new lib.MemoryStore(), policy: { allowInsecure: true } });
      const s = await mine.load(request);
      s.login("alice").set("n", 1);
      return mine.commit(s, new Response("ok"));
    }
    if (pathname === "/plain") return new Response("ok");
    all ??= await workloads(lib);
    await times(Number(searchParams.get("n")), all[pathname.slice(1)]);
    return new Response("ok");
  },
};
