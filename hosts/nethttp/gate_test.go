package nethttp_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
)

// await returns what comes from a channel, soon.
func await[T any](t *testing.T, c <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(patience):
		t.Error("waited in vain")
	}
	return value
}

// telling tells when Host.Handler has returned or panicked.
func telling(ended chan<- bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { ended <- true }()
			next.ServeHTTP(w, r)
		})
	}
}

// gate stops the first call of a verb, before it is done or after.
type gate struct {
	arrived, opened chan struct{}
	taken           atomic.Bool
}

func newGate() *gate { return &gate{arrived: make(chan struct{}), opened: make(chan struct{})} }

// pass stops the first that comes here until the gate is opened.
func (g *gate) pass() {
	if !g.taken.Swap(true) {
		close(g.arrived)
		<-g.opened
	}
}

func (s *site) stopBefore(verb conformance.Verb) *gate {
	g := newGate()
	s.faults(func(_ int, v conformance.Verb) conformance.Fault {
		if v == verb {
			g.pass()
		}
		return conformance.Pass
	})
	return g
}

func (s *site) stopAfter(verb conformance.Verb) *gate {
	g := newGate()
	f := func(v conformance.Verb) {
		if v == verb {
			g.pass()
		}
	}
	s.after.Store(&f)
	return g
}
