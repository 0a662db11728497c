//go:build darwin || freebsd || linux

package seglog

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

func TestExpiries(t *testing.T) {
	const sessions, moments = 2000, 500 // so that many expire at once
	random := rand.New(rand.NewPCG(1, 2))
	x := newIndex()
	var all []core.Time
	for n := range sessions {
		var id core.ID
		binary.BigEndian.PutUint64(id[:], random.Uint64())
		r := core.Record{ID: id, Version: 1, ExpiresAt: core.Time(random.IntN(moments))}
		x.put(&r, span32{1, uint32(n), 80})
		if n%3 == 0 { // a touch
			r.ExpiresAt = core.Time(random.IntN(moments))
			x.put(&r, span32{1, uint32(n), 80})
		}
		all = append(all, r.ExpiresAt)
	}
	slices.Sort(all)
	for range 300 {
		before, limit := core.Time(random.IntN(moments+10)), random.IntN(40)
		due, _ := slices.BinarySearch(all, before)
		require.Len(t, x.expired(before, limit), min(due, limit))

		ids, moment := x.first(before, limit)
		require.LessOrEqual(t, len(ids), limit)
		require.LessOrEqual(t, moment, before)
		exact, _ := slices.BinarySearch(all, moment)
		require.Len(t, ids, exact, "exactly those that expire before %d", moment)
		if due <= limit {
			require.Len(t, ids, due)
		} else {
			next, _ := slices.BinarySearch(all, moment+1)
			require.Greater(t, next, limit, "as many as go")
		}
		for _, id := range ids {
			require.Less(t, x.find(id).expires, moment)
		}
	}
	x.sweep(moments / 2)
	due, _ := slices.BinarySearch(all, moments/2)
	require.Len(t, x.expiries, sessions-due)
	require.Equal(t, all[due], x.entry(x.expiries[0]).expires)
}

// A sweep looks at what has expired and its neighbours, however many live.
func TestSweepLooksAtFew(t *testing.T) {
	x := newIndex()
	for n := range 10_000 {
		r := core.Record{ID: core.ID{byte(n), byte(n >> 8), 1}, Version: 1, ExpiresAt: core.Time(n)}
		x.put(&r, span32{1, uint32(n), 80})
	}
	seen := 0
	for w := newWalk(x); w.next().expires < 20; {
		seen += len(w.open)
	}
	require.Less(t, seen, 20*20*heapArity)
}
