//go:build darwin || freebsd || linux

package slots_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const sharedName = "77010000000000000000000000000000" // of the session shared

var everybody = hosts.Query{AnyTenant: true, AnyUser: true}

func TestModesUnderNoUmask(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "sessions")
	c := start(t, "umask", dir)
	require.Empty(t, c.rest())
	require.NoError(t, c.cmd.Wait())
	for path, mode := range map[string]fs.FileMode{
		"..": 0o700, ".": 0o700, "77": 0o700, filepath.Join("77", sharedName): 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, path))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}

func TestOpenRefuses(t *testing.T) {
	_, err := slots.Open(slots.Options{Dir: "/proc/\x00"})
	require.ErrorContains(t, err, "Dir")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = slots.Open(slots.Options{Dir: file})
	require.ErrorContains(t, err, file)
	public := t.TempDir()
	require.NoError(t, os.Chmod(public, 0o777))
	_, err = slots.Open(slots.Options{Dir: public})
	require.ErrorContains(t, err, "everybody may write it; chmod 0700")
}

// Each planted thing stands where the session's file belongs. None is followed,
// waited for, or taken for the session; Delete removes it.
func TestPlantedFiles(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("not yours"), 0o600))
	other := core.Record{ID: core.ID{0x77, 2}, Version: 1, Sealed: []byte("another session")}
	otherName := "77020000000000000000000000000000"
	for name, plant := range map[string]func(path string) error{
		"link out":       func(path string) error { return os.Symlink(secret, path) },
		"link to nobody": func(path string) error { return os.Symlink("/nowhere/at/all", path) },
		"link beside":    func(path string) error { return os.Symlink(otherName, path) },
		"other session":  func(path string) error { return os.Link(filepath.Join(filepath.Dir(path), otherName), path) },
		"pipe":           func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":      func(path string) error { return os.Mkdir(path, 0o700) },
		"empty":          func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"text":           func(path string) error { return os.WriteFile(path, make([]byte, 5000), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, slots.Options{Dir: dir})
			require.NoError(t, s.Save(t.Context(), other, core.NoVersion))
			path := filepath.Join(dir, "77", sharedName)
			require.NoError(t, plant(path))

			_, err := s.Load(t.Context(), shared)
			require.ErrorIs(t, err, core.ErrCorrupt)
			require.ErrorContains(t, err, path)
			err = s.Save(t.Context(), core.Record{ID: shared, Version: 2}, core.NoVersion)
			require.ErrorIs(t, err, core.ErrCorrupt)
			found, err := s.Find(t.Context(), everybody, core.ID{}, 10)
			require.NoError(t, err)
			require.Equal(t, []core.Record{other}, found)
			n, err := s.Sweep(t.Context(), 0, 10)
			require.Zero(t, n)
			require.ErrorContains(t, err, path)

			require.NoError(t, s.Delete(t.Context(), shared))
			_, err = os.Lstat(path)
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.NoError(t, s.Save(t.Context(), core.Record{ID: shared, Version: 2}, core.NoVersion))
			kept, err := os.ReadFile(secret)
			require.NoError(t, err)
			require.Equal(t, "not yours", string(kept))
		})
	}
}

// What a killed process left half written is replaced, even if it is a link.
func TestLeftoverIsReplaced(t *testing.T) {
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	require.NoError(t, s.Save(t.Context(), core.Record{ID: shared, Version: 1}, core.NoVersion))
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("not yours"), 0o600))
	for i, next := range []core.Record{
		{ID: shared, Version: 2, Sealed: make([]byte, 10_000)}, // outgrows its file
		{ID: core.ID{0x77, 2}, Version: 2},
	} {
		require.NoError(t, os.Symlink(secret, filepath.Join(dir, "77", "new")))
		require.NoError(t, s.Save(t.Context(), next, core.Version(1-i)))
		kept, err := os.ReadFile(secret)
		require.NoError(t, err)
		require.Equal(t, "not yours", string(kept))
		require.NoFileExists(t, filepath.Join(dir, "77", "new"))
	}
	info, err := os.Lstat(filepath.Join(dir, "77", sharedName))
	require.NoError(t, err)
	require.True(t, info.Mode().IsRegular())
}

// A backup of hard links keeps what it had: the session gets a file of its own.
func TestSecondNameIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	r := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	path, backup := filepath.Join(dir, "77", sharedName), filepath.Join(t.TempDir(), "backup")
	require.NoError(t, os.Link(path, backup))
	before, err := os.ReadFile(backup)
	require.NoError(t, err)
	for range 3 {
		prev := r.Version
		r.Version++
		require.NoError(t, s.Save(t.Context(), r, prev))
		requireIntact(t, s, r)
	}
	after, err := os.ReadFile(backup)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestSubdirectoryIsNoLink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	s := open(t, slots.Options{Dir: dir})
	require.NoError(t, s.Save(t.Context(), core.Record{ID: core.ID{0x78}, Version: 1}, core.NoVersion))
	for _, target := range []string{elsewhere, "78"} {
		link := filepath.Join(dir, "77")
		require.NoError(t, os.Symlink(target, link))
		err := s.Save(t.Context(), core.Record{ID: shared, Version: 1}, core.NoVersion)
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.ErrorContains(t, err, link+" is not a directory; remove it")
		_, err = s.Load(t.Context(), shared)
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.NoError(t, os.Remove(link))
	}
	entries, err := os.ReadDir(elsewhere)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// A file that a newer program wrote is a living session: not damaged, not swept,
// and a listing without it would be wrong. One of the format before the first
// release is no damage either. Only Delete removes them.
func TestOtherFormatsAreLeftAlone(t *testing.T) {
	for version, says := range map[byte]string{3: "has format 3, this program reads 2", 1: "has format 1, only written before the first release; delete it"} {
		dir := t.TempDir()
		s := open(t, slots.Options{Dir: dir})
		require.NoError(t, s.Save(t.Context(), core.Record{ID: shared, Version: 1}, core.NoVersion))
		path := filepath.Join(dir, "77", sharedName)
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		b[7], b[len(b)/2+7] = version, version
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_, load := s.Load(t.Context(), shared)
		save := s.Save(t.Context(), core.Record{ID: shared, Version: 2}, 1)
		_, find := s.Find(t.Context(), everybody, core.ID{}, 10)
		_, sweep := s.Sweep(t.Context(), 1, 10)
		for _, err := range []error{load, save, find, sweep} {
			require.ErrorIs(t, err, hosts.ErrUnavailable)
			require.ErrorContains(t, err, path+": "+says)
			require.False(t, errors.Is(err, core.ErrCorrupt))
		}
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, b, after)
		require.NoError(t, s.Delete(t.Context(), shared))
		require.NoFileExists(t, path)
	}
}
