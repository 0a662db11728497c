package sessionctl

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

func memory(t *testing.T, n uint32) *cachestore.Store {
	t.Helper()
	s, err := cachestore.Open(cachestore.Options{MaxUserBytes: cachestore.DefaultMaxBytes})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for i := range n {
		require.NoError(t, s.Save(t.Context(), record(i, "u", ""), core.NoVersion))
	}
	return s
}

// counting notes the limits that Find is asked with.
type counting struct {
	*cachestore.Store
	limits []int
}

func (c *counting) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	c.limits = append(c.limits, limit)
	return c.Store.Find(ctx, q, after, limit)
}

func TestPagesFollowTheSizeOfSessions(t *testing.T) {
	everything := hosts.Query{AnyTenant: true, AnyUser: true}
	for _, c := range []struct {
		size, n int
		limits  []int
	}{
		{0, 0, []int{100}},
		{100, 100, []int{100, 1000}},
		{100, 2500, []int{100, 1000, 1000, 1000}},
		{1 << 20, 110, []int{100, 3, 3, 3, 3}},
	} {
		s := &counting{Store: memory(t, 0)}
		for i := range uint32(c.n) {
			r := record(i, "", "")
			r.Sealed = make([]byte, c.size)
			r.User = "u"
			require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		}
		seen := 0
		for _, err := range walk(t.Context(), s, everything) {
			require.NoError(t, err)
			seen++
		}
		require.Equal(t, c.n, seen)
		require.Equal(t, c.limits, s.limits)
	}
}

func TestWalkTellsWhatStopsIt(t *testing.T) {
	walked := func(s hosts.Store) (n int, last error) {
		for _, err := range walk(t.Context(), s, hosts.Query{AnyTenant: true, AnyUser: true}) {
			if last = err; err == nil {
				n++
			}
		}
		return n, last
	}
	_, err := walked(struct{ hosts.Store }{memory(t, 1)})
	require.ErrorIs(t, err, hosts.ErrNoFinder)
	n, err := walked(conformance.Faulty(memory(t, 500), func(call int, _ conformance.Verb) conformance.Fault {
		if call == 1 {
			return conformance.Fail
		}
		return conformance.Pass
	}))
	require.Equal(t, firstPage, n)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
}

func some(n uint32) iter.Seq2[core.Record, error] {
	return func(yield func(core.Record, error) bool) {
		for i := range n {
			if !yield(record(i, "u", ""), nil) {
				return
			}
		}
	}
}

func TestEachWaitsForWhatItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		var done atomic.Int32
		result := make(chan error)
		go func() {
			result <- each(ctx, some(1000), workers, func(call context.Context, _ core.Record) error {
				<-release
				if call.Err() == nil { // an interrupt does not reach what was begun
					done.Add(1)
				}
				return nil
			})
		}()
		synctest.Wait() // all workers are busy
		cancel()
		synctest.Wait()
		close(release)
		require.ErrorIs(t, <-result, context.Canceled)
		require.EqualValues(t, workers, done.Load())
	})
}

func TestEachStopsAtTheFirstError(t *testing.T) {
	bad := errors.New("bad")
	var mu sync.Mutex
	called := 0
	err := each(t.Context(), some(100_000), workers, func(context.Context, core.Record) error {
		mu.Lock()
		defer mu.Unlock()
		if called++; called == 10 {
			return bad
		}
		return nil
	})
	require.ErrorIs(t, err, bad)
	require.Less(t, called, 50_000)

	// What cannot be read is never handed on.
	err = each(t.Context(), func(yield func(core.Record, error) bool) { yield(core.Record{}, bad) }, workers, func(_ context.Context, r core.Record) error {
		t.Error("called with", r)
		return nil
	})
	require.ErrorIs(t, err, bad)
	require.NoError(t, each(t.Context(), some(0), workers, nil))
}

func TestEndAllGivesUpOnSessionsThatKeepAppearing(t *testing.T) {
	s := &undying{memory(t, 3)}
	n, err := endAll(t.Context(), s, hosts.Query{AnyTenant: true, AnyUser: true}, &meter{})
	require.ErrorIs(t, err, hosts.ErrBusy)
	require.Equal(t, 3*maxPasses, n)
}

// undying acknowledges deletes, and others log in as fast.
type undying struct{ *cachestore.Store }

func (*undying) Delete(context.Context, core.ID) error { return nil }
