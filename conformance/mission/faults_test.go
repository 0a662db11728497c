package mission

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// fault is a backend's store that a test can take down, and whose calls are
// counted.
type fault struct {
	store hosts.Store
	fail  atomic.Bool
	loads atomic.Int64
	saves atomic.Int64
}

func newFault(store hosts.Store) *fault {
	f := new(fault)
	f.store = conformance.Faulty(store, func(_ int, verb conformance.Verb) conformance.Fault {
		switch verb {
		case conformance.Load:
			f.loads.Add(1)
		case conformance.Save:
			f.saves.Add(1)
		}
		if f.fail.Load() {
			return conformance.Fail
		}
		return conformance.Pass
	})
	return f
}

// sweeps counts the cleanups that a manager does by itself in some time, which
// passes at once.
func sweeps(t *testing.T, b backend, c hosts.Config, during time.Duration) (n int) {
	t.Helper()
	store := outside(t, b.open(t, t.TempDir()))
	synctest.Test(t, func(t *testing.T) {
		c.Key = key
		done := make(chan struct{})
		c.OnEvent = func(e hosts.Event) {
			if e.Kind == hosts.EventSwept {
				n++
			}
		}
		m, err := b.manager(store, c)
		require.NoError(t, err)
		time.AfterFunc(during, func() { close(done) })
		<-done
		require.NoError(t, m.Close())
	})
	return n
}

// elsewhere is a store whose sweeps run outside of the bubble in which time
// passes at once: connections to a server need real time.
type elsewhere struct {
	hosts.Store
	calls chan func()
	done  chan struct{}
}

func outside(t *testing.T, store hosts.Store) hosts.Store {
	if _, ok := hosts.As[hosts.Sweeper](store); !ok {
		return store
	}
	e := elsewhere{store, make(chan func()), make(chan struct{})}
	t.Cleanup(func() { close(e.calls) })
	go func() {
		for call := range e.calls {
			call()
			e.done <- struct{}{}
		}
	}()
	return e
}

func (e elsewhere) Sweep(_ context.Context, before core.Time, limit int) (n int, err error) {
	s, _ := hosts.As[hosts.Sweeper](e.Store)
	e.calls <- func() { n, err = s.Sweep(context.Background(), before, limit) }
	<-e.done
	return n, err
}
