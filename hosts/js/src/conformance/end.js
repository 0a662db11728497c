export const endCases = [
  ["delete", "Delete is unconditional and ends that session only; Load then returns null.", deleteOne],
  ["delete-missing", "Delete of a missing session is no error, also when it is repeated.", deleteMissing],
  ["ended-is-new", "An ID that has ended is new to an insert: also the same Save, which is acknowledged once more, is there then.", endedIsNew],
  ["ended-stays-ended", "A session that has ended is never written back by a request that began before the end, in any order of the calls.", endedStaysEnded],
  ["schedules", "In every order of two clients' calls each answer is that of one store doing one call after the other: no change is lost.", updatesInAnyOrder],
];

async function deleteOne(p) {
  const keep = p.record(), end = p.record(), is = p.next(end);
  await p.save(keep, 0n);
  await p.save(end, 0n);
  await p.save(is, end.version);
  await p.delete(end.id);
  await p.gone(end.id);
  await p.holds(keep);
}

async function deleteMissing(p) {
  const r = p.record();
  await p.delete(r.id);
  await p.save(r, 0n);
  await p.delete(r.id);
  await p.delete(r.id);
  await p.gone(r.id);
}

async function endedIsNew(p) {
  const first = p.record(), second = p.next(first);
  for (let i = 0; i < 2; i++) {
    await p.save(first, 0n);
    await p.save(second, first.version);
    await p.holds(second);
    await p.delete(first.id);
    await p.gone(first.id);
    await p.conflict(second, first.version);
    await p.gone(first.id);
  }
}

async function endedStaysEnded(p) {
  await allOrders(p, "lss", "ld");
  await allOrders(p, "ls", "lsd");
}

async function updatesInAnyOrder(p) {
  await allOrders(p, "lsls", "lsls");
  await allOrders(p, "lss", "lls");
}

// Plays each way of merging two programs.
async function allOrders(p, one, two) {
  const merge = async (order, left) => {
    if (left[0] + left[1] === 0) return play(p, [one, two], order);
    for (const c of [0, 1]) if (left[c] > 0) await merge([...order, c], left.map((n, i) => i === c ? n - 1 : n));
  };
  await merge([], [one.length, two.length]);
}

// Runs the programs in the given order of clients and holds every answer to a
// model: the one record, or none.
async function play(p, programs, order) {
  let stored = p.record(), there = true;
  const known = [null, null], at = [0, 0], trace = [];
  await p.save(stored, 0n);
  for (const c of order) {
    const verb = programs[c][at[c]++];
    trace.push(`${c + 1}${verb}`);
    p.at = `\nafter ${trace.join(" ")} (client and call: l load, s save, d delete)`;
    if (verb === "d") {
      await p.delete(stored.id);
      there = false;
    } else if (verb === "l") {
      await p.shows(stored, there);
      if (there) known[c] = stored;
    } else if (known[c] === null) {
      // It came after the end and has seen no session that it could save.
    } else if (there && known[c].version === stored.version) {
      stored = p.next(stored);
      await p.save(stored, known[c].version);
      known[c] = stored;
    } else await p.conflict(p.next(stored), known[c].version);
  }
  await p.shows(stored, there);
  p.at = "";
}
