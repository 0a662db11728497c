package cachestore

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// TestRing holds a ring to a map: whatever is there is the last that was put, what
// was removed is not there, and its bytes stay within the bound.
func TestRing(t *testing.T) {
	for _, bound := range []int64{1 << 14, 1 << 16, 1 << 20} {
		for seed := range soak.Rounds[uint64](t, 2, 60) {
			rng := rand.New(rand.NewPCG(seed, uint64(bound)))
			var r ring
			r.open(bound)
			put := map[core.ID]core.Version{}
			for step := range 20_000 {
				id := core.ID{15: 1}
				binary.BigEndian.PutUint32(id[:], uint32(rng.ExpFloat64()*100))
				switch rng.IntN(10) {
				case 0:
					r.remove(id)
					delete(put, id)
				case 1, 2, 3, 4:
					rec := core.Record{ID: id, Version: core.Version(step + 1), User: "alice", CreatedAt: 1, SeenAt: 1, ExpiresAt: 2, Sealed: make([]byte, rng.IntN(int(min(bound/3, 2000))))}
					r.put(&rec, core.Version(step))
					put[id] = rec.Version
				case 5:
					if rng.IntN(1000) == 0 {
						r.clear()
						clear(put)
					}
				default:
					b := r.recall(id)
					if b == nil {
						continue // it made room, or was too large
					}
					rec, err := core.ReadRecord(b)
					require.NoError(t, err)
					require.Equal(t, id, rec.ID)
					require.Equal(t, put[id], rec.Version)
				}
			}
			var s hosts.CacheStats
			r.count(&s)
			require.LessOrEqual(t, s.Bytes, bound)
			require.NotZero(t, s.Sessions)
			require.NotZero(t, r.hits)
		}
	}
}

// TestRingKeepsWhatIsUsed: a record that is read again and again stays while a
// hundred times the bound passes by.
func TestRingKeepsWhatIsUsed(t *testing.T) {
	var r ring
	r.open(1 << 16)
	put := func(n uint32) core.ID {
		id := core.ID{15: 1}
		binary.BigEndian.PutUint32(id[:], n)
		r.put(&core.Record{ID: id, Version: 1, CreatedAt: 1, SeenAt: 1, ExpiresAt: 2, Sealed: make([]byte, 300)}, 0)
		return id
	}
	hot := put(0)
	for n := range uint32(20_000) {
		put(n + 1)
		require.NotNil(t, r.recall(hot), n)
	}
	require.Greater(t, r.evicted, uint64(19_000))
}
