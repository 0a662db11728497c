// What happened to sessions, for onEvent.

import { idText } from "./bytes.js";
import { did } from "./frames.js";

export const aboutOf = ({ id, tenant, user }) => ({ id, tenant, user });

/** Calls onEvent. That it fails, at once or later, fails no request. */
export function sendEvent({ onEvent, clock }, kind, about) {
  const failed = (err) => console.warn("sessions: onEvent failed:", err?.message);
  try {
    onEvent({ kind, at: clock(), ...about })?.then?.(null, failed);
  } catch (err) {
    failed(err);
  }
}

/** Sends the events of a commit. */
export function tellDeeds(e, next, event) {
  const about = aboutOf(next);
  if (e.dropped.length > 0) event("conflict", { ...about, names: e.dropped });
  if (e.warn) console.warn(`sessions: session ${next.id} has grown to ${e.size} bytes; keep large things elsewhere and their IDs here`);
  // What was deleted is this session, or the one of another user that a login replaces.
  if (e.delete) event("ended", e.did & did.end ? { ...about, id: idText(e.delete), reason: "ended" } : { id: idText(e.delete), tenant: next.tenant, user: "", reason: "superseded" });
  for (const [deed, kind] of [[did.create, "created"], [did.login, "login"], [did.renew, "renewed"], [did.refresh, "refreshed"]]) {
    if (e.did & deed) event(kind, about);
  }
}
