// For Deno: import { sessions } from "rockstar-sessions/deno".
import { sessionsWith } from "./src/sessions.js";

export * from "./src/index.js";
export const module = new WebAssembly.Module(Deno.readFileSync(new URL("./core.wasm", import.meta.url)));
export const sessions = sessionsWith(module);
