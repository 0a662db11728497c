//go:build darwin || freebsd || linux

package seglog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// refuseWrites makes what a segment writes fail: its descriptor is one for reading only
// from now on. It returns the file as it was. Whoever reads it goes on.
func refuseWrites(t *testing.T, g *segment) (writable *os.File) {
	fd, err := syscall.Dup(int(g.file.Fd()))
	require.NoError(t, err)
	readOnly, err := os.Open(g.path)
	require.NoError(t, err)
	require.NoError(t, dup2(int(readOnly.Fd()), int(g.file.Fd())))
	require.NoError(t, readOnly.Close())
	return os.NewFile(uintptr(fd), g.path)
}

// allowWrites undoes refuseWrites.
func allowWrites(t *testing.T, g *segment, writable *os.File) {
	require.NoError(t, dup2(int(writable.Fd()), int(g.file.Fd())))
	require.NoError(t, writable.Close())
}

// A write fails because its file is not open for it any more. Nothing of it counts, the
// next save is written elsewhere, and the log is whole.
func TestFailedWrite(t *testing.T) {
	o := Options{Dir: t.TempDir(), Segment: smallSegment, Logger: quiet}
	s := open(t, o)
	one, two := sample(1, 100), sample(2, 100)
	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	failing := s.active
	file := refuseWrites(t, failing)

	err := s.Save(t.Context(), two, core.NoVersion)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorIs(t, err, hosts.ErrUnknown, "nor can it be erased")
	require.ErrorContains(t, err, failing.path)
	_, err = s.Load(t.Context(), two.ID)
	require.ErrorIs(t, err, core.ErrNotFound)

	// As if the disk had kept it all the same.
	_, err = file.WriteAt(appendRecord(nil, kindPut, &two, failing.salt, failing.end, failing.durable), failing.end)
	require.NoError(t, errors.Join(err, file.Close()))
	three := sample(3, 100)
	require.NoError(t, s.Save(t.Context(), three, core.NoVersion))
	require.NotEqual(t, failing.path, s.active.path, "a segment that failed is written no more")
	got, err := s.Load(t.Context(), one.ID)
	require.NoError(t, err)
	require.Equal(t, one, got)

	require.NoError(t, s.Close())
	again := open(t, o)
	require.NoError(t, again.damaged())
	found, err := again.Find(t.Context(), everybody, core.ID{}, 10)
	require.NoError(t, err)
	require.Equal(t, []core.Record{one, three}, found)
}

// All calls of a write that fails are told, and each may have been decided by
// another of them.
func TestFailedBatch(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Segment: smallSegment, Logger: quiet})
	require.NoError(t, refuseWrites(t, s.active).Close())
	first, second := sample(1, 10), sample(1, 10)
	second.Version = 2
	calls := []op{{do: put, record: first}, {do: put, record: second}, {do: put, record: second, prev: 1}, {do: end, record: first}}
	for _, o := range inOneWrite(s, calls) {
		require.ErrorIs(t, o.err, hosts.ErrUnavailable)
		require.False(t, o.done)
	}
	done := inOneWrite(s, calls[:3])
	require.NoError(t, done[0].err)
	require.ErrorIs(t, done[1].err, core.ErrConflict)
	require.NoError(t, done[2].err)
	got, err := s.Load(t.Context(), first.ID)
	require.NoError(t, err)
	require.Equal(t, second, got)
}

// inOneWrite does ops as calls that wait for the same write.
func inOneWrite(s *Store, ops []op) (done []op) {
	release := hold(s)
	var waiting []*request
	for _, o := range ops {
		q, _ := s.enqueue([]op{o})
		waiting = append(waiting, q)
	}
	release()
	for _, q := range waiting {
		<-q.done
		done = append(done, q.ops[0])
	}
	return done
}

func TestDirectoryRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sessions")
	s := open(t, Options{Dir: dir, Logger: quiet})
	one, two := sample(1, 100), sample(2, 100)
	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	require.NoError(t, os.Rename(dir, dir+".old"))
	refused := func(remedy string) {
		t.Helper()
		for _, err := range []error{s.Save(t.Context(), two, core.NoVersion), s.Delete(t.Context(), one.ID)} {
			require.ErrorIs(t, err, hosts.ErrUnavailable)
			require.ErrorContains(t, err, dir)
			require.ErrorContains(t, err, remedy)
		}
	}
	refused("restore it, or restart")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(1)), nil, 0o600))
	refused("restart the program")
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.Rename(dir+".old", dir))
	require.NoError(t, s.Save(t.Context(), two, core.NoVersion)) // restored
}

func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	_, err := Open(Options{Dir: dir})
	for _, told := range []string{err.Error(), start(t, "open", dir).line(t)} {
		require.Contains(t, told, dir+" is open in another process, and a log has one process: stop that one")
		require.Contains(t, told, `Shared is "false"; allowed: true (file+shared:) in all processes, with a fresh Dir`)
	}
	var refused *hosts.ConfigError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "Shared", refused.Field)
	require.NoError(t, s.Save(t.Context(), sample(1, 10), core.NoVersion))
	require.NoError(t, s.Close())
	require.Equal(t, "open: <nil>", start(t, "open", dir).line(t))
}

// What stands where a segment belongs is not followed, waited for or written.
func TestPlantedFiles(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("not yours"), 0o600))
	for name, plant := range map[string]func(path string) error{
		"link":      func(path string) error { return os.Symlink(secret, path) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		dir := t.TempDir()
		require.NoError(t, open(t, Options{Dir: dir}).Close())
		path := filepath.Join(dir, segmentName(2))
		require.NoError(t, plant(path))
		_, err := Open(Options{Dir: dir})
		require.ErrorIs(t, err, hosts.ErrUnavailable, name)
		require.ErrorContains(t, err, path+" is no regular file; remove it")
		require.NoError(t, os.Remove(path))
		require.NoError(t, plant(filepath.Join(dir, spareNames[1])), name)
		s := open(t, Options{Dir: dir}) // which needs no leave to replace that
		require.NoError(t, s.Save(t.Context(), sample(1, 10), core.NoVersion))
	}
	kept, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.Equal(t, "not yours", string(kept))
}

func TestNewerFormatIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, open(t, Options{Dir: dir}).Close())
	path := filepath.Join(dir, segmentName(1))
	overwrite(t, path, 7, []byte{3})
	require.NoError(t, open(t, Options{Dir: dir}).Close()) // a damaged byte: there are two copies
	overwrite(t, path, secondCopy+7, []byte{3})
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = Open(Options{Dir: dir})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.NotErrorIs(t, err, core.ErrCorrupt)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "has format 3, this program reads up to 2")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after))
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "sessions")
	open(t, Options{Dir: dir})
	for path, mode := range map[string]os.FileMode{"..": 0o700, ".": 0o700, segmentName(1): 0o600, "segment-log": 0o600} {
		info, err := os.Stat(filepath.Join(dir, path))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}
