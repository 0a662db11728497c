// The module for workerd (Cloudflare Workers): import { module } from "rockstar-sessions/workerd".
export * from "./src/index.js";
export { default as module } from "./core.wasm";
