//go:build unix

package sqlite_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
)

const nobody = 65534

func requireModes(t *testing.T, want fs.FileMode, paths ...string) {
	t.Helper()
	for _, path := range paths {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), path)
	}
}

// Whatever the umask, nobody else can read the files that are made.
func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "sessions.db")
	c := start(t, "open", path)
	require.Empty(t, c.rest())
	require.NoError(t, c.Wait())
	requireModes(t, 0o700, dir, filepath.Dir(dir))
	requireModes(t, 0o600, path)
	s := open(t, path, sqlite.Options{})
	requireModes(t, 0o600, path, path+"-wal", path+"-shm")
	require.NoError(t, s.Close())

	// A mode that was chosen holds for the files beside, too.
	require.NoError(t, os.Chmod(path, 0o660))
	s = open(t, path, sqlite.Options{})
	require.NoError(t, s.Save(t.Context(), sessionTwo, sessionOne.Version))
	requireModes(t, 0o660, path, path+"-wal", path+"-shm")
}

// A link leads to the file, and the other files lie beside that.
func TestLink(t *testing.T) {
	_, path := stored(t, sqlite.Options{})
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	requireHas(t, open(t, link, sqlite.Options{}), sessionOne)
	require.NoFileExists(t, link+"-wal")

	target := filepath.Join(t.TempDir(), "new.db") // which the link is there before
	link = filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(target, link))
	s := open(t, link, sqlite.Options{})
	require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
	requireModes(t, 0o600, target, target+"-wal", target+"-shm")
}

// Names that mean something in a URI or to SQL are names.
func TestNames(t *testing.T) {
	for _, name := range []string{"a b", "50%.db", "what?mode=ro", "#1", "é", "quote'\"", "a&vfs=none", "100%41"} {
		path := filepath.Join(t.TempDir(), name)
		s := open(t, path, sqlite.Options{})
		require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
		requireModes(t, 0o600, path, path+"-wal", path+"-shm")
	}
}

// Files and directories of another user: told at Open, with the path and the remedy.
func TestForeignFile(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"file":        func(path string) error { return os.Chmod(path, 0o444) },
		"unreadable":  func(path string) error { return os.Chmod(path, 0) },
		"directory":   func(path string) error { return os.Chmod(filepath.Dir(path), 0o555) },
		"no way in":   func(path string) error { return os.Chmod(filepath.Dir(path), 0) },
		"no such yet": func(path string) error { return os.Remove(path) },
	} {
		t.Run(name, func(t *testing.T) {
			s, path := stored(t, sqlite.Options{})
			require.NoError(t, s.Close())
			dir := filepath.Dir(path)
			require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
			require.NoError(t, os.Chmod(dir, 0o755))
			require.NoError(t, os.Chmod(path, 0o666))
			require.NoError(t, spoil(path))
			t.Cleanup(func() { require.NoError(t, os.Chmod(dir, 0o755)) })
			said := asVisitor(t, path)
			require.Len(t, said, 1)
			require.Regexp(t, "^open: .*"+path+".*unavailable.*permission denied.*; run all programs", said[0])
		})
	}
}

// asVisitor opens the file as a user without root's powers.
func asVisitor(t *testing.T, path string) []string {
	uid := os.Getuid()
	if uid == 0 {
		uid = nobody
	}
	return start(t, "verbs", path, fmt.Sprint(uid)).rest()
}
