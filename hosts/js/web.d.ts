// What the package asks of the Web's types. A program has those of its runtime or
// of lib.dom, and gets these same ones; without any it gets the few members here.

/** The type of a global class where the program's types have one, else Otherwise. */
export type Global<Name extends string, Otherwise> =
  typeof globalThis extends { [N in Name]: { prototype: infer Known } } ? Known : Otherwise;

export interface HeadersLike { get(name: string): string | null; has(name: string): boolean }
export interface RequestLike { readonly method: string; readonly url: string; readonly headers: HeadersLike; text(): Promise<string> }
export interface ResponseLike { readonly status: number; readonly headers: HeadersLike; text(): Promise<string> }
export interface UrlLike { readonly href: string }
export type AbortSignalLike = Global<"AbortSignal", { readonly aborted: boolean }>;
