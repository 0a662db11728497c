import type { CompiledModule } from "./index.js";
import type { Global, ResponseLike } from "./web.js";

type Response = Global<"Response", ResponseLike>;

export * from "./index.js";
/** Compiles core.wasm: of the response, as from a cache, or else of the file beside this module. */
export declare function compile(response?: Response | PromiseLike<Response>): Promise<CompiledModule>;
