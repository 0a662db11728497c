import type { Store } from "./index.js";

export interface CaseResult {
  name: string;
  /** The sentence of the contract. */
  promise: string;
  /** What the store did instead; empty if it kept the promise. */
  seen: string;
}
/** Holds a store to its promises; open gives one on a fresh, empty
 * namespace with room for 1000 records and 8 MiB, once for each case. A store that cannot keep the largest session
 * says so by a property maxSealed, in bytes. `only` picks cases by name. */
export declare function conformance(open: () => Store | Promise<Store>, only?: string[]): Promise<CaseResult[]>;
