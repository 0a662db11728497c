package seglog

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// The tables of IDs are many, each of those that begin alike, so that a page of
// all sessions looks at few beside its own: one table of 5,000,000 sessions has 1,200.
const (
	tableBits = 12
	tables    = 1 << tableBits
)

// lookAtOnce is how many sessions one hold of the lock looks at, and one table more.
const lookAtOnce = 1024

func tableOf(id core.ID) int { return int(binary.BigEndian.Uint16(id[:]) >> (16 - tableBits)) }

// selection goes through the IDs of the sessions that a query may select, in order.
type selection struct {
	x       *index
	query   *hosts.Query
	owner   owner
	oneUser bool
	after   core.ID // the IDs lie behind it
	table   int     // the next one
	looked  int     // at so many entries
}

func (x *index) selects(q *hosts.Query, after core.ID) *selection {
	o := x.ownerOf(q.Tenant, q.User)
	return &selection{
		x: x, query: q, owner: o, oneUser: !q.AnyTenant && !q.AnyUser && o.user() != 0,
		after: after, table: tableOf(after),
	}
}

// matches reports whether the session may be one that the query selects.
func (s *selection) matches(e *entry) bool {
	q := s.query
	return (q.AnyTenant || e.owner.tenant() == s.owner.tenant()) && (q.AnyUser || e.owner.user() == s.owner.user()) &&
		(q.ExpiresBefore == 0 || e.expires < q.ExpiresBefore)
}

// next returns the next IDs, at most limit, and whether there are no more behind
// them. It may return none before the end, so as not to hold the lock for long.
func (s *selection) next(limit int) (ids []core.ID, end bool) {
	s.x.mu.RLock()
	defer s.x.mu.RUnlock()
	if s.oneUser {
		return s.ofUser(limit)
	}
	return s.ofAll(limit)
}

// ofUser takes them from the tree of the user.
func (s *selection) ofUser(limit int) (ids []core.ID, end bool) {
	stop := s.looked + lookAtOnce
	end = s.x.walkTree(s.x.rootOf(s.owner), s.after, func(r ref) bool {
		s.looked++
		e := s.x.entry(r)
		if s.matches(e) {
			ids = append(ids, e.id)
		}
		s.after = e.id
		return len(ids) < limit && s.looked < stop
	})
	return ids, end
}

// ofAll takes them from the tables.
func (s *selection) ofAll(limit int) (ids []core.ID, end bool) {
	for stop := s.looked + lookAtOnce; s.table < tables && len(ids) < limit && s.looked < stop; s.table++ {
		sorted := len(ids)
		s.x.ids[s.table].all(func(r ref) {
			s.looked++
			if e := s.x.entry(r); s.matches(e) && bytes.Compare(e.id[:], s.after[:]) > 0 {
				ids = append(ids, e.id)
			}
		})
		slices.SortFunc(ids[sorted:], func(a, b core.ID) int { return bytes.Compare(a[:], b[:]) })
	}
	if len(ids) > limit {
		ids = ids[:limit]
		s.after = ids[limit-1]
		s.table = tableOf(s.after)
	}
	return ids, s.table == tables
}
