package redis

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// A full server refuses saves, whole, and loses nothing; ends make room.
func TestFullServer(t *testing.T) {
	p := start(t, "--maxmemory", "12mb", "--maxmemory-policy", "noeviction")
	s := open(t, p.url(), Options{})
	require.NoError(t, s.Check(t.Context()))
	var kept []core.Record
	var err error
	for n := 0; err == nil && n < 10_000; n++ {
		r := newRecord()
		r.Sealed = make([]byte, 10_000)
		if err = s.Save(t.Context(), r, core.NoVersion); err == nil {
			kept = append(kept, r)
		}
	}
	require.ErrorIs(t, err, hosts.ErrFull)
	require.ErrorContains(t, err, "maxmemory")
	require.Greater(t, len(kept), 100)
	touch := next(kept[0])
	require.ErrorIs(t, s.Save(t.Context(), touch, kept[0].Version), hosts.ErrFull)
	moved := touch
	moved.User = "bob"
	for _, err := range s.SaveMany(t.Context(), []hosts.Saving{{Record: moved, Prev: kept[0].Version}, {Record: newRecord()}}) {
		require.ErrorIs(t, err, hosts.ErrFull)
	}
	require.Empty(t, audit(t, s))
	for i, l := range s.LoadMany(t.Context(), idsOf(kept)) {
		require.NoError(t, l.Err)
		require.Equal(t, kept[i], l.Record)
	}
	for _, r := range kept[:100] {
		require.NoError(t, s.Delete(t.Context(), r.ID))
	}
	save(t, s, newRecord(), core.NoVersion)
	require.Empty(t, audit(t, s))
}

// A server that forgets its scripts all the time answers every call.
func TestScriptFlush(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{})
	var busy, flushing sync.WaitGroup
	var done atomic.Bool
	flushing.Go(func() {
		for !done.Load() {
			_, err := p.try(t, "SCRIPT", "FLUSH")
			assert.NoError(t, err)
		}
	})
	for range 16 {
		busy.Go(func() {
			for range 50 {
				r := newRecord()
				assert.NoError(t, s.Save(background, r, core.NoVersion))
				n := next(r)
				assert.NoError(t, s.Save(background, n, r.Version))
				assert.NoError(t, s.Delete(background, r.ID))
			}
		})
	}
	busy.Wait()
	done.Store(true)
	flushing.Wait()
	require.Empty(t, s.keys(t))
}

// The server dies in the middle of batches and comes back with what it had on
// disk. Every acknowledged save is there. One whose answer was lost is there
// whole or not at all, and the same save again settles it.
func TestServerKilledInABatch(t *testing.T) {
	p := start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, p.url(), Options{Timeout: 2 * time.Second})
	const writers = 48
	var busy sync.WaitGroup
	var saved atomic.Int64
	last, lost := make([]core.Record, writers), make([]*core.Record, writers)
	for w := range writers {
		busy.Go(func() {
			r := newRecord()
			prev := core.NoVersion
			for {
				if err := s.Save(background, r, prev); err != nil {
					assert.ErrorIs(t, err, hosts.ErrUnavailable)
					assert.NotErrorIs(t, err, core.ErrConflict)
					lost[w] = &r
					return
				}
				saved.Add(1)
				last[w], prev = r, r.Version
				r = next(r)
			}
		})
	}
	eventually(t, "saves are under way", func() bool { return saved.Load() > 10*writers })
	p.Kill()
	busy.Wait()
	_, err := s.Load(t.Context(), last[0].ID)
	require.ErrorIs(t, err, hosts.ErrUnavailable, "a dead server has not ended the session")
	p.Begin(t)
	for w, r := range last {
		got, err := s.Load(t.Context(), lost[w].ID)
		if errors.Is(err, core.ErrNotFound) {
			require.Zero(t, r.Version, "an acknowledged save is gone")
			continue
		}
		require.NoError(t, err)
		require.Contains(t, []core.Version{r.Version, lost[w].Version}, got.Version, "neither the last acknowledged nor the one after")
		save(t, s, *lost[w], r.Version)
		requireHolds(t, s, *lost[w])
	}
	require.Empty(t, audit(t, s))
}

// Nobody waits longer than the context for a server that does not answer,
// in whatever phase the call is.
func TestContextsEndInEveryPhase(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{Timeout: time.Minute})
	r := save(t, s, newRecord(), core.NoVersion)
	requireHolds(t, s, r)
	calls := map[string]func(context.Context) error{
		"Load":     func(ctx context.Context) error { _, err := s.Load(ctx, r.ID); return err },
		"Save":     func(ctx context.Context) error { return s.Save(ctx, next(r), r.Version) },
		"Delete":   func(ctx context.Context) error { return s.Delete(ctx, newRecord().ID) },
		"Find":     func(ctx context.Context) error { _, err := s.Find(ctx, everybody, core.ID{}, 10); return err },
		"LoadMany": func(ctx context.Context) error { return s.LoadMany(ctx, []core.ID{r.ID})[0].Err },
		"SaveMany": func(ctx context.Context) error { return s.SaveMany(ctx, []hosts.Saving{{Record: newRecord()}})[0] },
		"Check":    s.Check,
	}
	thaw := p.Freeze(t)
	began := time.Now()
	for name, call := range calls {
		// Far more than may be on the wire: some connect, some wait for their
		// answer, some for their turn.
		for _, ends := range []func() (context.Context, context.CancelFunc){
			func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(background)
				stop := time.AfterFunc(20*time.Millisecond, cancel)
				return ctx, func() { stop.Stop(); cancel() }
			},
			func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(background, 20*time.Millisecond)
			},
		} {
			var all sync.WaitGroup
			for range 3 * maxCalls {
				all.Go(func() {
					ctx, cancel := ends()
					defer cancel()
					err := call(ctx)
					<-ctx.Done()
					assert.ErrorIs(t, err, ctx.Err(), name)
				})
			}
			all.Wait()
		}
	}
	require.Less(t, time.Since(began), patience, "calls have waited for Options.Timeout")
	thaw()
	// One of the saves may still land, then no other.
	eventually(t, "the store goes on", func() bool {
		got, err := s.Load(background, r.ID)
		return err == nil && s.Save(background, next(got), got.Version) == nil
	})
	require.NoError(t, s.Delete(t.Context(), r.ID))
	requireGone(t, s, r.ID)
	require.Empty(t, audit(t, s))
}

// Without a context that ends, Options.Timeout ends the call.
func TestTimeout(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{Timeout: 100 * time.Millisecond})
	r := save(t, s, newRecord(), core.NoVersion)
	thaw := p.Freeze(t)
	for _, err := range []error{s.Save(background, next(r), r.Version), s.Delete(background, r.ID)} {
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.ErrorContains(t, err, "no answer in time")
		require.NotErrorIs(t, err, core.ErrConflict)
	}
	_, err := s.Load(background, r.ID)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	thaw()
	// What the server had received it has done by now, or does it in order.
	eventually(t, "the store goes on", func() bool { return s.Delete(background, r.ID) == nil })
	requireGone(t, s, r.ID)
}

// Ten thousand callers at once are all answered, in their own way.
func TestManyCallers(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"single": servers.Redis, "cluster": servers.RedisCluster} {
		t.Run(name, func(t *testing.T) {
			s := open(t, url(t), Options{Prefix: newPrefix(), Timeout: time.Minute})
			t.Cleanup(func() { wipe(t, s) })
			records := make([]core.Record, 500)
			for i := range records {
				records[i] = save(t, s, newRecord(), core.NoVersion)
			}
			var all sync.WaitGroup
			for n := range soak.Rounds(t, 2_000, 10_000) {
				all.Go(func() {
					r := records[n%len(records)]
					switch n % 4 {
					case 0:
						own := newRecord()
						assert.NoError(t, s.Save(background, own, core.NoVersion))
						assert.NoError(t, s.Delete(background, own.ID))
					case 1:
						assert.ErrorIs(t, s.Save(background, next(r), newRecord().Version), core.ErrConflict)
					default:
						got, err := s.Load(background, r.ID)
						assert.NoError(t, err)
						assert.Equal(t, r, got)
					}
				})
			}
			all.Wait()
			require.Empty(t, audit(t, s))
		})
	}
}

// More than may wait are told so at once, and nothing is changed for them.
func TestTooManyCallers(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{Timeout: time.Minute})
	thaw := p.Freeze(t)
	ctx, cancel := context.WithCancel(background)
	var all sync.WaitGroup
	var refused atomic.Int64
	for range maxWaiting + maxCalls + 100 {
		all.Go(func() {
			if errors.Is(s.Delete(ctx, newRecord().ID), hosts.ErrBusy) {
				refused.Add(1)
			}
		})
	}
	eventually(t, "some are refused", func() bool { return refused.Load() >= 100 })
	cancel()
	all.Wait()
	require.EqualValues(t, 100, refused.Load())
	thaw()
}

// Close ends what waits, waits for what is on the wire, and leaves nothing.
func TestCloseLeavesNothing(t *testing.T) {
	urls := []func(testing.TB) string{servers.Redis, servers.RedisCluster}
	for _, url := range urls {
		for _, cache := range []time.Duration{0, time.Minute} {
			s, err := Open(t.Context(), url(t), Options{Prefix: newPrefix(), Cache: cache})
			require.NoError(t, err)
			var busy sync.WaitGroup
			var ended atomic.Int64
			for range 100 {
				busy.Go(func() {
					for {
						r := newRecord()
						err := s.Save(background, r, core.NoVersion)
						if err == nil {
							_, err = s.Load(background, r.ID)
						}
						if err == nil {
							err = s.Delete(background, r.ID)
						}
						if err != nil {
							assert.ErrorIs(t, err, hosts.ErrClosed)
							return
						}
						ended.Add(1)
					}
				})
			}
			eventually(t, "calls are under way", func() bool { return ended.Load() > 100 })
			wiper := open(t, url(t), Options{Prefix: s.server.o.Prefix})
			t.Cleanup(func() { wipe(t, wiper) })
			require.NoError(t, s.Close())
			require.NoError(t, s.Close())
			busy.Wait()
			_, err = s.Find(background, everybody, core.ID{}, 1)
			require.ErrorIs(t, err, hosts.ErrClosed)
			require.ErrorIs(t, s.Check(background), hosts.ErrClosed)
			wipe(t, wiper)
			require.NoError(t, wiper.Close())
			eventually(t, "no goroutine is left", func() bool { return !strings.Contains(stacks(), "redis/rueidis.") })
		}
	}
}

// stacks are those of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
