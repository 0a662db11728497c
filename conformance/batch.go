package conformance

import (
	"errors"
	"slices"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var batchCases = []testCase{
	{"load-many", "LoadMany answers ids[i] at [i], as Load would.", loadMany},
	{"save-many", "SaveMany answers saves[i] at [i], as Save would: one that is refused takes no other with it.", saveMany},
	{"save-many-repeated", "SaveMany is idempotent as Save is.", saveManyRepeated},
	{"batches-at-once", "Of many batches that replace the same versions at once, in any order of IDs, exactly one succeeds for each.", batchesAtOnce},
}

func (p *probe) loadMany(s hosts.Store, ids []core.ID) []hosts.Loaded {
	got := s.(hosts.Batcher).LoadMany(p.ctx, ids)
	if len(got) != len(ids) {
		p.fail("LoadMany of %d IDs gives %d answers", len(ids), len(got))
	}
	return got
}

// saveMany hands over private copies, as try does.
func (p *probe) saveMany(s hosts.Store, saves []hosts.Saving) []error {
	saves = slices.Clone(saves)
	for i := range saves {
		saves[i].Record.Sealed = slices.Clone(saves[i].Record.Sealed)
	}
	got := s.(hosts.Batcher).SaveMany(p.ctx, saves)
	if len(got) != len(saves) {
		p.fail("SaveMany of %d records gives %d answers", len(saves), len(got))
	}
	return got
}

// loadMany asks for what is there, what is not, one twice, and nothing.
func loadMany(p *probe) {
	var ids []core.ID
	stored := make(map[core.ID]core.Record)
	for i := range 300 {
		r := p.record()
		if i%3 != 0 {
			r.Sealed = sealed(r.Version, i)
			p.save(p.a, r, core.NoVersion)
			stored[r.ID] = r
		}
		ids = append(ids, r.ID)
	}
	ids = append(ids, ids[1], ids[0], ids[1])
	p.loadMany(p.a, nil)
	for _, n := range []int{1, 2, len(ids)} {
		for i, got := range p.loadMany(p.b, ids[:n]) {
			want, there := stored[ids[i]]
			if !there {
				if !errors.Is(got.Err, core.ErrNotFound) {
					p.fail("LoadMany answers %v for a missing record, want core.ErrNotFound", got.Err)
				}
				continue
			}
			if d := difference(want, got.Record); got.Err != nil || d != "" {
				p.fail("LoadMany answers at [%d]: %v %s", i, got.Err, d)
			}
		}
	}
}

// saveMany mixes all kinds of saves, each several times in one batch.
func saveMany(p *probe) {
	var saves []hosts.Saving
	var wants []want
	for range 40 {
		for _, kind := range p.savings() {
			saves = append(saves, kind.saving)
			wants = append(wants, kind)
		}
	}
	p.saveMany(p.a, nil)
	for i, err := range p.saveMany(p.a, saves) {
		w := wants[i]
		if w.bad && (err == nil || errors.Is(err, core.ErrConflict)) || !w.bad && !errors.Is(err, w.err) {
			p.fail("SaveMany answers at [%d], %s: %v, want %v", i, describe(saves[i].Record, saves[i].Prev), err, w.err)
		}
	}
	for i, w := range wants {
		if w.after == nil {
			p.gone(p.b, saves[i].Record.ID)
		} else {
			p.holds(p.b, *w.after)
		}
	}
}

// want is one call of SaveMany and what must come of it.
type want struct {
	saving hosts.Saving
	err    error
	after  *core.Record // nil: nothing is stored
	bad    bool         // out of bounds: any error but a conflict
}

// savings returns one call of each kind and stores what they need.
func (p *probe) savings() []want {
	stored := make([]core.Record, 4)
	for i := range stored {
		stored[i] = p.record()
		p.save(p.a, stored[i], core.NoVersion)
	}
	fresh, missing, bad := p.record(), p.record(), p.record()
	next := p.next(stored[0])
	bad.User = "no\x00name"
	return []want{
		{saving: hosts.Saving{Record: next, Prev: stored[0].Version}, after: &next},
		{saving: hosts.Saving{Record: fresh}, after: &fresh},
		{saving: hosts.Saving{Record: p.next(stored[1])}, err: core.ErrConflict, after: &stored[1]},
		{saving: hosts.Saving{Record: p.next(stored[2]), Prev: p.version()}, err: core.ErrConflict, after: &stored[2]},
		{saving: hosts.Saving{Record: stored[3], Prev: p.version()}, after: &stored[3]},
		{saving: hosts.Saving{Record: missing, Prev: p.version()}, err: core.ErrConflict},
		{saving: hosts.Saving{Record: bad}, bad: true},
	}
}

func saveManyRepeated(p *probe) {
	var first, second []hosts.Saving
	for range 20 {
		r := p.record()
		first = append(first, hosts.Saving{Record: r})
		second = append(second, hosts.Saving{Record: p.next(r), Prev: r.Version})
	}
	for _, step := range []struct {
		saves []hosts.Saving
		want  error
	}{{first, nil}, {first, nil}, {second, nil}, {second, nil}, {first, core.ErrConflict}} {
		for i, err := range p.saveMany(p.a, step.saves) {
			if !errors.Is(err, step.want) {
				p.fail("SaveMany answers at [%d]: %v, want %v", i, err, step.want)
			}
		}
	}
	for _, s := range second {
		p.holds(p.b, s.Record)
	}
}

// batchesAtOnce gives each client another order, which would make two that
// lock row by row wait for each other.
func batchesAtOnce(p *probe) {
	const rounds, size = 8, 23 // a prime, so that every step gives a permutation
	base := make([]core.Record, size)
	for i := range base {
		base[i] = p.record()
		p.save(p.a, base[i], core.NoVersion)
	}
	for range rounds {
		base = p.batchContest(base)
		for i, r := range base {
			p.holds(p.handle(i), r)
		}
	}
}

// batchContest lets each client replace all of base in one batch and returns
// the winners.
func (p *probe) batchContest(base []core.Record) []core.Record {
	const clients = 8
	var mu sync.Mutex
	wins := make([]int, len(base))
	won := make([]core.Record, len(base))
	p.together(clients, func(c int) {
		place := func(i int) int { return (i*(c+1) + c) % len(base) }
		saves := make([]hosts.Saving, len(base))
		for i := range saves {
			was := base[place(i)]
			saves[i] = hosts.Saving{Record: p.next(was), Prev: was.Version}
		}
		for i, err := range p.saveMany(p.handle(c), saves) {
			switch {
			case err == nil:
				mu.Lock()
				wins[place(i)]++
				won[place(i)] = saves[i].Record
				mu.Unlock()
			case !errors.Is(err, core.ErrConflict):
				p.fail("SaveMany answers at [%d]: %v, want core.ErrConflict", i, err)
			}
		}
	})
	for i, n := range wins {
		if n != 1 {
			p.fail("%d of %d were told that they have succeeded on version %d, want 1", n, clients, base[i].Version)
		}
	}
	return won
}
