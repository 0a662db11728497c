package conformance

import (
	"encoding/binary"
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Clients of one race.
const (
	racers  = 50
	readers = 4 // and one who writes or ends
)

var raceCases = []testCase{
	{"one-insert-wins", "Of many who insert one ID at once exactly one succeeds.", oneInsertWins},
	{"one-winner", "Of many who replace one version at once exactly one succeeds; the others get core.ErrConflict.", oneWinner},
	{"same-save-at-once", "The same Save sent several times at once succeeds each time.", sameSaveAtOnce},
	{"no-lost-update", "Many who load, change and save one session lose nothing: every acknowledged change is there at the end.", noLostUpdate},
	{"load-whole", "Save is atomic: Load returns one saved state whole, never a mixture of two.", loadWhole},
	{"load-acknowledged", "Load sees every Save and Delete that was acknowledged before it began, from any process.", loadAcknowledged},
	{"end-against-saves", "A session that ends while others save it stays ended.", endAgainstSaves},
	{"repeat-against-end", "An insert that is repeated while the session ends succeeds, as it does before the end and after it.", repeatAgainstEnd},
	{"end-against-loads", "Load during a Delete returns the session or core.ErrNotFound; once gone it stays gone.", endAgainstLoads},
}

// contest lets each racer save its own successor and returns the winner's.
func (p *probe) contest(base core.Record, prev core.Version) core.Record {
	var wins atomic.Int32
	var winner atomic.Pointer[core.Record]
	p.together(racers, func(i int) {
		entry := p.next(base)
		err := p.try(p.handle(i), entry, prev)
		if err == nil {
			wins.Add(1)
			winner.Store(&entry)
		} else if !errors.Is(err, core.ErrConflict) {
			p.fail("Save of %s returns %v, want core.ErrConflict", describe(entry, prev), err)
		}
	})
	if n := wins.Load(); n != 1 {
		p.fail("%d of %d were told that they have succeeded on version %d, want 1", n, racers, prev)
	}
	return *winner.Load()
}

func oneInsertWins(p *probe) {
	for range 5 {
		won := p.contest(p.record(), core.NoVersion)
		p.holds(p.a, won)
		p.holds(p.b, won)
	}
}

func oneWinner(p *probe) {
	is := p.record()
	p.save(p.a, is, core.NoVersion)
	for range 10 {
		is = p.contest(is, is.Version)
		p.holds(p.a, is)
		p.holds(p.b, is)
	}
}

func sameSaveAtOnce(p *probe) {
	was := p.record()
	p.together(racers, func(i int) { p.save(p.handle(i), was, core.NoVersion) })
	is := p.next(was)
	p.together(racers, func(i int) { p.save(p.handle(i), is, was.Version) })
	p.holds(p.a, is)
	p.holds(p.b, is)
}

// noLostUpdate has each client set its own bit. All begin with the same state.
// After that few add to one count for longer.
func noLostUpdate(p *probe) {
	r := counted(p.record(), 0)
	p.save(p.a, r, core.NoVersion)
	wait := p.meeting(racers)
	p.together(racers, func(i int) {
		first := true
		_, there := p.change(p.handle(i), r.ID, func(r core.Record) core.Record {
			if first {
				first = false
				wait()
			}
			if len(r.Sealed) != 8 {
				p.fail("Sealed has %d bytes, want 8", len(r.Sealed))
			}
			return counted(p.next(r), binary.BigEndian.Uint64(r.Sealed)|1<<i)
		})
		if !there {
			p.fail("the session is gone while it is only saved")
		}
	})
	got, err := p.b.Load(p.ctx, r.ID)
	if want := uint64(1)<<racers - 1; err != nil || len(got.Sealed) != 8 || binary.BigEndian.Uint64(got.Sealed) != want {
		p.fail("after %d acknowledged changes of one bit each Sealed is %x and the error %v, want %x", racers, got.Sealed, err, want)
	}
	p.sustainedCount()
}

// whole returns r in a state whose every field follows from n.
func (p *probe) whole(r core.Record, n int) core.Record {
	r = p.next(r)
	r.SeenAt, r.ExpiresAt = core.Time(n), p.soon+core.Time(n)
	r.User = []string{"alice", "bob"}[n%2]
	r.Sealed = sealed(r.Version, 100+n%7*700)
	return r
}

// oneWriter runs write(0) to write(steps-1) in one goroutine and read in the
// others until it has ended. read gets the last acknowledged step, -1 for none.
// Of so many reads as the writer awaits one began after the acknowledgement.
func (p *probe) oneWriter(steps int, write func(n int), read func(i, acknowledged int)) {
	var acknowledged atomic.Int64
	var ended atomic.Bool
	reads := make(pulse)
	acknowledged.Store(-1)
	p.together(1+readers, func(i int) {
		if i == 0 {
			defer ended.Store(true)
			for n := range steps {
				write(n)
				acknowledged.Store(int64(n))
				reads.await(p.ctx, readers+1)
			}
			return
		}
		for !ended.Load() {
			read(i, int(acknowledged.Load()))
			reads.beat()
		}
	})
}

func loadWhole(p *probe) {
	is := p.whole(p.record(), 0)
	id := is.ID
	p.save(p.a, is, core.NoVersion)
	p.oneWriter(100, func(n int) {
		next := p.whole(is, n)
		p.save(p.a, next, is.Version)
		is = next
	}, func(i, _ int) {
		got, err := p.handle(i).Load(p.ctx, id)
		if err != nil {
			p.fail("Load while others save: %v", err)
		}
		want := p.whole(got, int(got.SeenAt))
		want.Version, want.Sealed = got.Version, sealed(got.Version, len(want.Sealed))
		if d := difference(want, got); d != "" {
			p.fail("Load returns a state that nobody saved: %s", d)
		}
	})
}

func loadAcknowledged(p *probe) {
	p.acknowledged(func(s hosts.Store, id core.ID) (core.Record, error) { return s.Load(p.ctx, id) })
}

// acknowledged begins and ends one session after the other, so that a cache of
// either answer shows, and has others look by load.
func (p *probe) acknowledged(load func(hosts.Store, core.ID) (core.Record, error)) {
	const life = 10 // steps: the first inserts, the last deletes
	ids := make([]core.ID, 10)
	for i := range ids {
		ids[i] = p.id()
	}
	gone := func(s hosts.Store, id core.ID) {
		if got, err := load(s, id); !errors.Is(err, core.ErrNotFound) {
			p.fail("%v is still there, version %d, and the error %v", id, got.Version, err)
		}
	}
	var prev core.Version
	p.oneWriter(life*len(ids), func(n int) {
		r := p.record()
		r.ID, r.SeenAt = ids[n/life], core.Time(n)
		if n%life == life-1 {
			p.delete(p.handle(n), r.ID)
			prev = core.NoVersion
			return
		}
		p.save(p.handle(n), r, prev)
		prev = r.Version
	}, func(i, n int) {
		if n < 0 {
			return
		}
		id := ids[n/life]
		if n%life == life-1 {
			gone(p.handle(i), id)
			return
		}
		got, err := load(p.handle(i), id)
		if errors.Is(err, core.ErrNotFound) {
			gone(p.handle(i), id) // the end has overtaken this look, or the answer was wrong
		} else if err != nil || got.SeenAt < core.Time(n) {
			p.fail("state %d and the error %v are returned after state %d was acknowledged", got.SeenAt, err, n)
		}
	})
}

// endRace ends a session in one goroutine while the others use it. use reports
// whether the session was there, which it must not be after the end.
func (p *probe) endRace(before func(n int, r core.Record), use func(i int, r core.Record) bool) {
	for round := range 20 {
		r := p.record()
		p.save(p.a, r, core.NoVersion)
		var ended atomic.Bool
		p.together(1+readers, func(i int) {
			if i == 0 {
				defer ended.Store(true)
				before(round, r)
				p.delete(p.handle(round), r.ID)
				return
			}
			for {
				late := ended.Load()
				if !use(i+round, r) {
					return
				}
				if late {
					p.fail("%v is still there after an acknowledged Delete", r.ID)
				}
				runtime.Gosched() // or these calls keep the processor from the Delete
			}
		})
		p.gone(p.a, r.ID)
		p.gone(p.b, r.ID)
	}
}

// endAgainstSaves lets the one who ends it change the session first, some
// times, so that the end comes at different moments. After that one alone saves,
// for longer.
func endAgainstSaves(p *probe) {
	p.endRace(func(n int, r core.Record) {
		for range n % 4 {
			p.change(p.a, r.ID, p.next)
		}
	}, func(i int, r core.Record) bool {
		s := p.handle(i)
		is, there := p.change(s, r.ID, p.next)
		if !there {
			p.conflict(s, p.next(r), r.Version)
			return false
		}
		if err := p.try(s, p.next(is), is.Version); err != nil && !errors.Is(err, core.ErrConflict) {
			p.fail("Save: %v", err)
		}
		return true
	})
	p.sustainedEnds()
}

// repeatAgainstEnd catches a store that finds the ID taken and then looks by
// whom, when it is gone. Every other round sends it with others.
func repeatAgainstEnd(p *probe) {
	for round := range 100 {
		all := p.saveExpiring(3, p.soon)
		s := p.handle(round)
		p.together(2, func(i int) {
			batcher, batches := hosts.As[hosts.Batcher](s)
			switch {
			case i == 0:
				p.delete(p.handle(round+1), all[1].ID)
			case batches && round%2 == 0:
				saves := make([]hosts.Saving, len(all))
				for n, r := range all {
					saves[n].Record = r
				}
				for n, err := range batcher.SaveMany(p.ctx, saves) {
					if err != nil {
						p.fail("SaveMany answers at [%d], an insert that is repeated: %v", n, err)
					}
				}
			default:
				p.save(s, all[1], core.NoVersion)
			}
		})
		for _, r := range all {
			p.delete(s, r.ID)
		}
	}
}

func endAgainstLoads(p *probe) {
	p.endRace(func(int, core.Record) {}, func(i int, r core.Record) bool {
		s := p.handle(i)
		got, err := s.Load(p.ctx, r.ID)
		if errors.Is(err, core.ErrNotFound) {
			p.gone(s, r.ID)
			return false
		}
		if d := difference(r, got); err != nil || d != "" {
			p.fail("Load during a Delete returns %v %s", err, d)
		}
		return true
	})
}
