// Errors of the package. `code` is stable and safe to log; nothing here holds a
// secret or a value of a session.

/** Reasons of a refusal, in the order of their codes. */
export const reasons = [
  "none", "malformed", "unknown_key", "not_authentic", "unknown_session", "wrong_tenant", "idle",
  "expired", "superseded", "theft", "ip_changed", "user_agent_changed", "ended", "corrupt", "ip_family",
  "cross_site", "credentials_changed", "not_fresh", "methods_missing",
];

/** Names of the codes behind an error status; see wasm/README.md. */
const codes = [
  "other", "conflict", "bad_record", "bad_name", "too_large", "seed", "bad_user", "value_name", "lifetime", "bad_value",
  "bad_id", "no_key", "key_hex", "key_length", "weak_key", "key_hex_raw", "same_key", "no_sealing", "too_many_keys",
  "no_cipher", "key_times", "nesting", "value_size", "bytes", "time", "too_many_machines", "counter", "again",
  "stamp", "method", "nobody",
];

/** What every error of this package is. */
export class SessionError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = "SessionError";
    this.code = code;
  }
}

/** A visitor does not get the session; `reason` tells why. `recent` is of a
 * cookie that was superseded, or whose user's credentials were changed, within the last minute. */
export class Refused extends SessionError {
  constructor(reason, message, recent = false) {
    super(reason, message);
    this.name = "Refused";
    this.reason = reason;
    this.recent = recent;
  }
}

/** Another request has changed the value `valueName` since this one read it, or
 * the name is exclusive. Nothing was stored. */
export class Conflict extends SessionError {
  constructor(valueName) {
    super("conflict", `session value ${JSON.stringify(valueName)} was changed by another request since this one read it: change it with update or add, which never conflict, or name it in lastWins if the later request may win`);
    this.name = "Conflict";
    this.valueName = valueName;
  }
}

/** The store could not be asked, or did not answer in time. The visitor's
 * session is neither known nor ended: answer 503. */
export class Unavailable extends SessionError {
  constructor(message, cause, code = "unavailable") {
    super(code, message, { cause });
    this.name = "Unavailable";
  }
}

const mostCauses = 4, longestMessage = 300;

/**
 * The messages of an error and its causes, joined, for a log. Repeated text is left out, and
 * so are passwords in URLs.
 */
export function whys(err) {
  const said = [];
  for (let e = err, n = 0; e !== null && e !== undefined && n <= mostCauses; e = e.cause, n++) {
    const text = String(e.message || e.code || (typeof e === "string" ? e : e.name) || "").replace(/\/\/\S*@/g, "//...@").slice(0, longestMessage);
    if (text && !said.some((before) => before.includes(text))) said.push(text);
  }
  return said.join(": ");
}

/** Returns the error that a reply of the guest is; `r` stands behind its status. */
export function errorOf(status, r) {
  switch (status) {
    case 1: {
      const reason = reasons[r.u8()], recent = r.flag();
      return new Refused(reason ?? "unlisted", r.short(), recent);
    }
    case 2: {
      const code = codes[r.u8()] ?? "other";
      return new SessionError(code, r.short());
    }
    case 3: {
      const name = r.short(), size = r.u32(), limit = r.u32();
      return new SessionError("too_large", `session is too large: ${size} bytes with value ${JSON.stringify(name)}, the limit (sessionSize) is ${limit}; keep large things elsewhere and their IDs here`);
    }
    case 4: {
      const field = r.short().replace(/^[A-Z]/, (c) => c.toLowerCase()), value = r.short(), allowed = r.short();
      return new SessionError("policy", `${field} is ${JSON.stringify(value)}; allowed: ${allowed}`);
    }
    case 6: return new SessionError("guest", "the module does not know the verb");
    case 7: return new SessionError("guest", "the module has no machine of that number");
    case 8: return new Conflict(r.short());
  }
  return new SessionError("guest", "the module found a frame malformed");
}
