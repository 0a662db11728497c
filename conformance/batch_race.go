package conformance

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var batchRaceCases = []testCase{
	{"batches-at-once", "Of many batches that replace the same versions at once, in any order of IDs, exactly one succeeds for each.", batchesAtOnce},
	{"batches-against-saves", "Of batches and single saves that replace the same versions at once exactly one succeeds for each.", batchesAgainstSaves},
	{"batches-against-ends", "A session that ends while batches replace it stays ended.", batchesAgainstEnds},
	{"load-many-acknowledged", "LoadMany sees every Save and Delete that was acknowledged before it began, from any process.", loadManyAcknowledged},
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
		base = p.batchContest(base, p.saveMany)
		for i, r := range base {
			p.holds(p.handle(i), r)
		}
	}
}

// batchesAgainstSaves has every second client save one by one.
func batchesAgainstSaves(p *probe) {
	const rounds, size = 20, 23 // as in batchesAtOnce
	base := p.saveExpiring(size, p.soon)
	for range rounds {
		var clients atomic.Int32
		base = p.batchContest(base, func(s hosts.Store, saves []hosts.Saving) []error {
			if clients.Add(1)%2 == 0 {
				return p.saveMany(s, saves)
			}
			errs := make([]error, len(saves))
			for i, one := range saves {
				errs[i] = p.try(s, one.Record, one.Prev)
				runtime.Gosched() // or this client is over before a batch begins
			}
			return errs
		})
		for i, r := range base {
			p.holds(p.handle(i), r)
		}
	}
}

// batchContest lets each client replace all of base by save and returns the
// winners.
func (p *probe) batchContest(base []core.Record, save func(hosts.Store, []hosts.Saving) []error) []core.Record {
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
		for i, err := range save(p.handle(c), saves) {
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

// batchesAgainstEnds ends sessions one by one while batches replace all.
func batchesAgainstEnds(p *probe) {
	const sessions, savers = 12, 3
	for range 10 {
		all := p.saveExpiring(sessions, p.soon)
		var ended [sessions]atomic.Bool
		var over atomic.Bool
		saves := make(pulse)
		p.together(1+savers, func(who int) {
			s := p.handle(who)
			if who == 0 {
				defer over.Store(true)
				for i, r := range all {
					p.delete(s, r.ID)
					ended[i].Store(true)
					saves.await(p.ctx, 1)
				}
				return
			}
			known := slices.Clone(all)
			for !over.Load() {
				p.replaceAll(s, known, &ended)
				saves.beat()
			}
		})
		for i, r := range all {
			p.gone(p.handle(i), r.ID)
		}
	}
}

// replaceAll replaces what is known in one batch, and loads what it lost. What
// had ended before must be refused and missing.
func (p *probe) replaceAll(s hosts.Store, known []core.Record, ended *[12]atomic.Bool) {
	var late [12]bool
	saves, ids := make([]hosts.Saving, len(known)), make([]core.ID, len(known))
	for i, r := range known {
		late[i] = ended[i].Load()
		saves[i], ids[i] = hosts.Saving{Record: p.next(r), Prev: r.Version}, r.ID
	}
	for i, err := range p.saveMany(s, saves) {
		switch {
		case err == nil && late[i]:
			p.fail("SaveMany has replaced a session after its acknowledged Delete")
		case err != nil && !errors.Is(err, core.ErrConflict):
			p.fail("SaveMany answers at [%d]: %v, want core.ErrConflict", i, err)
		}
	}
	for i, got := range p.loadMany(s, ids) {
		switch {
		case got.Err == nil && late[i]:
			p.fail("LoadMany returns a session after its acknowledged Delete")
		case got.Err == nil:
			known[i] = got.Record
		case !errors.Is(got.Err, core.ErrNotFound):
			p.fail("LoadMany answers at [%d]: %v", i, got.Err)
		}
	}
}

func loadManyAcknowledged(p *probe) {
	p.acknowledged(func(s hosts.Store, id core.ID) (core.Record, error) {
		got := p.loadMany(s, []core.ID{p.id(), id, p.id()})[1]
		return got.Record, got.Err
	})
}
