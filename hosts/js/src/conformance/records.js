import { difference, sealed } from "./probe.js";
import { hostileIDs, hostileNames } from "./hostile.js";

export const recordCases = [
  ["load-missing", "Load of what was never saved returns null.", loadMissing],
  ["load-elsewhere", "Load sees at once what another process has saved or deleted, also where it has looked before.", loadElsewhere],
  ["load-times", "Load returns exactly the times that were saved.", loadTimes],
  ["load-versions", "Load returns exactly the version that was saved, all 63 bits of it.", loadVersions],
  ["load-sealed", "Load returns exactly the sealed bytes that were saved: none, every value, and up to the most.", loadSealed],
  ["load-names", "Load returns exactly the tenant and user that were saved, whatever characters they have.", loadNames],
  ["ids-distinct", "Every ID names its own record: IDs that differ in one bit or only in the case of their text are different sessions.", idsDistinct],
  ["load-expired", "Load returns an expired record too: a store that forgets by itself does so only after expiresAt and a retention.", loadExpired],
  ["forget-late", "A backend that forgets by itself goes by the last Save: what was touched in time stays.", forgetLate],
  ["kept-record", "The caller may keep a loaded record: nothing that happens in the store changes it.", keptRecord],
  ["changed-fields", "The caller may change the fields of a loaded record: that changes nothing in the store.", changedFields],
];

async function loadMissing(p) {
  await p.gone(p.id());
  await p.save(p.record(), 0n);
  await p.gone(p.id());
}

async function loadElsewhere(p) {
  for (let n = 0; n < 20; n++) {
    const was = p.record(), is = p.next(was);
    await p.gone(was.id);
    await p.save(was, 0n);
    await p.holds(was);
    await p.save(is, was.version);
    await p.holds(is);
    await p.delete(was.id);
    await p.gone(was.id);
  }
}

async function roundTrip(p, records) {
  for (const r of records) {
    await p.save(r, 0n);
    await p.holds(r);
  }
  for (const r of records) await p.holds(r);
}

// Moments are JavaScript numbers, so they end where these are exact.
async function loadTimes(p) {
  const all = [0, 1, 999, 1000, -1, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER].map((at) => p.record({ createdAt: at, seenAt: at }));
  for (const expiresAt of [p.soon + 1, p.soon + 400 * 86_400_000 - 1, Number.MAX_SAFE_INTEGER]) all.push(p.record({ expiresAt }));
  await roundTrip(p, all);
}

async function loadVersions(p) {
  await roundTrip(p, [1n, 1n << 31n | 1n, 1n << 32n | 1n, 1n << 53n | 1n, 1n << 62n | 1n, (1n << 63n) - 1n].map((version) => p.record({ version })));
}

async function loadSealed(p) {
  const all = [
    new Uint8Array(), Uint8Array.of(0), Uint8Array.of(0xff), Uint8Array.from({ length: 256 }, (_, i) => i), new Uint8Array(100),
    new Uint8Array(5000).fill(0xff), sealed(1n, Math.min(1 << 16, p.maxSealed)), sealed(2n, p.maxSealed),
  ];
  await roundTrip(p, all.map((bytes) => p.record({ sealed: bytes })));
}

async function loadNames(p) {
  await roundTrip(p, hostileNames.flatMap((name) => [p.record({ tenant: name }), p.record({ user: name })]));
}

// Ends every second one to see that the others stay.
async function idsDistinct(p) {
  const all = hostileIDs().map((id) => p.record({ id }));
  await roundTrip(p, all);
  for (let i = 0; i < all.length; i += 2) await p.delete(all[i].id);
  for (const [i, r] of all.entries()) await p.shows(r, i % 2 === 1);
}

// A minute of retention is asked of every store. Long after that, one that
// cannot be swept has nobody else to forget for it.
async function loadExpired(p) {
  const just = p.record({ expiresAt: Date.now() - 50_000 });
  await p.save(just, 0n);
  await p.holds(just);
  const long = p.record({ createdAt: 1, seenAt: 2, expiresAt: 3 });
  await p.save(long, 0n);
  const got = await p.load(long.id);
  if (got === null && !p.store.sweep) return;
  const d = got === null ? "null" : difference(long, got);
  if (d) p.fail(`load of a record that expired long ago: ${d}`);
}

// Touches a record shortly before the least retention would be over, and looks when it is.
async function forgetLate(p) {
  const was = p.record({ expiresAt: Date.now() + 2000 - 60_000 }), is = p.next(was, { expiresAt: p.soon });
  await p.save(was, 0n);
  await p.save(is, was.version);
  await new Promise((done) => setTimeout(done, 2500));
  await p.holds(is);
}

async function keptRecord(p) {
  const want = p.record(), is = p.next(want);
  await p.save(want, 0n);
  const kept = await p.load(want.id);
  await p.save(is, want.version);
  await p.delete(want.id);
  for (let n = 0; n < 100; n++) await p.save(p.record(), 0n);
  const d = difference(want, kept);
  if (d) p.fail(`a loaded record has changed: ${d}`);
}

async function changedFields(p) {
  const all = Array.from({ length: 20 }, () => p.record());
  for (const r of all) await p.save(r, 0n);
  for (const r of all) {
    const got = await p.load(r.id);
    got.sealed.fill(0xee);
    Object.assign(got, { user: "mallory", expiresAt: 0, version: got.version + 1n });
  }
  for (const r of all) await p.holds(r);
}
