// The module for a browser's service worker, where no module may await while it starts.
export * from "./src/index.js";
export const compile = (response = fetch(new URL("./core.wasm", import.meta.url))) => WebAssembly.compileStreaming(response);
