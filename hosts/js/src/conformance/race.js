import { difference, sealed } from "./probe.js";

const racers = 50;
const readers = 4; // and one who writes or ends

export const raceCases = [
  ["one-insert-wins", "Of many who insert one ID at once exactly one succeeds.", oneInsertWins],
  ["one-winner", "Of many who replace one version at once exactly one succeeds; the others are answered false.", oneWinner],
  ["same-save-at-once", "The same Save sent several times at once succeeds each time.", sameSaveAtOnce],
  ["no-lost-update", "Many who load, change and save one session lose nothing: every acknowledged change is there at the end.", noLostUpdate],
  ["load-whole", "Save is atomic: Load returns one saved state whole, never a mixture of two.", loadWhole],
  ["load-acknowledged", "Load sees every Save and Delete that was acknowledged before it began, from any process.", loadAcknowledged],
  ["end-against-saves", "A session that ends while others save it stays ended.", endAgainstSaves],
  ["repeat-against-end", "An insert that is repeated while the session ends succeeds, as it does before the end and after it.", repeatAgainstEnd],
  ["end-against-loads", "Load during a Delete returns the session or null; once gone it stays gone.", endAgainstLoads],
];

// Lets each racer save its own successor and returns the winner's.
async function contest(p, base, prev) {
  const won = [];
  await p.together(racers, async () => {
    const entry = p.next(base);
    if (await p.again(entry, prev)) won.push(entry);
  });
  if (won.length !== 1) p.fail(`${won.length} of ${racers} were told that they have succeeded, want 1`);
  return won[0];
}

async function oneInsertWins(p) {
  for (let n = 0; n < 5; n++) await p.holds(await contest(p, p.record(), 0n));
}

async function oneWinner(p) {
  let is = p.record();
  await p.save(is, 0n);
  for (let n = 0; n < 10; n++) {
    is = await contest(p, is, is.version);
    await p.holds(is);
  }
}

async function sameSaveAtOnce(p) {
  const was = p.record(), is = p.next(was);
  await p.together(racers, () => p.save(was, 0n));
  await p.together(racers, () => p.save(is, was.version));
  await p.holds(is);
}

const counted = (n) => new Uint8Array(new BigUint64Array([n]).buffer);
const count = (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);

// Each client sets its own bit. All begin with the same state.
async function noLostUpdate(p) {
  const r = p.record({ sealed: counted(0n) });
  await p.save(r, 0n);
  let came = 0, meet;
  const all = new Promise((done) => { meet = done; });
  await p.together(racers, async (i) => {
    let first = true;
    const is = await p.change(r.id, async (was) => {
      if (first) {
        first = false;
        if (++came === racers) meet();
        await all;
      }
      return p.next(was, { sealed: counted(count(was.sealed) | 1n << BigInt(i)) });
    });
    if (!is) p.fail("the session is gone while it is only saved");
  });
  const got = await p.load(r.id);
  if (count(got.sealed) !== (1n << BigInt(racers)) - 1n) p.fail(`after ${racers} acknowledged changes of one bit each sealed is ${count(got.sealed).toString(16)}`);
}

// A state whose every field follows from n.
function whole(p, r, n) {
  const is = p.next(r, { seenAt: n, expiresAt: p.soon + n, user: ["alice", "bob"][n % 2] });
  is.sealed = sealed(is.version, 100 + n % 7 * 700);
  return is;
}

// Runs write(0) to write(steps-1) while the others read.
async function oneWriter(p, steps, write, read) {
  let acknowledged = -1, ended = false;
  await p.together(1 + readers, async (i) => {
    if (i === 0) {
      try {
        for (let n = 0; n < steps; n++) {
          await write(n);
          acknowledged = n;
        }
      } finally { ended = true; }
      return;
    }
    while (!ended) {
      await read(acknowledged);
      await p.turn();
    }
  });
}

async function loadWhole(p) {
  let is = whole(p, p.record(), 0);
  await p.save(is, 0n);
  await oneWriter(p, 100, async (n) => {
    const next = whole(p, is, n);
    await p.save(next, is.version);
    is = next;
  }, async () => {
    const got = await p.load(is.id);
    const n = got.seenAt;
    const want = { ...got, expiresAt: p.soon + n, user: ["alice", "bob"][n % 2], sealed: sealed(got.version, 100 + n % 7 * 700) };
    const d = difference(want, got);
    if (d) p.fail(`load returns a state that nobody saved: ${d}`);
  });
}

// Begins and ends one session after the other, so that a cache of either answer shows.
async function loadAcknowledged(p) {
  const life = 10, ids = Array.from({ length: 10 }, () => p.id()); // steps: the first inserts, the last deletes
  let prev = 0n;
  await oneWriter(p, life * ids.length, async (n) => {
    const id = ids[Math.floor(n / life)];
    if (n % life === life - 1) {
      await p.delete(id);
      prev = 0n;
      return;
    }
    const r = p.record({ id, seenAt: n });
    await p.save(r, prev);
    prev = r.version;
  }, async (n) => {
    if (n < 0) return void await p.load(ids[0]);
    const id = ids[Math.floor(n / life)], got = await p.load(id);
    if (n % life === life - 1) {
      if (got) p.fail("an ended session is still there");
    } else if (got === null) await p.gone(id); // the end has overtaken this look, or the answer was wrong
    else if (got.seenAt < n) p.fail(`state ${got.seenAt} is returned after state ${n} was acknowledged`);
  });
}

// Ends a session while others use it. use tells whether it was there.
async function endRace(p, before, use) {
  for (let round = 0; round < 20; round++) {
    const r = p.record();
    await p.save(r, 0n);
    let ended = false;
    await p.together(1 + readers, async (i) => {
      if (i === 0) {
        try {
          await before(round, r);
          await p.delete(r.id);
        } finally { ended = true; }
        return;
      }
      for (;;) {
        const late = ended;
        if (!await use(r)) return;
        if (late) p.fail("it is still there after an acknowledged Delete");
        await p.turn();
      }
    });
    await p.gone(r.id);
  }
}

async function endAgainstSaves(p) {
  await endRace(p, async (n, r) => {
    for (let i = 0; i < n % 4; i++) await p.change(r.id, (was) => p.next(was));
  }, async (r) => {
    const is = await p.change(r.id, (was) => p.next(was));
    if (!is) {
      await p.conflict(p.next(r), r.version);
      return false;
    }
    await p.again(p.next(is), is.version);
    return true;
  });
}

// Catches a store that finds the ID taken and then looks by whom, when it is gone.
async function repeatAgainstEnd(p) {
  for (let round = 0; round < 100; round++) {
    const r = p.record();
    await p.save(r, 0n);
    await p.together(2, (i) => i === round % 2 ? p.delete(r.id) : p.save(r, 0n));
    await p.delete(r.id);
    await p.gone(r.id);
  }
}

async function endAgainstLoads(p) {
  await endRace(p, async () => {}, async (r) => {
    const got = await p.load(r.id);
    if (got === null) {
      await p.gone(r.id);
      return false;
    }
    const d = difference(r, got);
    if (d) p.fail(`load during a Delete: ${d}`);
    return true;
  });
}
