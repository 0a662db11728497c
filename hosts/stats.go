package hosts

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// Stats counts what a manager did since it was made. Of several managers on one
// store each counts what it did itself. Each number is true by itself; a request
// that is under way may be in one and not yet in another.
//
// Of all managers of a store together, while no call's outcome is unknown and nobody
// else writes to it (imports, migrations from other libraries):
//
//	Begun + Traces = records in the store + sum of Ended + Swept
//
// where the store forgets by itself (ErrNoSweeper), what it has forgotten is missing.
type Stats struct {
	Begun     uint64 // sessions that were stored for the first time
	Traces    uint64 // short records in the place of a session that a login has replaced, or whose user's credentials have changed
	Logins    uint64
	Renewed   uint64 // secrets of stored sessions that were made anew, by a login too
	Refreshed uint64 // sessions whose lifetime began anew
	// Ended are the sessions that were deleted, by why: core.ReasonEnded is a logout,
	// that by Revoke or Config.MaxPerUser included; core.ReasonSuperseded that another user
	// has signed in. It has every listed reason.
	Ended map[core.Reason]uint64

	Resumed uint64 // sessions that requests have found by their cookie
	// Refused are the cookies that opened nothing, by why; core.ReasonNone counts
	// requests without one. It has every listed reason, and Unlisted for all others.
	Refused map[core.Reason]uint64

	Commits   uint64 // that stored something, notes of a use aside
	Touches   uint64 // notes of a use
	Untouched uint64 // that could not be stored: the requests went on
	Conflicts uint64 // commits that were refused, since others had changed what they had read
	Dropped   uint64 // values that a login left out for the same reason
	Retries   uint64 // saves that were made anew, since others were first
	Folded    uint64 // commits that another's save has carried
	Lines     int    // sessions whose commits wait in line now

	Resends  uint64 // calls of the store that were asked again, since the first answer was lost
	Unknown  uint64 // saves and deletes of which it is not known whether they were applied
	Failures uint64 // calls of the store that failed
	Failing  bool   // one failed within the last minute

	Swept        uint64    // records that were removed after their time
	Sweeps       uint64    // that came to their end
	SweepsFailed uint64    //
	SweptAt      core.Time // when the last sweep came to its end; zero: none

	EventsLost uint64 // since OnEvent or the logger was slow

	Queues *Queues      // of the store; nil: nothing waits in it
	Feed   *feed.Stats  // of the store's feed of changes; nil: nothing follows it
	Cache  *CacheStats  // of the cache before the store; nil: there is none
	Memory *MemoryStats // of the store in memory; nil: it is another
}

// Unlisted stands in Stats for reasons that this release does not know.
const Unlisted core.Reason = 255

// reasonSlots is more than the core has reasons; the last slot is Unlisted.
const reasonSlots = 64

type byReason [reasonSlots]atomic.Uint64

func (b *byReason) add(r core.Reason) {
	if r >= reasonSlots-1 || r.String() == Unlisted.String() {
		r = reasonSlots - 1
	}
	b[r].Add(1)
}

func (b *byReason) counts() map[core.Reason]uint64 {
	counts := map[core.Reason]uint64{Unlisted: b[reasonSlots-1].Load()}
	for r := range core.Reason(reasonSlots - 1) {
		if r.String() != Unlisted.String() {
			counts[r] = b[r].Load()
		}
	}
	return counts
}

// counters are those of a manager.
type counters struct {
	begun, traces, logins, renewed, refreshed, resumed               atomic.Uint64
	commits, touches, untouched, conflicts, dropped, retries, folded atomic.Uint64
	resends, unknown, failures, swept, sweeps, sweepsFailed          atomic.Uint64
	sweptAt                                                          atomic.Int64
	ended, refused                                                   byReason
	recent                                                           recentEnds
}

// saved counts what a commit has stored.
func (c *counters) saved(e *core.Effects) {
	if e.Prev == core.NoVersion {
		c.begun.Add(1)
	}
	c.commits.Add(1)
	c.dropped.Add(uint64(len(e.Dropped)))
	for _, d := range []struct {
		deed  core.Deed
		count *atomic.Uint64
	}{{core.DidLogin, &c.logins}, {core.DidRenew, &c.renewed}, {core.DidRefresh, &c.refreshed}} {
		if e.Did&d.deed != 0 {
			d.count.Add(1)
		}
	}
}

// end counts a session that was deleted, once.
func (c *counters) end(id core.ID, why core.Reason) {
	if c.recent.first(id) {
		c.ended.add(why)
	}
}

// traced counts a record in the place of a session that a login has replaced.
func (c *counters) traced(id core.ID) {
	c.traces.Add(1)
	c.recent.forget(id)
}

func (c *counters) sweepOver(now core.Time, err error) {
	if err != nil {
		c.sweepsFailed.Add(1)
		return
	}
	c.sweeps.Add(1)
	c.sweptAt.Store(int64(now))
}

func (c *counters) refuse(err error) {
	if r, ok := errors.AsType[*core.Refusal](err); ok {
		c.refused.add(r.Reason)
	}
}

// maxRecent is how many ended sessions a manager remembers, so that two requests
// which end one session count once.
const maxRecent = 4096

// recentEnds are the IDs that ended last. A Delete says nothing of whether there was
// a session.
type recentEnds struct {
	mu   sync.Mutex
	seen map[core.ID]struct{}
	ring []core.ID
	next int
}

func (r *recentEnds) first(id core.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, again := r.seen[id]; again {
		return false
	}
	if r.seen == nil {
		r.seen = map[core.ID]struct{}{}
	}
	if len(r.ring) < maxRecent {
		r.ring = append(r.ring, id)
	} else {
		delete(r.seen, r.ring[r.next])
		r.ring[r.next] = id
		r.next = (r.next + 1) % maxRecent
	}
	r.seen[id] = struct{}{}
	return true
}

// forget is for an ID under which there is a record again.
func (r *recentEnds) forget(id core.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, id)
}

// Stats counts. It asks the store nothing, and is safe for concurrent use.
func (m *Manager) Stats() Stats {
	c := &m.counts
	s := Stats{
		Begun: c.begun.Load(), Traces: c.traces.Load(), Logins: c.logins.Load(), Renewed: c.renewed.Load(), Refreshed: c.refreshed.Load(),
		Ended: c.ended.counts(), Resumed: c.resumed.Load(), Refused: c.refused.counts(),
		Commits: c.commits.Load(), Touches: c.touches.Load(), Untouched: c.untouched.Load(), Conflicts: c.conflicts.Load(),
		Dropped: c.dropped.Load(), Retries: c.retries.Load(), Folded: c.folded.Load(), Lines: int(m.queues.some.Load()),
		Resends: c.resends.Load(), Unknown: c.unknown.Load(), Failures: c.failures.Load(), Failing: m.outage.goesOn(),
		Swept: c.swept.Load(), Sweeps: c.sweeps.Load(), SweepsFailed: c.sweepsFailed.Load(), SweptAt: core.Time(c.sweptAt.Load()),
		EventsLost: m.events.lost.Load(), Feed: m.watches.stats(),
	}
	s.addStore(m.store)
	return s
}
