// The promises of a store, with the names and sentences of the Go package
// conformance. Contexts are left out: JavaScript stores are given none.

import { Probe } from "./conformance/probe.js";
import { saveCases } from "./conformance/save.js";
import { recordCases } from "./conformance/records.js";
import { endCases } from "./conformance/end.js";
import { raceCases } from "./conformance/race.js";

const caseLimit = 120_000; // ms for one case, on the slowest backend

/** Every case: its name, its promise, and the function that checks it. */
export const cases = [...saveCases, ...recordCases, ...endCases, ...raceCases];

/** Runs every case, or those of the names, against stores that open returns, and tells what each has seen. */
export async function conformance(open, only) {
  const results = [];
  for (const [name, promise, check] of cases) {
    if (only && !only.includes(name)) continue;
    results.push({ name, promise, seen: await run(name, check, open) });
  }
  return results;
}

async function run(name, check, open) {
  let timer;
  try {
    const probe = new Probe(name, await open());
    const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`the case has not ended within ${caseLimit} ms`)), caseLimit); });
    await Promise.race([check(probe), late]);
    return "";
  } catch (err) {
    return String(err?.message ?? err);
  } finally {
    clearTimeout(timer);
  }
}
