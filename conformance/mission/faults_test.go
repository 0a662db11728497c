package mission

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// fault is a backend's store that a test can take down, and whose calls are
// counted.
type fault struct {
	hosts.Store
	hosts.Sweeper
	hosts.Finder
	fail  atomic.Bool
	loads atomic.Int64
	saves atomic.Int64
}

func newFault(store hosts.Store) *fault {
	f := new(fault)
	faulty := conformance.Faulty(store, func(_ int, verb conformance.Verb) conformance.Fault {
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
	f.Store, f.Sweeper, f.Finder = faulty, faulty.(hosts.Sweeper), faulty.(hosts.Finder)
	return f
}

// sweeps counts the cleanups that a manager does by itself in some time, which
// passes at once.
func sweeps(t *testing.T, b backend, c hosts.Config, during time.Duration) (n int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Key = key
		done := make(chan struct{})
		c.OnEvent = func(e hosts.Event) {
			if e.Kind == hosts.EventSwept {
				n++
			}
		}
		m, err := hosts.New(b.open(t, t.TempDir()), c)
		require.NoError(t, err)
		time.AfterFunc(during, func() { close(done) })
		<-done
		require.NoError(t, m.Close())
	})
	return n
}
