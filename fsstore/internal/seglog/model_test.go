//go:build darwin || freebsd || linux

package seglog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const smallSegment = 16 << 10 // so that a test sees many

var everybody = hosts.Query{AnyTenant: true, AnyUser: true}

// model is what a store must show.
type model struct {
	rand    *rand.Rand
	records map[core.ID]core.Record
	ended   map[core.ID]bool
	known   []core.ID // also of the ended
	damaged bool      // the store was found so, and says so after each sweep
	full    int       // saves that were refused; -1: none may be
}

func newModel(seed uint64) *model {
	return &model{full: -1, rand: rand.New(rand.NewPCG(seed, 1)), records: map[core.ID]core.Record{}, ended: map[core.ID]bool{}}
}

func (m *model) record(id core.ID) core.Record {
	r := core.Record{
		ID: id, Version: core.Version(m.rand.Uint64()>>1 | 1), CreatedAt: core.Time(m.rand.IntN(1000)),
		ExpiresAt: core.Time(m.rand.IntN(1000)), Sealed: bytes.Repeat([]byte{byte(m.rand.Uint32())}, m.rand.IntN(1000)),
	}
	r.Tenant = []string{"", "acme", "other"}[m.rand.IntN(3)]
	r.User = []string{"", "", "ada", "bob"}[m.rand.IntN(4)]
	return r
}

func (m *model) someID() core.ID {
	if len(m.known) == 0 || m.rand.IntN(4) == 0 {
		id := core.ID{byte(m.rand.Uint32()), byte(m.rand.Uint32()), 1}
		m.known = append(m.known, id)
		return id
	}
	return m.known[m.rand.IntN(len(m.known))]
}

// step does one random thing to the store and to the model.
func (m *model) step(t *testing.T, s *Store) {
	id := m.someID()
	is, there := m.records[id]
	switch m.rand.IntN(10) {
	case 0:
		require.NoError(t, s.Delete(t.Context(), id))
		delete(m.records, id)
	case 1:
		before, limit := core.Time(m.rand.IntN(400)), m.rand.IntN(8)
		n, err := s.Sweep(t.Context(), before, limit)
		if err != nil && m.damaged {
			require.ErrorIs(t, err, core.ErrCorrupt)
		} else {
			require.NoError(t, err)
		}
		m.swept(t, s, before, limit, n)
	case 2:
		r := m.record(id)
		err := s.Save(t.Context(), r, core.Version(m.rand.Uint64()>>1|1))
		require.ErrorIs(t, err, core.ErrConflict)
	default:
		r := m.record(id)
		prev := core.NoVersion
		if there {
			prev = is.Version
		}
		err := s.Save(t.Context(), r, prev)
		if m.full >= 0 && errors.Is(err, hosts.ErrFull) {
			m.full++
			return
		}
		require.NoError(t, err)
		m.records[id] = r
	}
}

// swept finds out which ones a sweep with a limit has chosen.
func (m *model) swept(t *testing.T, s *Store, before core.Time, limit, n int) {
	expired, gone := 0, 0
	for id, r := range m.records {
		if r.ExpiresAt >= before {
			continue
		}
		expired++
		if _, err := s.Load(t.Context(), id); errors.Is(err, core.ErrNotFound) {
			gone++
			delete(m.records, id)
		}
	}
	require.Equal(t, min(expired, limit), n)
	require.Equal(t, n, gone)
}

// whole is all of a record, to compare: fmt takes many times as long.
func whole(r core.Record) string {
	b, err := core.AppendRecord(nil, &r)
	if err != nil {
		return fmt.Sprint(r, err)
	}
	return string(b)
}

func same(a, b core.Record) bool { return whole(a) == whole(b) }

// requireSame holds all verbs that read to the model.
func (m *model) requireSame(t *testing.T, s *Store) {
	t.Helper()
	for _, id := range m.known {
		got, err := s.Load(t.Context(), id)
		if want, there := m.records[id]; there {
			require.NoError(t, err)
			require.True(t, same(got, want), "%v is not %v", got, want)
		} else {
			require.ErrorIs(t, err, core.ErrNotFound)
		}
	}
	for _, q := range []hosts.Query{everybody, {}, {Tenant: "acme", User: "ada"}, {Tenant: "acme", AnyUser: true}, {AnyTenant: true, User: "bob", ExpiresBefore: 500}} {
		var want []string
		for _, r := range m.records {
			if q.Matches(&r) {
				want = append(want, whole(r))
			}
		}
		var got []string
		for after, limit := (core.ID{}), 7; ; {
			page, err := s.Find(t.Context(), q, after, limit)
			require.NoError(t, err)
			require.True(t, slices.IsSortedFunc(page, func(a, b core.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) }))
			for _, r := range page {
				got = append(got, whole(r))
			}
			if len(page) < limit {
				break
			}
			after = page[limit-1].ID
		}
		slices.Sort(want)
		slices.Sort(got)
		require.True(t, slices.Equal(want, got), "%+v: %q is not %q", q, got, want)
	}
	m.requireIndex(t, s)
}

// requireIndex looks whether the index agrees with itself.
func (m *model) requireIndex(t *testing.T, s *Store) {
	x := s.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	require.Len(t, x.expiries, len(m.records))
	var live, all int64
	perSegment := map[uint32]int64{}
	chained := 0
	for _, r := range m.records {
		e := x.find(r.ID)
		require.Equal(t, r.ExpiresAt, e.expires)
		require.Equal(t, e.id, x.entry(x.expiries[e.heap]).id)
		if e.heap > 0 {
			require.LessOrEqual(t, x.entry(x.expiries[(e.heap-1)/heapArity]).expires, e.expires)
		}
		live += padded(int64(e.at.length))
		perSegment[e.at.segment] += padded(int64(e.at.length))
		if r.User != "" {
			chained++
		}
	}
	for _, g := range x.segments {
		require.Equal(t, perSegment[g.number], g.live, g.path)
		all += g.bytes
	}
	require.Equal(t, live, x.live)
	require.Equal(t, all, x.bytes)
	for i := range x.users {
		x.users[i].all(func(r ref) {
			chained -= requireTree(t, x, r)
		})
	}
	require.Zero(t, chained)
	for number := range x.segments {
		require.GreaterOrEqual(t, number+1, x.base) // one may be about to be removed
	}
}

func TestModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m, o := newModel(seed), Options{Dir: t.TempDir(), Segment: smallSegment, Fast: seed%2 > 0, Logger: quiet}
			for range 5 {
				s, err := Open(o)
				require.NoError(t, err)
				m.requireSame(t, s)
				for range 60 + m.rand.IntN(100) {
					m.step(t, s)
				}
				m.requireSame(t, s)
				require.NoError(t, s.Close())
			}
		})
	}
}
