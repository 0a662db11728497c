import { SessionError } from "../errors.js";
import { idText } from "../bytes.js";
import { sealed } from "./probe.js";
import { outOfBounds } from "./hostile.js";

export const saveCases = [
  ["fresh", "Open gives a store on a fresh, empty namespace.", fresh],
  ["insert-taken", "Save without prev inserts, and the ID must be new; otherwise it answers false and nothing is changed.", insertTaken],
  ["replace-prev", "Save with prev replaces exactly the version prev.", replacePrev],
  ["replace-wrong-prev", "When the stored version is not prev, Save answers false and nothing is changed.", replaceWrongPrev],
  ["replace-missing", "Save with prev never inserts: for a missing record it answers false.", replaceMissing],
  ["save-repeated", "Save is idempotent: when the stored version is already record.version it has succeeded.", saveRepeated],
  ["save-repeated-late", "A Save that is repeated after a later one is refused, and nothing is changed.", saveRepeatedLate],
  ["lost-answer", "A Save whose answer was lost and which is sent again is applied once.", lostAnswer],
  ["bounds", "A record outside its bounds (checkRecord) is refused, not as a conflict, and nothing is stored.", bounds],
  ["bounds-named", "A record that fails checkRecord is refused with the error of the check.", boundsNamed],
  ["save-leaves-bytes", "Save leaves the record as it was handed over: its bytes, and those behind their end, are not the store's to write.", saveLeavesBytes],
  ["touch", "A Save that only notes a use inserts, replaces, conflicts and repeats like any other, and is seen once it is acknowledged.", touch],
];

async function fresh(p) {
  const r = p.record({ id: new Uint8Array(16).fill(7) });
  await p.gone(r.id);
  await p.save(r, 0n);
}

async function insertTaken(p) {
  for (const first of [p.record(), expired(p)]) {
    await p.save(first, 0n);
    await p.conflict(p.next(first), 0n);
    await p.holds(first);
  }
}

// Until it is swept an expired record is there like any other.
const expired = (p) => p.record({ expiresAt: Date.now() - 10_000 });

async function replacePrev(p) {
  let was = p.record();
  const other = p.record();
  await p.save(was, 0n);
  await p.save(other, 0n);
  for (let i = 0; i < 10; i++) {
    const is = p.next(was, { user: ["", "bob", "alice"][i % 3] });
    Object.assign(is, { seenAt: was.seenAt + i, expiresAt: was.expiresAt + 2 * i, sealed: sealed(is.version, 3000 * (9 - i)) });
    await p.save(is, was.version);
    await p.holds(is);
    was = is;
  }
  await p.holds(other);
  const over = expired(p), next = p.next(over);
  await p.save(over, 0n);
  await p.save(next, over.version);
  await p.holds(next);
}

async function replaceWrongPrev(p) {
  const old = p.record();
  await p.save(old, 0n);
  // A version kept in a float loses its low bits, one kept in 32 bits its high ones.
  const now = p.next(old, { version: 1n << 62n | 1n << 31n | 3n }), next = p.next(now);
  await p.save(now, old.version);
  const v = now.version;
  for (const prev of [old.version, next.version, 1n, 3n, (1n << 63n) - 1n, v - 1n, v + 1n, v ^ 1n << 31n, v ^ 1n << 62n, v ^ 1n << 32n]) {
    await p.conflict(next, prev);
    await p.holds(now);
  }
}

async function replaceMissing(p) {
  const r = p.record();
  await p.conflict(r, p.version());
  await p.conflict(r, r.version);
  await p.gone(r.id);
}

async function saveRepeated(p) {
  const first = p.record(), second = p.next(first);
  for (let i = 0; i < 3; i++) await p.save(first, 0n);
  for (let i = 0; i < 3; i++) {
    await p.save(second, first.version);
    await p.holds(second);
  }
  // The stored version alone decides, whatever the caller believes.
  await p.save(second, p.version());
  await p.save(second, 0n);
  await p.holds(second);
}

async function saveRepeatedLate(p) {
  const first = p.record(), second = p.next(first), third = p.next(second);
  await p.save(first, 0n);
  await p.save(second, first.version);
  await p.save(third, second.version);
  await p.conflict(first, 0n);
  await p.conflict(second, first.version);
  await p.save(third, second.version);
  await p.holds(third);
}

// Every answer is taken for lost; before every other repetition somebody else saves as well.
async function lostAnswer(p) {
  let was = p.record();
  await p.save(was, 0n);
  for (let i = 0; i < 20; i++) {
    const is = p.next(was);
    await p.save(is, was.version);
    let last = is;
    if (i % 2 === 1) {
      last = p.next(is);
      await p.save(last, is.version);
      await p.conflict(is, was.version);
    } else await p.save(is, was.version);
    await p.holds(last);
    was = last;
  }
}

async function refusal(p, r, prev) {
  try {
    const answer = await p.store.save(r, prev);
    return p.fail(`save answers ${answer} for a record outside its bounds, want an error`);
  } catch (err) {
    return err;
  }
}

async function bounds(p) {
  const stored = p.record();
  await p.save(stored, 0n);
  for (const [what, [spoil]] of Object.entries(outOfBounds)) {
    for (const prev of [0n, stored.version]) {
      const r = p.record({ ...(prev ? { id: stored.id } : {}), ...spoil });
      const err = await refusal(p, r, prev);
      if (!(err instanceof Error) || /^save answers/.test(err.message)) p.fail(`${what}: ${err?.message ?? err}`);
      if (!prev && what !== "no ID") await p.gone(r.id);
      await p.holds(stored);
    }
  }
}

async function boundsNamed(p) {
  for (const [what, [spoil, code]] of Object.entries(outOfBounds)) {
    const err = await refusal(p, p.record(spoil), 0n);
    if (!(err instanceof SessionError) || err.code !== code) p.fail(`${what}: ${err?.message ?? err}, want an error of code ${code}`);
  }
}

async function saveLeavesBytes(p) {
  for (let n = 0; n < 20; n++) {
    const r = p.record(), buffer = new Uint8Array(r.sealed.length + 64).fill(0xa7);
    buffer.set(r.sealed);
    const handed = { ...r, id: r.id.slice(), sealed: buffer.subarray(0, r.sealed.length) };
    await p.store.save(handed, 0n);
    if (handed.sealed.length !== r.sealed.length) p.fail("the store has taken the bytes that it was handed");
    if (!buffer.every((b, i) => b === (i < r.sealed.length ? r.sealed[i] : 0xa7))) p.fail(`the store has written to the bytes of ${idText(r.id)}`);
    await p.holds(r);
  }
}

async function touch(p) {
  const o = { touch: true };
  let is = p.record();
  await p.save(is, 0n, o);
  await p.holds(is);
  for (let i = 0; i < 20; i++) {
    const was = is;
    is = p.next(was, { seenAt: was.seenAt + 1, expiresAt: was.expiresAt + 1 });
    await p.save(is, was.version, o);
    await p.save(is, was.version, o);
    await p.conflict(p.next(is), was.version, o);
    await p.conflict(p.next(is), 0n, o);
    await p.holds(is);
  }
  await p.delete(is.id);
  await p.conflict(p.next(is), is.version, o);
  await p.gone(is.id);
}
