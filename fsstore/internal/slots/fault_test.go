//go:build darwin || freebsd || linux

package slots_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const nobody = 65534

// stored is a store in dir with one session, the one that faults must spare.
func stored(t *testing.T, dir string) (*slots.Store, core.Record) {
	s := open(t, slots.Options{Dir: dir})
	r := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	return s, r
}

func requireIntact(t *testing.T, s *slots.Store, r core.Record) {
	t.Helper()
	got, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, r, got)
}

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "size=256k")
	s, r := stored(t, dir)
	filler := filepath.Join(dir, "filler")
	fillDisk(t, filler)
	next := r
	next.Version, next.Sealed = 2, bytes.Repeat([]byte{2}, 100_000)
	err := s.Save(t.Context(), next, r.Version)
	require.ErrorIs(t, err, hosts.ErrFull)
	require.ErrorContains(t, err, filepath.Join(dir, "77", "new"))
	require.ErrorContains(t, err, "free space")
	requireIntact(t, s, r)
	require.NoFileExists(t, filepath.Join(dir, "77", "new"))
	require.ErrorIs(t, s.Save(t.Context(), core.Record{ID: core.ID{0x78}, Version: 1}, core.NoVersion), hosts.ErrFull)

	again := open(t, slots.Options{Dir: dir}) // as after a restart
	requireIntact(t, again, r)
	for range 3 { // what fits in its file needs no room
		prev := r.Version
		r.Version++
		require.NoError(t, s.Save(t.Context(), r, prev))
		requireIntact(t, again, r)
	}
	next.Version = r.Version + 1
	require.NoError(t, os.Remove(filler))
	require.NoError(t, s.Save(t.Context(), next, r.Version))
	requireIntact(t, again, next)
}

// fillDisk writes a file until there is no room.
func fillDisk(t *testing.T, filler string) {
	f, err := os.Create(filler)
	require.NoError(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
}

func TestNoInodes(t *testing.T) {
	s, r := stored(t, smallDisk(t, "nr_inodes=6"))
	var err error
	for i := byte(0); err == nil; i++ {
		err = s.Save(t.Context(), core.Record{ID: core.ID{0x77, 2, i}, Version: 1}, core.NoVersion)
	}
	require.ErrorIs(t, err, hosts.ErrFull)
	require.ErrorContains(t, err, "inodes")
	requireIntact(t, s, r)
	require.NoError(t, s.Delete(t.Context(), r.ID)) // needs no room
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
}

func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, "")
	s, r := stored(t, dir)
	require.NoError(t, remountReadOnly(dir))
	next := r
	next.Version = 2
	save, deleted := s.Save(t.Context(), next, r.Version), s.Delete(t.Context(), r.ID)
	_, opened := slots.Open(slots.Options{Dir: dir})
	for _, err := range []error{save, deleted, opened} {
		require.ErrorIs(t, err, hosts.ErrRefused)
		require.ErrorContains(t, err, dir)
		require.ErrorContains(t, err, "mount it writable")
	}
	requireIntact(t, s, r)
}

// smallDisk mounts a tmpfs for the test, where that is permitted.
func smallDisk(t *testing.T, options string) string {
	dir := t.TempDir()
	if err := mountTmpfs(dir, options); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: mounting a tmpfs is not permitted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unmount(dir)) })
	return dir
}

// A directory that another user owns: told at Open, with the remedy.
func TestForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	stored(t, dir)
	require.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { require.NoError(t, os.Chmod(dir, 0o755)) })
	told := asVisitor(t, dir)
	require.Len(t, told, 1)
	require.Regexp(t, "^open: fsstore: write in Dir "+dir+": .*unavailable.*permission denied; run all", told[0])
}

// A subdirectory that another user owns: an error in every verb. Not "no such
// session", which would log the visitor out.
func TestForeignSubdirectory(t *testing.T) {
	dir := t.TempDir()
	stored(t, dir)
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(dir, nobody, nobody))
	} else {
		require.NoError(t, os.Chmod(filepath.Join(dir, "77"), 0))
		t.Cleanup(func() { require.NoError(t, os.Chmod(filepath.Join(dir, "77"), 0o700)) })
	}
	told := asVisitor(t, dir)
	require.Len(t, told, 4)
	require.Equal(t, "open: <nil>", told[0])
	for i, verb := range []string{"load", "save", "delete"} {
		require.Regexp(t, "^"+verb+": fsstore: open "+filepath.Join(dir, "77")+": .*unavailable.*permission denied; run all", told[i+1])
	}
}

// asVisitor tries the store as a user without root's powers.
func asVisitor(t *testing.T, dir string) []string {
	uid := os.Getuid()
	if uid == 0 {
		uid = nobody
	}
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	return start(t, "visitor", dir, strconv.Itoa(uid)).rest()
}

func TestDirectoryRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sessions")
	s, r := stored(t, dir)
	next := r
	next.Version = 2
	check := func(remedy string) {
		t.Helper()
		_, load := s.Load(t.Context(), r.ID)
		_, find := s.Find(t.Context(), everybody, core.ID{}, 10)
		_, sweep := s.Sweep(t.Context(), 1, 10)
		for _, err := range []error{load, find, sweep, s.Save(t.Context(), next, r.Version), s.Delete(t.Context(), r.ID)} {
			require.ErrorIs(t, err, hosts.ErrUnavailable)
			require.False(t, errors.Is(err, core.ErrNotFound))
			require.ErrorContains(t, err, dir)
			require.ErrorContains(t, err, remedy)
		}
	}
	require.NoError(t, os.Rename(dir, dir+".old"))
	check("restore it, or restart")
	require.NoError(t, os.Mkdir(dir, 0o700))
	check("restart the program")
	require.NoError(t, os.Remove(dir))
	require.NoError(t, os.Rename(dir+".old", dir))
	requireIntact(t, s, r) // restored
	require.NoError(t, os.RemoveAll(dir))
	check("restore it, or restart")
}

// Who removes a subdirectory ends its sessions; the store goes on.
func TestSubdirectoryRemoved(t *testing.T) {
	dir := t.TempDir()
	s, r := stored(t, dir)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "77")))
	_, err := s.Load(t.Context(), r.ID)
	require.ErrorIs(t, err, core.ErrNotFound)
	require.NoError(t, s.Delete(t.Context(), r.ID))
	next := r
	next.Version = 2
	require.ErrorIs(t, s.Save(t.Context(), next, r.Version), core.ErrConflict)
	require.NoError(t, s.Save(t.Context(), next, core.NoVersion))
	requireIntact(t, open(t, slots.Options{Dir: dir}), next)
}
