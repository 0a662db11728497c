// Asking a store: within a time, and with its answers held to their shape.

import { idBytes, idText } from "./bytes.js";
import { checked } from "./record.js";
import { Refused, SessionError, Unavailable } from "./errors.js";

const promptTurns = 3; // of the microtasks: a store in memory has answered by then, and needs no timer

/** A time that ends by the runtime's own count: a clock may be set, or stand still. */
export class Deadline {
  constructor(ms) {
    this.ms = ms;
  }

  get left() {
    this.until ??= performance.now() + this.ms;
    return this.until - performance.now();
  }

  /** Bounds a call of a store; the call itself cannot be taken back. */
  async within(call) {
    let settled = null;
    const asked = (async () => {
      try {
        const answer = await call();
        settled = () => answer;
      } catch (cause) {
        settled = () => { throw asError(cause); };
      }
    })();
    for (let turn = 0; turn < promptTurns && !settled; turn++) await null;
    return settled ? settled() : this.#awaited(asked, () => settled());
  }

  async #awaited(asked, answer) {
    let timer;
    const late = new Promise((_, fail) => {
      timer = setTimeout(() => fail(new Unavailable(`the store has not answered within ${this.ms} ms`)), Math.max(this.left, 1));
    });
    try {
      await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
    return answer();
  }
}

// What is thrown may be anything, undefined included.
const asError = (cause) => cause instanceof Error ? cause : new Error(`the store has thrown ${typeof cause === "string" ? cause : typeof cause}`);

/**
 * Loads a record, or null. Whatever the store throws is Unavailable, but for a
 * record that it knows to be damaged.
 */
export async function loadRecord(store, id, deadline) {
  try {
    return checked(await deadline.within(() => store.load(idText(id))), id);
  } catch (cause) {
    if (cause instanceof Refused && cause.reason === "corrupt") throw cause;
    throw new Unavailable(`load session ${idText(id)}: the store failed`, cause);
  }
}

/** The bytes of an ID that a program gives. */
export function idOf(id) {
  try {
    return idBytes(id);
  } catch (cause) {
    throw new SessionError("bad_id", "a session ID is 22 characters of base64url", { cause });
  }
}
