package coalesce_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// attempt is one save of a caller's and what the caller heard.
type attempt struct {
	r     core.Record
	prev  core.Version
	touch bool
	err   error
}

// Callers of all kinds at once: some leave, some batches fail as a whole. What
// every caller hears is what the backend did with its own call, no more and no
// less; batches keep their bounds.
func TestEveryCallerHearsItsOwnAnswer(t *testing.T) {
	for _, o := range []coalesce.Options{
		{}, {Direct: -1}, {Direct: 4, Workers: 3, BatchCalls: 7}, {Direct: -1, BatchBytes: 200}, {Direct: -1, WaitingCalls: 5},
	} {
		for seed := range uint64(3) {
			b := newBatcher(t)
			c := coalescer(t, b, o)
			failing := rand.New(rand.NewPCG(seed, 7))
			var mu sync.Mutex
			b.fails = func(c command) error {
				mu.Lock()
				defer mu.Unlock()
				if c.many && failing.IntN(4) == 0 {
					return hosts.ErrBatch
				}
				return nil
			}
			var all []*attempt
			var done sync.WaitGroup
			for i := range 30 {
				random := rand.New(rand.NewPCG(seed, uint64(i)))
				done.Go(func() {
					mine := visitor(t.Context(), c, random, i)
					mu.Lock()
					defer mu.Unlock()
					all = append(all, mine...)
				})
			}
			done.Wait()
			require.NoError(t, c.Close())
			judgeAttempts(t, b, o, all)
			if t.Failed() {
				t.Fatalf("bounds %+v, seed %d", o, seed)
			}
		}
	}
}

// visitor saves some sessions, which others save too, again and again, and
// loads them. It leaves every fourth call at some moment.
func visitor(ctx context.Context, c *coalesce.Store, random *rand.Rand, who int) (all []*attempt) {
	for n := range 60 {
		ctx, cancel := context.WithCancel(ctx)
		if random.IntN(4) == 0 {
			go cancel()
		}
		is := record(random.IntN(8), 0)
		is.Version = core.Version(1_000_000 + 1000*who + n)
		a := &attempt{r: is, touch: random.IntN(3) == 0}
		if was, err := c.Load(ctx, is.ID); err == nil {
			a.prev = was.Version
		}
		if a.touch {
			ctx = hosts.TouchContext(ctx)
		}
		a.err = c.Save(ctx, a.r, a.prev)
		cancel()
		all = append(all, a)
	}
	return all
}

func judgeAttempts(t *testing.T, b *batcher, o coalesce.Options, all []*attempt) {
	t.Helper()
	byVersion := map[core.Version]*attempt{}
	for _, a := range all {
		byVersion[a.r.Version] = a
		a.judge(t, b.told[a.r.Version])
	}
	for _, c := range b.seen() {
		sessions, bytes := map[core.ID]bool{}, 0
		for _, s := range c.saves {
			require.False(t, sessions[s.Record.ID], "a session is twice in one batch")
			sessions[s.Record.ID] = true
			bytes += len(s.Record.Sealed)
			a := byVersion[s.Record.Version]
			require.Equal(t, a.r, s.Record)
			require.Equal(t, a.prev, s.Prev)
			require.Equal(t, a.touch, s.Touch || c.touch)
		}
		if o.BatchCalls > 0 {
			require.LessOrEqual(t, len(c.saves), o.BatchCalls)
		}
		if o.BatchBytes > 0 && len(c.saves) > 1 {
			require.LessOrEqual(t, bytes, o.BatchBytes)
		}
	}
}

// judge holds what the caller heard to what the backend told of its save.
func (a *attempt) judge(t *testing.T, told []error) {
	t.Helper()
	for _, err := range told[:max(len(told)-1, 0)] {
		require.ErrorIs(t, err, hosts.ErrBatch, "it was done again, though it was known to have failed")
	}
	switch {
	case errors.Is(a.err, hosts.ErrUnknown):
		require.ErrorIs(t, a.err, context.Canceled)
	case len(told) == 0:
		require.True(t, errors.Is(a.err, hosts.ErrBusy) || errors.Is(a.err, context.Canceled), "answered without being asked: %v", a.err)
	default: // the very same error, a conflict or the end of a direct call's context
		require.Equal(t, told[len(told)-1], a.err)
	}
}
