// The shape and bounds of a record, as core.Record and its Check have them.

import { copy, encodeText, wellFormed } from "./bytes.js";
import { SessionError, Unavailable } from "./errors.js";

const versionsEnd = 1n << 63n;
const maxName = 255; // bytes of tenant and user
export const maxSealed = (1 << 20) + (16 << 10);

/** Refuses a record that no store may keep. Stores call it first in save. */
export function checkRecord(r) {
  if (!(r?.id instanceof Uint8Array) || r.id.length !== 16 || isZero(r.id)) throw new SessionError("bad_id", "the record has no ID");
  if (typeof r.version !== "bigint" || r.version <= 0n || r.version >= versionsEnd) throw new SessionError("bad_record", "the record has no version of 63 bits");
  for (const at of ["createdAt", "seenAt", "expiresAt"]) {
    if (!Number.isSafeInteger(r[at])) throw new SessionError("bad_record", `${at} of the record is no whole number of milliseconds`);
  }
  if (!validName(r.tenant) || !validName(r.user)) throw new SessionError("bad_name", "tenant and user are text without control characters, at most 255 bytes");
  if (!(r.sealed instanceof Uint8Array)) throw new SessionError("bad_record", "the record has no sealed bytes");
  if (r.sealed.length > maxSealed) throw new SessionError("too_large", `the record has ${r.sealed.length} sealed bytes; the most is ${maxSealed}`);
}

function validName(s) {
  if (typeof s !== "string" || s.length > maxName) return false;
  let plain = true;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c < 0x20 || c >= 0x7f && c < 0xa0) return false;
    plain &&= c < 0x7f;
  }
  return plain || wellFormed(s) && encodeText(s).length <= maxName;
}

function isZero(b) {
  for (let i = 0; i < b.length; i++) if (b[i] !== 0) return false;
  return true;
}

function same(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}

/** A copy that shares no bytes. */
export const copyRecord = (r) => ({ ...r, id: copy(r.id), sealed: copy(r.sealed) });

/** Holds what a store answered to the shape of a record: garbage is a failure, never "not there". */
export function checked(record, id) {
  if (record === null) return null;
  try {
    checkRecord(record);
  } catch (cause) {
    throw new Unavailable("the store answered with something that is no record", cause);
  }
  if (!same(record.id, id)) throw new Unavailable("the store answered with another session");
  return record;
}
