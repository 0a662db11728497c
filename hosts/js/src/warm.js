import { Guest } from "./guest.js";
import { Session, innerOf } from "./session.js";
import { configureFrame, op, plainRequest, readEffects, readSession, readTickets, writeRecord, writeRequest } from "./frames.js";

/**
 * Runs one session's life without a store, so that the code is compiled before
 * the first visitor comes: while an isolate starts, nobody waits for it yet.
 * The key is made up and protects nothing.
 */
export function warm(module) {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i * i + 7 & 0xff), now = 1_800_000_000_000;
  const guest = new Guest(module, configureFrame({ allowInsecure: true }, [{ key, sealFrom: 0, openUntil: 0 }]));
  guest.start();
  const q = { ...plainRequest, userAgent: "warm" };
  const s = new Session(guest, readSession(guest.ask(op.create, (w) => writeRequest(w, q))));
  s.login("nobody").set("n", 1);
  const e = readEffects(guest.ask(op.commit, (w) => w.time(now).raw(key).raw(innerOf(s).bytes)));
  const [ticket] = readTickets(guest.ask(op.identify, (w) => w.time(now).short("").u32(1).long(e.cookies[0].split(";")[0])));
  const again = new Session(guest, readSession(guest.ask(op.resume, (w) => writeRecord(writeRequest(w.time(now).raw(ticket.bytes), q), e.save))));
  return again.get("n");
}
