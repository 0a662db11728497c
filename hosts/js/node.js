// For Node and Bun: import { sessions } from "rockstar-sessions/node".
import { readFileSync } from "node:fs";
import { sessionsWith } from "./src/sessions.js";

export * from "./src/index.js";
export { toNode } from "./src/tonode.js";
export const module = new WebAssembly.Module(readFileSync(new URL("./core.wasm", import.meta.url)));
export const sessions = sessionsWith(module);
