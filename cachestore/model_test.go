package cachestore

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

var ctx = context.Background()

const modelBytes = 4 * bytesPerShard // four shards

func open(t testing.TB, maxBytes int64) *Store {
	st, err := Open(Options{MaxBytes: maxBytes})
	require.NoError(t, err)
	return st
}

func idOf(n int) core.ID {
	var id core.ID
	binary.BigEndian.PutUint64(id[:], uint64(n)*0x9e3779b97f4a7c15) // odd: distinct n stay distinct
	binary.BigEndian.PutUint64(id[8:], uint64(n)+1)
	return id
}

// audit checks that the indexes name exactly the records, that the heap is one
// and that every byte held is counted.
func audit(t testing.TB, st *Store) {
	t.Helper()
	held := st.fixed()
	var rows [shareRows][shareColumns]int64
	for i := range st.shards {
		sh := &st.shards[i]
		sh.mu.Lock()
		records, named, linked := 0, 0, 0
		for c := range sh.classes {
			for i := range sh.classes[c].count {
				at := refOf(c, i)
				s := sh.slot(at)
				records++
				require.Equal(t, at, sh.find(s.id()))
				require.Equal(t, at, sh.expiry[s.place()])
				require.LessOrEqual(t, sh.slot(sh.expiry[max(0, s.place()-1)/heapArity]).expires(), s.expires())
				require.LessOrEqual(t, s.size(), len(s))
				if len(s.user()) == 0 {
					continue
				}
				named++
				for i := range rows {
					rows[i][sh.ownerOf(s)>>(i*columnBits)%shareColumns] += int64(s.size())
				}
				if sh.findUser(s.user()) == at {
					linked += auditTree(t, sh, at, nil, nil)
				}
			}
			for _, slab := range sh.classes[c].slabs {
				held += int64(cap(slab)) + slabHeader
			}
			require.Less(t, cap(sh.classes[c].slabs), 4*len(sh.classes[c].slabs)+1)
		}
		require.Equal(t, records, sh.ids.used)
		require.Len(t, sh.expiry, records)
		require.Equal(t, named, linked)
		held += int64(cap(sh.ids.entries)+cap(sh.users.entries))*entryBytes + int64(cap(sh.expiry))*heapBytes
		sh.mu.Unlock()
	}
	require.Equal(t, held, st.Stats().Bytes)
	for i := range rows {
		for j := range rows[i] {
			require.Equal(t, rows[i][j], st.budget.users.rows[i][j].Load())
		}
	}
}

// auditTree checks that what is below a slot is a treap between two sessions of
// its user, and counts it.
func auditTree(t testing.TB, sh *shard, at ref, low, high slot) int {
	if at == 0 {
		return 0
	}
	s := sh.slot(at)
	require.True(t, low == nil || low.before(s) && string(low.user()) == string(s.user()))
	require.True(t, high == nil || s.before(high) && string(high.user()) == string(s.user()))
	for _, r := range []ref{s.left(), s.right()} {
		require.True(t, r == 0 || sh.slot(r).rank() <= s.rank())
	}
	return 1 + auditTree(t, sh, s.left(), low, s) + auditTree(t, sh, s.right(), s, high)
}

// model is the store's contract in the plainest form.
type model map[core.ID]core.Record

func (m model) find(q hosts.Query, after core.ID, limit int) []core.Record {
	var out []core.Record
	for id, r := range m {
		if bytes.Compare(id[:], after[:]) > 0 && q.Matches(&r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b core.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return out[:min(limit, len(out))]
}

func (m model) save(r core.Record, prev core.Version) error {
	switch stored := m[r.ID].Version; {
	case stored == r.Version:
		return nil
	case stored != prev:
		return core.ErrConflict
	}
	m[r.ID] = r
	return nil
}

func (m model) sweep(before core.Time) (n int) {
	for id, r := range m {
		if r.ExpiresAt < before {
			delete(m, id)
			n++
		}
	}
	return n
}

// step does one random thing to both and compares the answers. pick(n) is a
// choice from 0 to n-1; ids is how many sessions there are at most.
func step(t testing.TB, st *Store, m model, pick func(int) int, ids int) {
	id := idOf(pick(ids))
	users := []string{"", "", "ann", "bob", "zoë the second"}
	tenants := []string{"", "acme", "other"}
	switch op := pick(16); {
	case op < 9:
		r := core.Record{ID: id, Version: core.Version(1 + pick(1000)), Tenant: tenants[pick(3)], User: users[pick(5)],
			CreatedAt: core.Time(pick(100)), SeenAt: core.Time(pick(100)), ExpiresAt: core.Time(pick(100)),
			Sealed: bytes.Repeat([]byte{byte(pick(256))}, pick(1+1<<pick(12)))}
		prev := m[id].Version
		if pick(5) == 0 {
			prev = core.Version(pick(3))
		}
		got, want := st.Save(ctx, r, prev), m.save(r, prev)
		require.ErrorIs(t, got, want)
	case op < 12:
		require.NoError(t, st.Delete(ctx, id))
		delete(m, id)
	case op < 13:
		q := hosts.Query{Tenant: tenants[pick(3)], AnyTenant: pick(2) == 0, User: users[pick(5)], AnyUser: pick(2) == 0, ExpiresBefore: core.Time(pick(3) * 40)}
		after, limit := idOf(pick(ids)), pick(2*ids)
		got, err := st.Find(ctx, q, after, limit)
		require.NoError(t, err)
		want := m.find(q, after, limit)
		require.Equal(t, len(want), len(got))
		if len(want) > 0 {
			require.Equal(t, want, got)
		}
	case op < 14 && pick(ids) < 8:
		n, err := st.Sweep(ctx, core.Time(pick(60)), 0)
		require.NoError(t, err)
		require.Zero(t, n)
		before := core.Time(pick(60))
		n, err = st.Sweep(ctx, before, ids+1)
		require.NoError(t, err)
		require.Equal(t, m.sweep(before), n)
	default:
		got, err := st.Load(ctx, id)
		if want, ok := m[id]; ok {
			require.NoError(t, err)
			require.Equal(t, want, got)
		} else {
			require.ErrorIs(t, err, core.ErrNotFound)
		}
	}
}

// The store answers as the model does, from empty to many sessions and back, and holds nothing at the end.
func TestModel(t *testing.T) {
	for _, ids := range []int{3, 60, 4000} {
		st, m := open(t, modelBytes), model{}
		rnd := rand.New(rand.NewPCG(uint64(ids), 1))
		for i := range soak.Rounds(t, 12, 30) * min(ids, 300) {
			step(t, st, m, rnd.IntN, ids)
			if i%97 == 0 && (ids < 1000 || i%9700 == 0) {
				audit(t, st)
			}
		}
		audit(t, st)
		require.Equal(t, len(m), st.Stats().Sessions)
		for id, r := range m {
			sh := st.shardOf(id)
			require.Equal(t, classOf(recordSize(&r)), sh.find(id).class(), "a slot of the right size")
			require.NoError(t, st.Delete(ctx, id))
		}
		audit(t, st)
		require.Equal(t, hosts.MemoryStats{Bytes: st.fixed(), MaxBytes: modelBytes}, st.Stats())
	}
}

// FuzzModel lets the fuzzer choose the steps.
func FuzzModel(f *testing.F) {
	rnd := rand.NewChaCha8([32]byte{7})
	for n := range 8 {
		choices := make([]byte, 512<<(n%4))
		_, _ = rnd.Read(choices) // never fails
		f.Add(choices)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		st, m := open(t, modelBytes), model{}
		pick := func(n int) int {
			if len(choices) == 0 {
				return 0
			}
			c := int(choices[0])
			choices = choices[1:]
			return c % n
		}
		for len(choices) > 0 {
			step(t, st, m, pick, 24)
		}
		audit(t, st)
	})
}
