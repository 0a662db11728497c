//go:build unix

package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
)

// TestRootFollowsNoLinkOfOthers: a user could have root write any file.
func TestRootFollowsNoLinkOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT TESTED: links that are not root's; run the tests as root")
	}
	for _, at := range []string{"sessions.db", "sessions.db-wal", "sessions.db-shm", "sessions.db-reserve", "."} {
		t.Run(at, func(t *testing.T) {
			victim := filepath.Join(t.TempDir(), "victim")
			home := t.TempDir()
			dir := filepath.Join(home, "app")
			if at == "." {
				require.NoError(t, os.Mkdir(victim, 0o700))
				require.NoError(t, os.Symlink(victim, dir))
				require.NoError(t, os.Lchown(dir, nobody, nobody))
			} else {
				require.NoError(t, os.WriteFile(victim, nil, 0o600))
				require.NoError(t, os.Mkdir(dir, 0o700))
				require.NoError(t, os.Symlink(victim, filepath.Join(dir, at)))
				require.NoError(t, os.Lchown(filepath.Join(dir, at), nobody, nobody))
			}
			_, err := sqlite.Open(t.Context(), filepath.Join(dir, "sessions.db"), sqlite.Options{})
			require.ErrorIs(t, err, hosts.ErrRefused)
			require.ErrorContains(t, err, "not root's")
			if at == "." {
				left, err := os.ReadDir(victim)
				require.NoError(t, err)
				require.Empty(t, left)
				return
			}
			info, err := os.Stat(victim)
			require.NoError(t, err)
			require.Zero(t, info.Size())
		})
	}
}

// TestNoLinkBesideTheDatabaseIsFollowed, whoever's it is: SQLite makes what lies
// beside the file itself.
func TestNoLinkBesideTheDatabaseIsFollowed(t *testing.T) {
	for _, suffix := range []string{"-wal", "-shm", "-reserve"} {
		victim := filepath.Join(t.TempDir(), "victim")
		require.NoError(t, os.WriteFile(victim, []byte("precious"), 0o600))
		path := filepath.Join(t.TempDir(), "sessions.db")
		require.NoError(t, os.Symlink(victim, path+suffix))
		if s, err := sqlite.Open(t.Context(), path, sqlite.Options{}); err == nil { // SQLite removes the log of a new database
			require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
			require.NoError(t, s.Close())
		}
		kept, err := os.ReadFile(victim)
		require.NoError(t, err)
		require.Equal(t, "precious", string(kept), suffix)
	}
}

func TestADirectoryOfEverybodyIsRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o777, 0o1777, 0o702} {
		dir := filepath.Join(t.TempDir(), "open")
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Chmod(dir, mode|os.ModeSticky*(mode>>9)))
		path := filepath.Join(dir, "sessions.db")
		_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.ErrorIs(t, err, hosts.ErrRefused)
		require.ErrorContains(t, err, "chmod 0700")
		require.NoFileExists(t, path+"-wal")
		require.NoError(t, os.Chmod(dir, 0o770)) // a group of servers
		s := open(t, path, sqlite.Options{})
		require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
	}
}
