import type { CompiledModule } from "./index.js";

/** The core, which bundlers and workerd compile when it is imported. */
declare const module: CompiledModule;
export default module;
