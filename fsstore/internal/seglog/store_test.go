//go:build darwin || freebsd || linux

package seglog

import (
	"context"
	"log/slog"
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// kitStore shows the kit the batches, too, that the coalescer hands over. That
// has checked the records.
type kitStore struct{ *Store }

func (k kitStore) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	return batched(k).LoadMany(ctx, ids)
}

func (k kitStore) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	errs := make([]error, len(saves))
	var good []hosts.Saving
	for i := range saves {
		if errs[i] = saves[i].Record.Check(); errs[i] == nil {
			good = append(good, saves[i])
		}
	}
	done := batched(k).SaveMany(ctx, good)
	for i := range errs {
		if errs[i] == nil {
			errs[i], done = done[0], done[1:]
		}
	}
	return errs
}

func TestConformance(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		s := open(t, Options{Dir: t.TempDir()})
		return kitStore{s}
	})
}

func TestConformanceFast(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		s := open(t, Options{Dir: t.TempDir(), Fast: true, Segment: 32 << 10})
		return kitStore{s}
	}, soak.Unless(t, conformance.Brief())...)
}

// quiet is for tests that damage a log on purpose.
var quiet = slog.New(slog.DiscardHandler)
