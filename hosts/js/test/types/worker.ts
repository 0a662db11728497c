// A Worker with the types of Cloudflare. Compiled and never run.
import { D1Store, DurableObjectStore, SessionObject, sessions } from "rockstar-sessions/workerd";
export { SessionObject };

interface Env { KEY: string; SESSIONS: DurableObjectNamespace; DB: D1Database }
const make = (env: Env) => sessions({ keys: env.KEY, store: new DurableObjectStore(env.SESSIONS), https: (request: Request) => request.cf !== undefined })
  .withSession(async (request: Request, session, _env: Env, ctx: ExecutionContext) => {
    ctx.waitUntil(new D1Store(_env.DB).sweep(Date.now()));
    return new Response(`${request.cf?.country} ${session.add("visits")}`);
  });

let all: ReturnType<typeof make>;
export default {
  fetch(request, env, ctx) { return (all ??= make(env))(request, env, ctx); },
} satisfies ExportedHandler<Env>;
