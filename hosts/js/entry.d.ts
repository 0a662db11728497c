export * from "./index.js";
/** core.wasm, compiled. */
export declare const module: WebAssembly.Module;
