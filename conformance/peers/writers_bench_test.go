package peers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// Fifty writers of one session, each of a name of its own, begin at once. All
// must succeed, and the slowest in a hundred may take fifty times one commit that has the
// session for itself.
func BenchmarkRatioWriters(b *testing.B) {
	if b.N > 1 {
		return
	}
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(b, err)
	defer memory.Close()
	files, err := fsstore.Open(fsstore.Options{Dir: b.TempDir()})
	require.NoError(b, err)
	defer files.Close()
	contend(b, "writers-p99-memory", memory)
	contend(b, "writers-p99-file", files)
}

func contend(b *testing.B, name string, store hosts.Store) {
	const rounds, writers = 101, 50
	m, err := hosts.New(store, hosts.Config{Key: benchKey, NoCleanup: true})
	require.NoError(b, err)
	defer m.Close()
	ctx := context.Background()
	var alone, slowest []time.Duration
	for round := range rounds {
		s, err := m.Create(ctx)
		require.NoError(b, err)
		require.NoError(b, m.Save(ctx, s))
		start := time.Now()
		require.NoError(b, m.Set(ctx, s.ID, "alone", round))
		alone = append(alone, time.Since(start))
		slowest = append(slowest, slices.Max(race(b, m, s.ID, writers)))
		got, err := m.Load(ctx, s.ID)
		require.NoError(b, err)
		require.Len(b, got.Data, writers+1, "an update was lost")
	}
	slices.Sort(alone)
	slices.Sort(slowest)
	b.Logf("%s: alone %v, slowest of %d %v", name, alone[rounds/2], writers, slowest[rounds/2])
	ratio.Print(name, float64(slowest[rounds/2])/float64(alone[rounds/2]), 50, false)
}

// Fifty updates of one value take at most twice as long as fifty writers of
// names of their own, by turns in one run.
func BenchmarkRatioUpdates(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, writers = 101, 50
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(b, err)
	defer memory.Close()
	m, err := hosts.New(memory, hosts.Config{Key: benchKey, NoCleanup: true})
	require.NoError(b, err)
	defer m.Close()
	ctx := context.Background()
	var put, update []time.Duration
	for range rounds {
		s, err := m.Create(ctx)
		require.NoError(b, err)
		require.NoError(b, m.Save(ctx, s))
		put = append(put, slices.Max(race(b, m, s.ID, writers)))
		update = append(update, slices.Max(raceOf(b, writers, func(int) error {
			return hosts.UpdateByID(ctx, m, s.ID, "n", func(n int) (int, error) { return n + 1, nil })
		})))
		n, err := m.Get(ctx, s.ID, "n")
		require.NoError(b, err)
		require.Equal(b, writers, n, "an update was lost")
	}
	slices.Sort(put)
	slices.Sort(update)
	b.Logf("slowest of %d: by names %v, by updates %v", writers, put[rounds/2], update[rounds/2])
	ratio.Print("writers-update-of-put", float64(update[rounds/2])/float64(put[rounds/2]), 2, false)
}

func race(b *testing.B, m *hosts.Manager, id core.ID, writers int) []time.Duration {
	return raceOf(b, writers, func(i int) error { return m.Set(context.Background(), id, fmt.Sprint("writer ", i), i) })
}

func raceOf(b *testing.B, writers int, write func(i int) error) []time.Duration {
	took := make([]time.Duration, writers)
	var done sync.WaitGroup
	begin := make(chan struct{})
	for i := range writers {
		done.Go(func() {
			<-begin
			start := time.Now()
			if err := write(i); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(start)
		})
	}
	close(begin)
	done.Wait()
	return took
}
