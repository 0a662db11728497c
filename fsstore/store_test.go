//go:build darwin || freebsd || linux

package fsstore_test

import (
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

func open(t testing.TB, o fsstore.Options) *fsstore.Store {
	t.Helper()
	s, err := fsstore.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// The packages within run all of the kit on each form.
func TestConformance(t *testing.T) {
	conformance.TestStore(t, func(t *testing.T) hosts.Store {
		return open(t, fsstore.Options{Dir: t.TempDir()})
	}, soak.Unless(t, conformance.Brief())...)
}

func TestConformanceShared(t *testing.T) {
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		o := fsstore.Options{Dir: t.TempDir(), Shared: true, Fast: true}
		return open(t, o), open(t, o)
	}, soak.Unless(t, conformance.Brief())...)
}

func TestDefaultDir(t *testing.T) {
	t.Chdir(t.TempDir())
	s := open(t, fsstore.Options{})
	r := core.Record{ID: core.ID{0x77, 1}, Version: 1}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	require.DirExists(t, "sessions")
	t.Chdir(t.TempDir()) // the program may go elsewhere
	_, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
}
