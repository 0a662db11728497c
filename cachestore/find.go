package cachestore

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Find returns the records that match q, ordered by ID, beginning behind after,
// at most limit of them; fewer mean the last page. It begins where the page does
// and ends with it: with a user named it looks at the sessions of that user name,
// in whatever tenant; without one at every session between.
//
// First the page's IDs are gathered, then their records are read and tested
// again; for those that changed in between, later ones take the place.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	var found []core.Record
	for len(found) < limit {
		want := limit - len(found)
		ids, err := s.gather(ctx, &q, after, want)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			r, err := s.Load(ctx, id)
			switch {
			case errors.Is(err, core.ErrNotFound):
			case err != nil:
				return nil, err
			case q.Matches(&r):
				found = append(found, r)
			}
		}
		if len(ids) < want {
			break
		}
		after = ids[len(ids)-1]
	}
	return found, nil
}

// gather returns the lowest IDs behind after that match, in order.
func (s *Store) gather(ctx context.Context, q *hosts.Query, after core.ID, limit int) ([]core.ID, error) {
	p := page{query: q, after: after, limit: limit}
	from := s.shards[0].hashID(after)
	for i := s.number(after); i < len(s.shards) && !p.full(); i++ {
		if err := ctx.Err(); err != nil {
			return nil, wrap(err)
		}
		if err := s.shards[i].gather(&p, from); err != nil {
			return nil, err
		}
		from = 0
	}
	return p.ids, nil
}

// gather adds what the shard has, from a hash on, which is that of p.after in its
// own shard.
func (sh *shard) gather(p *page, from uint32) error {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if sh.closed {
		return errClosed
	}
	if q := p.query; !q.AnyUser && q.User != "" {
		sh.gatherTree(sh.findUser([]byte(q.User)), p)
	} else {
		sh.gatherAll(p, from)
	}
	return nil
}

// gatherTree takes from a tree in order.
func (sh *shard) gatherTree(root ref, p *page) {
	for root != 0 && !p.full() {
		s := sh.slot(root)
		if bytes.Compare(s.key(), p.after[:]) > 0 {
			sh.gatherTree(s.left(), p)
			if !p.full() {
				p.offer(s)
			}
		}
		root = s.right()
	}
}

// gatherAll takes from the table of IDs, which is in order but for those between
// two gaps.
func (sh *shard) gatherAll(p *page, from uint32) {
	sorted := len(p.ids)
	sh.ids.walk(from, func(r ref) { p.offer(sh.slot(r)) }, func() bool {
		slices.SortFunc(p.ids[sorted:], func(a, b core.ID) int { return bytes.Compare(a[:], b[:]) })
		sorted = len(p.ids)
		return p.full()
	})
	p.ids = p.ids[:min(len(p.ids), p.limit)]
}

// page gathers the lowest IDs behind after.
type page struct {
	query *hosts.Query
	after core.ID
	limit int
	ids   []core.ID
}

func (p *page) full() bool { return len(p.ids) >= p.limit }

func (p *page) offer(s slot) {
	if bytes.Compare(s.key(), p.after[:]) > 0 && s.matches(p.query) {
		p.ids = append(p.ids, s.id())
	}
}
