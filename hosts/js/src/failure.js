import { SessionError } from "./errors.js";

const answers = {
  ended: [401, "The session has ended in the meantime. Nothing of this request was stored."],
  ip_family: [401, "The session is not open to this IP address; sign in once more. Nothing of this request was stored."],
  superseded: [401, "The session was signed in anew in the meantime. Nothing of this request was stored."],
  conflict: [409, "The session was changed by another request. Nothing of this request was stored."],
  too_large: [413, "The session is too large. Nothing of this request was stored."],
  bad_name: [400, "No session can be kept under this host name."],
};

// Errors of the program and not of a store: they are for its developer.
const bugs = ["config", "response", "committed"];

/** The response for an error of load or commit; it throws what is none of a session, or a fault of the program. */
export function failure(err) {
  if (!(err instanceof SessionError) || bugs.includes(err.code)) throw err;
  const [status, text] = answers[err.code] ?? [503, "The session store does not answer. What this request changed may not be stored; try again."];
  if (status === 503) console.error("sessions: a session could not be loaded or stored:", err.message, err.cause?.message ?? "");
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  if (status === 503) headers["retry-after"] = "1";
  return new Response(text + "\n", { status, headers });
}
