package conformance

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var sweepCases = []testCase{
	{"sweep-empty", "Sweep of an empty store deletes nothing and returns 0.", sweepEmpty},
	{"sweep-expired", "Sweep deletes the records whose ExpiresAt is before the given moment, no others, and returns how many.", sweepExpired},
	{"sweep-boundary", "A record whose ExpiresAt is exactly the given moment stays.", sweepBoundary},
	{"sweep-limit", "Sweep deletes at most limit records; fewer than limit means that none are left.", sweepLimit},
	{"sweep-again", "Sweep tests the expiry again in the step that deletes: a session that is touched in between survives.", sweepAgainstTouches},
	{"sweep-cut", "A Sweep whose context ends anywhere on its way answers with an error, or has deleted all that it was to: fewer than limit means that none are left.", sweepCut},
	{"sweep-twice", "Sweeps that run at once delete and count each record once.", sweepsAtOnce},
}

func (p *probe) sweep(s hosts.Store, before core.Time, limit int) int {
	n, err := able[hosts.Sweeper](s).Sweep(p.ctx, before, limit)
	if err != nil {
		p.fail("Sweep: %v", err)
	}
	if n < 0 || n > limit {
		p.fail("Sweep with limit %d returns %d", limit, n)
	}
	return n
}

// sweepAll sweeps until none are left.
func (p *probe) sweepAll(s hosts.Store, before core.Time, limit int) int {
	total := 0
	for range maxTries {
		n := p.sweep(s, before, limit)
		total += n
		if n < limit {
			return total
		}
	}
	p.fail("Sweep has found %d records and there is no end", total)
	return total
}

// saveExpiring inserts n records that expire at the given moment.
func (p *probe) saveExpiring(n int, at core.Time) []core.Record {
	all := make([]core.Record, n)
	for i := range all {
		all[i] = p.record()
		all[i].ExpiresAt = at
		p.save(p.handle(i), all[i], core.NoVersion)
	}
	return all
}

// insertMany is saveExpiring, in one batch where the store takes some.
func (p *probe) insertMany(n int, at core.Time) []core.Record {
	if !offers[hosts.Batcher](p.a) {
		return p.saveExpiring(n, at)
	}
	saves, all := make([]hosts.Saving, n), make([]core.Record, n)
	for i := range all {
		all[i] = p.record()
		all[i].ExpiresAt = at
		saves[i].Record = all[i]
	}
	for i, err := range p.saveMany(p.a, saves) {
		if err != nil {
			p.fail("SaveMany answers at [%d], an insert: %v", i, err)
		}
	}
	return all
}

// fill inserts n records that expire at the given moment, by several clients,
// or as many of them as the store takes in fillTime.
func (p *probe) fill(n int, at core.Time) []core.Record {
	const clients = 8
	all := make([]core.Record, n)
	for i := range all {
		all[i] = p.record()
		all[i].ExpiresAt = at
	}
	over := time.Now().Add(fillTime)
	var taken atomic.Int64
	p.together(clients, func(c int) {
		for time.Now().Before(over) {
			i := int(taken.Add(1)) - 1
			if i >= n {
				return
			}
			p.save(p.handle(c), all[i], core.NoVersion)
		}
	})
	return all[:min(n, int(taken.Load()))]
}

func sweepEmpty(p *probe) {
	if n := p.sweep(p.a, p.soon, 10); n != 0 {
		p.fail("Sweep returns %d", n)
	}
}

func sweepExpired(p *probe) {
	expired := append(p.saveExpiring(5, p.soon-1), p.saveExpiring(5, p.soon-core.Hour)...)
	live := append(p.saveExpiring(5, p.soon+1), p.saveExpiring(5, p.soon+core.Hour)...)
	// The stored expiry counts, not one that the record had before.
	for i := range expired[:2] {
		touched := p.next(expired[i])
		touched.ExpiresAt = p.soon + core.Day
		p.save(p.a, touched, expired[i].Version)
		live = append(live, touched)
	}
	shortened := p.next(live[0])
	shortened.ExpiresAt = p.soon - 1
	p.save(p.a, shortened, live[0].Version)
	expired = append(expired[2:], shortened)
	live = live[1:]
	// Who is signed in, where, makes no difference.
	for i := range live[:3] {
		was := live[i]
		live[i] = p.next(was)
		live[i].User, live[i].Tenant = "", ""
		p.save(p.a, live[i], was.Version)
	}
	if n := p.sweep(p.b, p.soon, 100); n != len(expired) {
		p.fail("Sweep returns %d, want %d", n, len(expired))
	}
	for _, r := range expired {
		p.gone(p.a, r.ID)
		p.conflict(p.a, p.next(r), r.Version)
	}
	for _, r := range live {
		p.holds(p.a, r)
	}
	if n := p.sweep(p.a, p.soon, 100); n != 0 {
		p.fail("a second Sweep returns %d", n)
	}
}

func sweepBoundary(p *probe) {
	at, before := p.saveExpiring(1, p.soon)[0], p.saveExpiring(1, p.soon-1)[0]
	if n := p.sweep(p.a, p.soon, 10); n != 1 {
		p.fail("Sweep returns %d, want 1", n)
	}
	p.holds(p.b, at)
	p.gone(p.b, before.ID)
	if n := p.sweep(p.a, p.soon+1, 10); n != 1 {
		p.fail("Sweep one millisecond later returns %d, want 1", n)
	}
	p.gone(p.b, at.ID)
}

func sweepLimit(p *probe) {
	all := p.saveExpiring(10, p.soon-1)
	for _, want := range []int{1, 3, 3, 3, 0} {
		limit := max(want, 1)
		if n := p.sweep(p.a, p.soon, limit); n != want {
			p.fail("Sweep with limit %d returns %d, want %d", limit, n, want)
		}
		left := p.present(all)
		if deleted := len(all) - len(left); deleted != want {
			p.fail("Sweep with limit %d has deleted %d, want %d", limit, deleted, want)
		}
		all = left
	}
	many := p.fill(kitRecords-20, p.soon-1)
	if n := p.sweep(p.b, p.soon, kitRecords); n != len(many) {
		p.fail("Sweep with limit %d returns %d, want %d", kitRecords, n, len(many))
	}
	if n := p.sweep(p.a, p.soon, kitRecords); n != 0 {
		p.fail("a second Sweep returns %d", n)
	}
}

// present returns those of the records that are still there.
func (p *probe) present(all []core.Record) []core.Record {
	var there []core.Record
	for _, r := range all {
		if _, err := p.b.Load(p.ctx, r.ID); err == nil {
			there = append(there, r)
		}
	}
	return there
}

// sweepAgainstTouches: every record is either touched, and then there, or
// swept, and then its touch was refused. Nothing is both or neither.
func sweepAgainstTouches(p *probe) {
	const batch, touchers, sweepers = 16, 4, 2
	for range 30 {
		all := p.saveExpiring(batch, p.soon-1)
		touched := make([]core.Record, batch)
		var swept atomic.Int64
		p.together(touchers+sweepers, func(i int) {
			if i < sweepers {
				swept.Add(int64(p.sweepAll(p.handle(i), p.soon, 3)))
				return
			}
			for n := i - sweepers; n < batch; n += touchers {
				touched[n], _ = p.change(p.handle(i), all[n].ID, func(r core.Record) core.Record {
					r = p.next(r)
					r.ExpiresAt = p.soon + core.Hour
					return r
				})
			}
		})
		total := int(swept.Load()) + p.sweepAll(p.a, p.soon, 3)
		for n, r := range all {
			if touched[n].Version == core.NoVersion {
				p.gone(p.b, r.ID)
				continue
			}
			p.holds(p.b, touched[n])
			total++
		}
		if total != batch {
			p.fail("of %d records %d were counted as swept or touched", batch, total)
		}
	}
}

func sweepCut(p *probe) {
	const batch = 12
	live := p.saveExpiring(3, p.soon)
	took := timed(func() {
		p.insertMany(batch, p.soon-1)
		p.sweep(p.a, p.soon, batch+1)
	})
	p.moments(took, func(i int, cut func() context.Context) {
		all := p.insertMany(batch, p.soon-1)
		n, err := able[hosts.Sweeper](p.handle(i/4)).Sweep(cut(), p.soon, batch+1)
		p.cutError("Sweep", err)
		if left := p.present(all); err == nil && (n != batch || len(left) > 0) {
			p.fail("Sweep of %d, whose context ends on the way, returns %d and no error, and %d are left", batch, n, len(left))
		}
		p.sweepAll(p.a, p.soon, batch+1)
	})
	for _, r := range live {
		p.holds(p.b, r)
	}
}

func sweepsAtOnce(p *probe) {
	const rounds, batch, sweepers = 10, 30, 4
	live := p.saveExpiring(3, p.soon)
	for range rounds {
		all := p.saveExpiring(batch, p.soon-1)
		var swept atomic.Int64
		p.together(sweepers, func(i int) {
			swept.Add(int64(p.sweepAll(p.handle(i), p.soon, 7)))
		})
		if n := int(swept.Load()) + p.sweepAll(p.a, p.soon, 7); n != batch {
			p.fail("%d sweeps at once have counted %d records, want %d", sweepers, n, batch)
		}
		for _, r := range all {
			p.gone(p.b, r.ID)
		}
	}
	for _, r := range live {
		p.holds(p.b, r)
	}
}
