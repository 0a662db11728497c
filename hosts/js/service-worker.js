// The module for a browser's service worker: its compilation is awaited.
export * from "./src/index.js";
export const module = await WebAssembly.compileStreaming(fetch(new URL("./core.wasm", import.meta.url)));
