package hosts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Bounds of the work over many sessions.
const (
	sweepBatch  = 1000 // expired records deleted in one store call
	findPage    = 200  // records asked of a Finder in one call
	maxPasses   = 100  // of Revoke over sessions that keep appearing
	sweepLimit  = 10 * time.Minute
	maxListPage = 1000 // of Sessions
)

// ErrNoFinder and ErrNoSweeper mean that the store cannot do it.
var (
	ErrNoFinder  = errors.New("this store cannot list sessions: it does not implement hosts.Finder")
	ErrNoSweeper = errors.New("this store forgets expired sessions by itself: it does not implement hosts.Sweeper")
)

// CleanupExpired deletes the sessions that expired longer ago than Retention,
// and returns how many. It never deletes a live one.
func (m *Manager) CleanupExpired(ctx context.Context) (int, error) {
	sweeper, ok := As[Sweeper](m.store)
	if !ok {
		return 0, ErrNoSweeper
	}
	return m.sweep(ctx, sweeper)
}

func (m *Manager) sweep(ctx context.Context, sweeper Sweeper) (total int, err error) {
	before := m.now() - m.machine.Policy().Retention
	for {
		n, err := sweeper.Sweep(ctx, before, sweepBatch)
		total += n
		m.counts.swept.Add(uint64(max(n, 0)))
		if err != nil {
			err = m.unavailable("sweep expired sessions", core.ID{}, err)
		}
		if err != nil || n < sweepBatch {
			m.counts.sweepOver(m.now(), err)
			m.events.emit(Event{Kind: EventSwept, Count: total, Err: err, At: m.now()})
			return total, err
		}
	}
}

func (m *Manager) sweepEvery(sweeper Sweeper, interval time.Duration) {
	defer m.sweeping.Done()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-m.stopped.Done():
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(m.stopped, sweepLimit)
			_, _ = m.sweep(ctx, sweeper) // a failure is reported, and the next interval tries again
			cancel()
		}
	}
}

// Sessions lists the live sessions that q selects, ordered by ID, beginning
// behind after, at most limit (1 to 1000; 0 for 200). next is where the next
// page begins; it is zero behind the last one. Records that do not open are
// left out. A request in ctx confines the list to its tenant. A query must name
// a User, or say AnyUser or Anonymous.
func (m *Manager) Sessions(ctx context.Context, q Query, after core.ID, limit int) (page []*Session, next core.ID, err error) {
	if limit == 0 {
		limit = findPage
	}
	if limit < 0 || limit > maxListPage {
		return nil, next, &ConfigError{Field: "limit", Value: fmt.Sprint(limit), Allowed: "1 to 1000, or 0 for 200"}
	}
	if q, err = meant(q); err != nil {
		return nil, next, err
	}
	request, x := requestOf(ctx)
	if x != nil {
		q.Tenant, q.AnyTenant = x.Tenant, false
	}
	records, err := m.find(ctx, q, after, limit)
	if err != nil {
		return nil, next, err
	}
	request.AnyTenant = true // the query has chosen
	for _, r := range records {
		c, err := m.machine.Resume(core.ByID(r.ID), r, request, m.now())
		if err != nil {
			continue
		}
		s, err := m.show(c)
		if err != nil {
			return nil, next, err
		}
		page = append(page, s)
	}
	if len(records) == limit {
		next = records[limit-1].ID
	}
	return page, next, nil
}

// meant refuses a query that may not say what it means: an empty User is mostly
// one that was forgotten, and would end the sessions of all visitors who are not
// signed in. It returns the query as stores take it.
func meant(q Query) (Query, error) {
	switch {
	case q.Anonymous && (q.User != "" || q.AnyUser):
		return q, fmt.Errorf("query: %w", &ConfigError{Field: "Anonymous", Value: "true with a User or AnyUser", Allowed: "one of them"})
	case !q.Anonymous && !q.AnyUser && q.User == "":
		return q, fmt.Errorf("query: %w", &ConfigError{Field: "User", Value: "", Allowed: "a user; or set AnyUser for all sessions, or Anonymous for those of nobody"})
	}
	q.Anonymous = false
	return q, nil
}

func (m *Manager) find(ctx context.Context, q Query, after core.ID, limit int) ([]core.Record, error) {
	finder, ok := As[Finder](m.store)
	if !ok {
		return nil, ErrNoFinder
	}
	records, err := finder.Find(ctx, q, after, limit)
	if err != nil {
		return nil, m.unavailable("list sessions", core.ID{}, err)
	}
	return records, nil
}

// Revoke ends every session that q selects, except those named, and returns
// how many it ended. It repeats until a whole pass finds none, so that a login
// which races with it does not slip through, and then waits once, so that no
// cache of another server shows one of them signed in (ErrNotFinal if that is cut
// short). A request in ctx confines it to
// its tenant. A query must name a User, or say AnyUser or Anonymous.
func (m *Manager) Revoke(ctx context.Context, q Query, except ...core.ID) (ended int, err error) {
	if q, err = meant(q); err != nil {
		return 0, err
	}
	if x := RequestFrom(ctx); x != nil {
		q.Tenant, q.AnyTenant = x.Tenant, false
	}
	spared := make(map[core.ID]bool, len(except))
	for _, id := range except {
		spared[id] = true
	}
	for range maxPasses {
		n, err := m.revokePass(ctx, q, spared)
		ended += n
		if err != nil {
			return ended, err
		}
		if n == 0 {
			if err := m.replicated(ctx); err != nil {
				return ended, err
			}
			return ended, m.loggedOut(ctx, false)
		}
	}
	return ended, fmt.Errorf("revoke sessions: new ones keep appearing after %d passes: %w", maxPasses, ErrBusy)
}

// replicated waits until the replicas have all deletes of before. An earlier Revoke may have
// deleted sessions and then failed because a replica did not answer: a search finds them no
// more, so Revoke waits whatever it found.
func (m *Manager) replicated(ctx context.Context) error {
	s, ok := As[Replicated](m.store)
	if !ok {
		return nil
	}
	if err := s.WaitForReplicas(ctx); err != nil {
		return m.unavailable("revoke sessions", core.ID{}, err)
	}
	return nil
}

func (m *Manager) revokePass(ctx context.Context, q Query, spared map[core.ID]bool) (ended int, err error) {
	var after core.ID
	for {
		records, err := m.find(ctx, q, after, findPage)
		if err != nil {
			return ended, err
		}
		live := slices.DeleteFunc(slices.Clone(records), func(r core.Record) bool { return spared[r.ID] || IsMarker(&r) })
		n, err := m.removeAll(ctx, live)
		if ended += n; err != nil {
			return ended, err
		}
		if len(records) < findPage {
			return ended, nil
		}
		after = records[len(records)-1].ID
	}
}

// removeAll ends a page of sessions, at once where the store can, and again one by
// one what failed then. It returns how many it ended, and the first error.
func (m *Manager) removeAll(ctx context.Context, page []core.Record) (ended int, failed error) {
	answers := make([]error, len(page))
	deleter, ok := As[BatchDeleter](m.store)
	if ok && len(page) > 0 {
		ids := make([]core.ID, len(page))
		for i := range page {
			ids[i] = page[i].ID
		}
		answers = deleter.DeleteMany(ctx, ids)
	}
	for i, r := range page {
		err := answers[i]
		if !ok || err != nil {
			if failed != nil {
				continue
			}
			err = m.remove(ctx, r.ID)
		}
		if err != nil {
			failed = err
			continue
		}
		ended++
		m.counts.end(r.ID, core.ReasonEnded)
		m.events.emit(Event{Kind: EventEnded, Reason: core.ReasonEnded, ID: r.ID, Tenant: r.Tenant, User: r.User, At: m.now()})
	}
	return ended, failed
}
