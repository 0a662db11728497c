package cachestore

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// leastSlack is how many IDs a page gathers beyond its limit, at least, before
// it sorts and drops the rest.
const leastSlack = 64

// Find returns the records that match q, ordered by ID, beginning behind after,
// at most limit of them; fewer mean the last page. With a user named it looks at
// the sessions on the page, of that user name in whatever tenant; without one at
// all in the shards that the page lies in.
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
	for i := s.number(after); i < len(s.shards) && !p.full; i++ {
		if err := ctx.Err(); err != nil {
			return nil, wrap(err)
		}
		if err := s.shards[i].gather(&p); err != nil {
			return nil, err
		}
	}
	return p.ids, nil
}

func (sh *shard) gather(p *page) error {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if sh.closed {
		return errClosed
	}
	if q := p.query; !q.AnyUser && q.User != "" {
		sh.gatherTree(sh.findUser([]byte(q.User)), p)
		return nil
	}
	for c := range sh.classes {
		for i := range sh.classes[c].count {
			p.offer(sh.slot(refOf(c, i)))
		}
	}
	p.cut()
	return nil
}

// gatherTree takes from a tree in order.
func (sh *shard) gatherTree(root ref, p *page) {
	for root != 0 && !p.full {
		s := sh.slot(root)
		if bytes.Compare(s.key(), p.after[:]) > 0 {
			sh.gatherTree(s.left(), p)
			if !p.full {
				p.offer(s)
				p.full = len(p.ids) == p.limit
			}
		}
		root = s.right()
	}
}

// page gathers the lowest IDs behind after.
type page struct {
	query *hosts.Query
	after core.ID
	limit int
	ids   []core.ID
	full  bool
	last  core.ID // when full, the highest that is still wanted
}

func (p *page) offer(s slot) {
	id := s.key()
	if p.full && bytes.Compare(id, p.last[:]) > 0 || bytes.Compare(id, p.after[:]) <= 0 || !s.matches(p.query) {
		return
	}
	p.ids = append(p.ids, s.id())
	if len(p.ids)-p.limit >= max(p.limit, leastSlack) {
		p.cut()
	}
}

// cut sorts the IDs and keeps the page.
func (p *page) cut() {
	slices.SortFunc(p.ids, func(a, b core.ID) int { return bytes.Compare(a[:], b[:]) })
	if len(p.ids) >= p.limit {
		p.ids = p.ids[:p.limit]
		p.full, p.last = true, p.ids[p.limit-1]
	}
}
