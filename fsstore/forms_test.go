//go:build darwin || freebsd || linux

package fsstore_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// refused opens a directory that does not fit, and tells why.
func refused(t *testing.T, o fsstore.Options) string {
	t.Helper()
	_, err := fsstore.Open(o)
	var config *hosts.ConfigError
	require.ErrorAs(t, err, &config)
	require.Equal(t, "Shared", config.Field)
	require.ErrorContains(t, err, o.Dir)
	return err.Error()
}

// A directory keeps the form that it was made with.
func TestFormsAreKeptApart(t *testing.T) {
	for _, shared := range []bool{false, true} {
		dir := t.TempDir()
		s := open(t, fsstore.Options{Dir: dir, Shared: shared})
		other := fsstore.Options{Dir: dir, Shared: !shared}
		what := map[bool]string{false: "holds the segment log of one process", true: "holds a file for each session"}[shared]
		require.Contains(t, refused(t, other), what)
		require.NoError(t, s.Close())
		require.Contains(t, refused(t, other), what)
		require.Contains(t, refused(t, other), map[bool]string{false: "false (file:)", true: "true (file+shared:)"}[shared])
		open(t, fsstore.Options{Dir: dir, Shared: shared})
	}
}

// Directories of a file for each session are older than the mark of the form.
func TestFormWithoutItsMark(t *testing.T) {
	dir := t.TempDir()
	s := open(t, fsstore.Options{Dir: dir, Shared: true})
	r := core.Record{ID: core.ID{0x77, 1}, Version: 1, Sealed: []byte("old")}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	require.NoError(t, s.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "file-per-session")))
	require.Contains(t, refused(t, fsstore.Options{Dir: dir}), "holds a file for each session")
	s = open(t, fsstore.Options{Dir: dir, Shared: true})
	got, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, r, got)
	require.FileExists(t, filepath.Join(dir, "file-per-session"))
}

func TestOneLogHasOneProcess(t *testing.T) {
	dir := t.TempDir()
	open(t, fsstore.Options{Dir: dir})
	require.Contains(t, refused(t, fsstore.Options{Dir: dir}), "is open in another process, and a log has one process: stop that one")
	shared := t.TempDir()
	open(t, fsstore.Options{Dir: shared, Shared: true})
	open(t, fsstore.Options{Dir: shared, Shared: true})
}
