import { Unavailable, whys } from "./errors.js";

const every = 60_000; // ms between two reports

/**
 * Reports that a store fails: the first time at once, and then once a minute while
 * it goes on, with how often it was met. There is no timer, which a Worker could
 * not keep: what is left of a minute is told with the next failure.
 */
export class Outage {
  #report;
  #count = 0;
  #last = -Infinity;

  constructor(report) { this.#report = report; }

  /** Notes an error of a store; it returns it. */
  met(err) {
    if (!(err instanceof Unavailable)) return err;
    this.#count++;
    const now = performance.now();
    if (now - this.#last >= every) {
      const count = this.#count;
      this.#count = 0;
      this.#last = now;
      console.error(`sessions: session store failed, ${count} ${count === 1 ? "time" : "times"}:`, whys(err));
      this.#report(count, err);
    }
    return err;
  }
}
