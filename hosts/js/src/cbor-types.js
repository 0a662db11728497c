// Types that JavaScript has no own for, and what values keep of Go beside them.

import { SessionError } from "./errors.js";
import { kindOf, shown } from "./only.js";

export const tagInt64 = 0xbe00, tagUint64 = 0xbe01, tagTime = 0xbe02, tagDuration = 0xbe03, tagBytesText = 0xbe04,
  tagStrings = 0xbe05, tagInts = 0xbe06, tagStringMap = 0xbe07;
export const maxNesting = 16;

/** A Go time.Duration: whole nanoseconds. */
export class Duration {
  constructor(nanoseconds) { this.nanoseconds = BigInt(nanoseconds); }
  get milliseconds() { return Number(this.nanoseconds) / 1e6; }
}

/** A Go string that is not UTF-8: its bytes. */
export class ByteString {
  constructor(bytes) { this.bytes = bytes; }
}

// What a Date or a list that was read cannot show is kept beside it, for as
// long as the object is what it was.
export const kept = new WeakMap();

const goTypes = new Map([["[]string", tagStrings], ["[]int", tagInts], ["map[string]string", tagStringMap]]);

/** Gives a list or object the Go type "[]string", "[]int" or "map[string]string" when it is written. */
export function typed(type, value) {
  const tag = goTypes.get(type);
  if (!tag) throw new SessionError("bad_value", `typed: the type is ${shown(type)}; allowed: []string, []int, map[string]string`);
  if (value === null || typeof value !== "object") throw new SessionError("bad_value", `typed: the value is ${kindOf(value)}; allowed: an array, or an object for map[string]string`);
  kept.set(value, { tag });
  return value;
}
