//go:build unix

package sqlite_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
)

// TestRootLocksNobodyOut: what a command of root's makes in the directory of
// another user is that user's, while it is open and afterwards.
func TestRootLocksNobodyOut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT TESTED: files that root makes; run the tests as root")
	}
	home, err := os.MkdirTemp("", "owner") // whose way is open to nobody
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(home)) })
	require.NoError(t, os.Chown(home, nobody, nobody))
	dir := filepath.Join(home, "var", "lib")
	path := filepath.Join(dir, "sessions.db")
	usable := []string{"open: <nil>", "load: <nil>"}
	for range 2 { // the second time the database is there, and the others are not
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.NoError(t, err)
		require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
		for _, made := range []string{filepath.Dir(dir), dir, path, path + "-wal", path + "-shm"} {
			info, err := os.Stat(made)
			require.NoError(t, err)
			is := info.Sys().(*syscall.Stat_t)
			require.Equal(t, []uint32{nobody, nobody}, []uint32{is.Uid, is.Gid}, made)
		}
		require.Equal(t, usable, asVisitor(t, path))
		require.NoError(t, s.Close())
		require.Equal(t, usable, asVisitor(t, path))
	}
}

// TestAFileThatCannotBeMadeIsTold: nothing was there that could be restored.
func TestAFileThatCannotBeMadeIsTold(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: a filesystem without room for files; there is no /proc here")
	}
	for _, path := range []string{"/proc/x", "/proc/x/sessions.db"} {
		_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.ErrorContains(t, err, "cannot be created there")
		require.NotContains(t, err.Error(), "removed")
	}
}
