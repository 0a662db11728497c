package cachestore

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
)

// BenchmarkRatioZipf has three processes answer requests without affinity, each with a
// cache of a tenth of the sessions. Which session asks follows a Zipf law.
func BenchmarkRatioZipf(b *testing.B) {
	sessions := 100_000
	if text := os.Getenv("BENCH_SESSIONS"); text != "" {
		var err error
		sessions, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	const servers, sealed = 3, 300
	id := func(n uint64) (id core.ID) {
		binary.BigEndian.PutUint64(id[:], (n+1)*0x9e3779b97f4a7c15)
		return id
	}
	for b.Loop() {
		store := zipfStore(b, sessions, sealed, id)
		var caches []*Cached
		for range servers {
			c, err := NewCached(store, CachedOptions{MaxBytes: int64(sessions) / 10 * (sealed + 51 + 64)})
			require.NoError(b, err)
			caches = append(caches, c)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		law := rand.NewZipf(rng, 1.1, 1, uint64(sessions-1))
		requests, loads := 4*sessions, 0
		for i := range 2 * requests { // the first half warms up
			who := id(law.Uint64())
			c := caches[rng.IntN(servers)]
			if _, ok := c.Recall(who); ok {
				continue
			}
			if i >= requests {
				loads++
			}
			_, err := c.Load(context.Background(), who)
			require.NoError(b, err)
		}
		for _, c := range caches {
			st := c.Stats()
			b.Logf("%d of %d sessions in %d of %d bytes", st.Sessions, sessions, st.Bytes, st.MaxBytes)
			require.NoError(b, c.Close())
		}
		ratio.Print("zipf-loads-saved", 1-float64(loads)/float64(requests), 0.6, true)
	}
}

func zipfStore(b *testing.B, sessions, sealed int, id func(uint64) core.ID) *marked {
	s, err := Open(Options{MaxBytes: int64(sessions)*1024 + LeastMaxBytes})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	for n := range sessions {
		r := core.Record{ID: id(uint64(n)), Version: 1, User: "user-" + strconv.Itoa(n), CreatedAt: 1, SeenAt: 1, ExpiresAt: core.Day, Sealed: make([]byte, sealed)}
		require.NoError(b, s.Save(context.Background(), r, core.NoVersion))
	}
	return &marked{Store: s}
}
