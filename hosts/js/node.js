// The module for Node and Bun: import { module } from "rockstar-sessions/node".
import { readFileSync } from "node:fs";

export * from "./src/index.js";
export { toNode } from "./src/tonode.js";
export const module = new WebAssembly.Module(readFileSync(new URL("./core.wasm", import.meta.url)));
