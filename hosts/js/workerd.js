// For workerd (Cloudflare Workers): import { sessions } from "rockstar-sessions/workerd".
import module from "./core.wasm";
import { sessionsWith } from "./src/sessions.js";
import { warm } from "./src/warm.js";

export * from "./src/index.js";
export { module };
export const sessions = sessionsWith(module);

warm(module); // while the isolate starts: it draws no randomness and asks for nothing
