export * from "./index.js";
/** Compiles core.wasm: of the response, as from a cache, or else of the file beside this module. */
export declare function compile(response?: Response | PromiseLike<Response>): Promise<WebAssembly.Module>;
