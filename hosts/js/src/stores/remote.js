import { Reader, Writer, encodeText } from "../bytes.js";
import { readRecord, writeRecord } from "../frames.js";
import { Refused, SessionError } from "../errors.js";
import { checkRecord, maxSealed } from "../record.js";

// Answers of StoreHandler before it has asked its store, or of a server without one.
const notDone = [400, 401, 403, 404, 405];
const maxBody = maxSealed + 1024; // a record

/** The verbs of a store that is asked by POST, as nethttp.StoreHandler and SessionObject are. */
export async function loadBy(post, id) {
  const a = await post("load", encodeText(id));
  if (a.status === 404) { await a.body?.cancel(); return null; }
  if (a.status === 422) { await a.body?.cancel(); throw new Refused("corrupt", "session record is damaged in the store"); }
  if (a.status !== 200) throw await unexpected(a, 200);
  const r = new Reader(await whole(a));
  const record = readRecord(r);
  if (r.left !== 0) throw new Error("the session's store answered with more than a record");
  return record;
}

export async function saveBy(post, record, prev, touch) {
  checkRecord(record);
  const w = writeRecord(new Writer(record.sealed.length + 1024).u64(prev), record);
  const a = await post(touch ? "save?touch=1" : "save", w.done());
  if (notDone.includes(a.status) || a.headers.get("session-store") === "refused") throw new SessionError("refused", (await unexpected(a, 204)).message);
  if (![204, 409, 413].includes(a.status)) throw await unexpected(a, 204);
  await a.body?.cancel();
  if (a.status === 413) throw new SessionError("too_large", "the session is too large for the store");
  return a.status === 204;
}

export async function deleteBy(post, id) {
  const a = await post("delete", encodeText(id));
  if (a.status !== 204) throw await unexpected(a, 204);
  await a.body?.cancel();
}

// An origin of a release before caches answers 404.
export async function cachingBy(post) {
  const a = await post("caching", new Uint8Array());
  if (a.status !== 204 && a.status !== 404) throw await unexpected(a, 204);
  await a.body?.cancel();
  return a.status === 204 && a.headers.get("session-caching") !== "no";
}

async function unexpected(a, status) {
  await a.body?.cancel();
  return new Error(`the session's store answered ${a.status}, not ${status}`);
}

// Reads a body that is no longer than a record.
async function whole(a) {
  const w = new Writer(4096);
  for (const reader = a.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return w.done();
    if (w.n + value.length > maxBody) {
      await reader.cancel();
      throw new Error("the session's store answered with more than a record");
    }
    w.raw(value);
  }
}
