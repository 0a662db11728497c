package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// Two handles lock each other out as two processes do.
func TestConformance(t *testing.T) {
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		path := filepath.Join(t.TempDir(), "sessions.db")
		return open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	})
}

func TestConformanceFast(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		return open(t, filepath.Join(t.TempDir(), "sessions.db"), sqlite.Options{Fast: true})
	}, soak.Unless(t, conformance.Brief())...)
}

func open(t testing.TB, path string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
