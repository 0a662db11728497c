// The module for workerd (Cloudflare Workers): import { module } from "rockstar-sessions/workerd".
import module from "./core.wasm";
import { warm } from "./src/warm.js";

export * from "./src/index.js";
export { module };

warm(module); // while the isolate starts: it draws no randomness and asks for nothing
