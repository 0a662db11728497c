// The module for Deno: import { module } from "rockstar-sessions/deno".
export * from "./src/index.js";
export const module = new WebAssembly.Module(Deno.readFileSync(new URL("./core.wasm", import.meta.url)));
