import { Refused, SessionError, whys } from "./errors.js";

const notStored = " Nothing of this request was stored.";
const invalid = [400, "The request names something that no session can have." + notStored];
const tooLarge = [413, "The session is too large." + notStored];
const down = [503, "The session store does not answer. What this request changed may not be stored; try again."];

const answers = {
  ended: [401, "The session has ended in the meantime." + notStored],
  ip_family: [401, "The session is not open to this IP address; sign in once more." + notStored],
  superseded: [401, "The session was signed in anew in the meantime." + notStored],
  credentials_changed: [401, "The password or the rights of this account were changed: please sign in anew." + notStored],
  not_fresh: [401, "Confirm that it is you."], methods_missing: [401, "Another proof is needed that it is you."], nobody: [401, "Please sign in."],
  cross_site: [403, "Another site sent this request, so that it began no session." + notStored],
  conflict: [409, "The session was changed by another request." + notStored],
  too_large: tooLarge, value_size: tooLarge,
  bad_name: [400, "No session can be kept under this host name."],
  bad_user: invalid, lifetime: invalid, value_name: invalid, bad_id: invalid, nesting: invalid, time: invalid,
  credentials: [503, "It cannot be checked at the moment whether you are signed in. Nothing of this request was stored; try again."],
  unavailable: down, refused: down, busy: down, full: down, closed: down, seed: down,
};

// Errors of the program and not of a session: they are for its developer.
const bugs = ["config", "response", "committed", "updating"];

/**
 * The response for an error of load or commit; it throws what is none of a session, or
 * a fault of the program. What is left is answered with 500 and logged. A store that
 * fails was reported by whoever met it.
 */
export function failure(err) {
  if (!(err instanceof SessionError) || bugs.includes(err.code)) throw err;
  let answer = answers[err.code];
  if (!answer && err instanceof Refused) answer = [401, "Authentication required."];
  if (!answer) console.error("sessions: a request got an error page by a fault of the program:", whys(err));
  const [status, text] = answer ?? [500, "The server has made a mistake, and has logged it."];
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  if (status === 503) headers["retry-after"] = "1";
  return new Response(text + "\n", { status, headers });
}
