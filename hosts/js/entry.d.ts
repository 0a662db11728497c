import type { AnyData, CompiledModule, Options, Sessions } from "./index.js";

export * from "./index.js";
/** core.wasm, compiled. */
export declare const module: CompiledModule;
/** Makes the sessions of one application, with the module of this entry unless the options have another. */
export declare function sessions<Data extends object = AnyData>(options: Omit<Options, "module"> & Partial<Pick<Options, "module">>): Sessions<Data>;
