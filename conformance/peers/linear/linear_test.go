package linear_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/peers/linear"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// groups is how many begin in one run.
func groups(t *testing.T) int { return soak.Rounds(t, 5, 12) }

// judged has two halves of the clients use a store by a handle each, and
// checks what they saw.
func judged(t *testing.T, a, b hosts.Store, exact bool) error {
	t.Helper()
	return judgedWithin(t, a, b, exact, 0)
}

func judgedWithin(t *testing.T, a, b hosts.Store, exact bool, timeout time.Duration) error {
	t.Helper()
	n := groups(t)
	var text bytes.Buffer
	log := linear.NewLog(&text)
	w := linear.Work{Seed: seed(t), Clients: 4, Exact: exact, Timeout: timeout, Began: linear.Now(), Groups: n}
	var both sync.WaitGroup
	for name, s := range map[string]hosts.Store{"a": a, "b": b} {
		both.Go(func() {
			mine := w
			mine.Name = name
			mine.Do(t.Context(), log, s)
		})
	}
	both.Wait()
	require.NoError(t, log.Err())
	history, err := linear.Read(&text)
	require.NoError(t, err)
	require.Greater(t, len(history), 8*n, "hardly a call was made")
	t.Log(len(history), "calls")
	return linear.Check(history)
}

func TestLinear(t *testing.T) {
	each(t, func(t *testing.T, b backend, url string) {
		first := opened(t, url)
		second := first
		if b.processes > 1 {
			second = opened(t, url)
		}
		t.Run("as it comes", func(t *testing.T) { require.NoError(t, judged(t, first, second, false)) })
		one, batches := first.(coalesce.Backend)
		if !batches {
			return
		}
		t.Run("behind a coalescer", func(t *testing.T) {
			two := second.(coalesce.Backend)
			require.NoError(t, judged(t, gathered(t, one), gathered(t, two), true))
		})
	})
}

func gathered(t *testing.T, b coalesce.Backend) hosts.Store {
	t.Helper()
	c, err := coalesce.New(b, coalesce.Options{Direct: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// The same seeds, the same runs, on every backend as on the plainest store.
func TestModel(t *testing.T) {
	each(t, func(t *testing.T, b backend, url string) {
		conformance.TestModelShared(t, func(t *testing.T) (one, two hosts.Store) {
			one = opened(t, url)
			if two = one; b.processes > 1 {
				two = opened(t, url)
			}
			return one, two
		})
	})
}
