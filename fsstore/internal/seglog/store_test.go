//go:build darwin || freebsd || linux

package seglog

import (
	"log/slog"
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// kitStore shows the kit the batches, too, that the coalescer hands over.
type kitStore struct {
	*Store
	hosts.Batcher
}

func TestConformance(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		s := open(t, Options{Dir: t.TempDir()})
		return kitStore{s, batched{s}}
	})
}

func TestConformanceFast(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		s := open(t, Options{Dir: t.TempDir(), Fast: true, Segment: 32 << 10})
		return kitStore{s, batched{s}}
	})
}

// quiet is for tests that damage a log on purpose.
var quiet = slog.New(slog.DiscardHandler)
