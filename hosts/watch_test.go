package hosts_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// mostPerWatch is what one watch may take, in bytes, its channel and its place in the
// index included.
const mostPerWatch = 256

// loading counts the loads of a store.
type loading struct {
	*cachestore.Store
	loads atomic.Int64
}

func (s *loading) Load(ctx context.Context, id core.ID) (core.Record, error) {
	s.loads.Add(1)
	return s.Store.Load(ctx, id)
}

// watchBytes watches n sessions and returns the memory that one watch takes, after all
// of them were looked at once.
func watchBytes(t testing.TB, n int) float64 {
	t.Helper()
	inner, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	store := &loading{Store: inner}
	m, err := hosts.New(store, hosts.Config{Key: key, NoCleanup: true})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, m.Close())
		require.NoError(t, store.Close())
	}()
	sessions := make([]*core.Session, n+1)
	for i := range sessions {
		x := newBrowser().asking(t.Context(), m)
		_, err := m.Login(x, fmt.Sprint("user", i), 0)
		require.NoError(t, err)
		sessions[i] = x.Current()
		x.Close()
	}
	first, err := m.Watch(sessions[n]) // has the feed begin
	require.NoError(t, err)
	sessions = sessions[:n]
	watches, channels := make([]*hosts.Watch, n), make([]<-chan struct{}, n)
	before := heap()
	for i, s := range sessions {
		watches[i], err = m.Watch(s)
		require.NoError(t, err)
		channels[i] = watches[i].Ended()
	}
	require.Eventually(t, func() bool { return store.loads.Load() > int64(n) }, time.Minute, time.Millisecond)
	taken := float64(heap()-before) / float64(n)
	for _, w := range append(watches, first) {
		w.Stop()
	}
	runtime.KeepAlive(sessions)
	runtime.KeepAlive(channels)
	return taken
}

// heap returns the bytes that are in use.
func heap() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one freed is swept
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func TestAWatchIsSmall(t *testing.T) {
	taken := watchBytes(t, soak.Rounds(t, 5000, 20_000))
	t.Logf("%.0f bytes for each watch", taken)
	require.LessOrEqual(t, taken, float64(mostPerWatch))
}

// BenchmarkWatch measures the memory of 100,000 watches.
func BenchmarkWatch(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(watchBytes(b, 100_000), "B/watch")
	}
}
