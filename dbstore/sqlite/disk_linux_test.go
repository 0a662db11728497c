package sqlite_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
)

// When the power fails, a disk keeps what was synced and nothing else. The disk
// here lies in a file: a copy of that, made while it is mounted, is such a disk.
func TestPowerFailure(t *testing.T) {
	disk, dir := imageDisk(t, 16<<20)
	name := filepath.Join("a", "b", "sessions.db")
	s := open(t, filepath.Join(dir, name), sqlite.Options{})
	fast := open(t, filepath.Join(dir, name), sqlite.Options{Fast: true})
	after := func() *sqlite.Store {
		t.Helper()
		return open(t, filepath.Join(mountCopy(t, disk), name), sqlite.Options{})
	}
	beside := core.Record{ID: core.ID{2}, Version: 3, Sealed: []byte("beside")}

	require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
	require.NoError(t, s.Save(t.Context(), beside, core.NoVersion))
	requireHas(t, after(), sessionOne)
	requireHas(t, after(), beside)

	// A fast save is lost, which shows that the copy is no more than what was
	// synced; saved once more it is there, though nothing is written then.
	require.NoError(t, fast.Save(t.Context(), sessionTwo, sessionOne.Version))
	requireHas(t, s, sessionTwo)
	requireHas(t, after(), sessionOne)
	require.NoError(t, s.Save(t.Context(), sessionTwo, sessionOne.Version))
	requireHas(t, after(), sessionTwo)

	// What ends fast has ended.
	require.NoError(t, fast.Delete(t.Context(), beside.ID))
	requireGone(t, after(), beside.ID)

	// A sweep is not synced, but a Delete of what it took away is.
	n, err := fast.Sweep(t.Context(), 1, 1)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	requireHas(t, after(), sessionTwo)
	require.NoError(t, s.Delete(t.Context(), sessionTwo.ID))
	requireGone(t, after(), sessionTwo.ID)

	require.NoError(t, s.Save(t.Context(), beside, core.NoVersion))
	require.NoError(t, s.Delete(t.Context(), beside.ID))
	requireGone(t, after(), beside.ID)
}

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "size=2m")
	path := filepath.Join(dir, "sessions.db")
	s := open(t, path, sqlite.Options{})
	require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
	execute(t, path, "PRAGMA wal_checkpoint")
	filler, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, filler.Close())

	next := sessionTwo
	next.Sealed = bytes.Repeat([]byte{2}, 500_000)
	err = s.Save(t.Context(), next, sessionOne.Version)
	require.ErrorIs(t, err, hosts.ErrFull)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "free space")
	requireHas(t, s, sessionOne)
	for i := range 300 { // in the room that there is, over and over
		small := core.Record{ID: sessionOne.ID, Version: core.Version(100 + i), Sealed: []byte("small")}
		prev := core.Version(99 + i)
		if i == 0 {
			prev = sessionOne.Version
		}
		require.NoError(t, s.Save(t.Context(), small, prev))
	}
	require.NoError(t, s.Delete(t.Context(), sessionOne.ID)) // a visitor can log out
	requireGone(t, s, sessionOne.ID)

	require.NoError(t, os.Remove(filler.Name()))
	require.NoError(t, s.Save(t.Context(), next, core.NoVersion))
	requireHas(t, open(t, path, sqlite.Options{}), next)
}

func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, "")
	path := filepath.Join(dir, "sessions.db")
	s := open(t, path, sqlite.Options{})
	require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
	require.NoError(t, s.Close())
	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "mount it writable")
}

// smallDisk mounts a tmpfs for the test, where that is permitted.
func smallDisk(t *testing.T, options string) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: mounting a tmpfs is not permitted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// imageDisk mounts an ext4 filesystem that lies in a file.
func imageDisk(t *testing.T, size int64) (disk, dir string) {
	disk, dir = filepath.Join(t.TempDir(), "disk"), t.TempDir()
	require.NoError(t, os.WriteFile(disk, nil, 0o600))
	require.NoError(t, os.Truncate(disk, size))
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", disk).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: mkfs.ext4: %v %s", err, out)
	}
	mountLoop(t, disk, dir, "loop,commit=300") // else it syncs by the clock
	return disk, dir
}

func mountCopy(t *testing.T, disk string) string {
	b, err := os.ReadFile(disk)
	require.NoError(t, err)
	copied, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	require.NoError(t, os.WriteFile(copied, b, 0o600))
	mountLoop(t, copied, dir, "loop")
	return dir
}

func mountLoop(t *testing.T, disk, dir, options string) {
	if out, err := exec.Command("mount", "-o", options, disk, dir).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: mounting a disk that lies in a file is not permitted here: %v %s", err, out)
	}
	t.Cleanup(func() { require.NoError(t, exec.Command("umount", dir).Run()) })
}
