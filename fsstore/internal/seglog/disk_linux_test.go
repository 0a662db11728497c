package seglog

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// smallDisk mounts a tmpfs for the test, where that is permitted.
func smallDisk(t *testing.T, options string) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options); err != nil {
		skip(t, "mounting a tmpfs is not permitted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// skip is loud, and not for a CI that can install what is missing.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf("SKIPPED, NOT TESTED: "+format, args...)
}

// fillDisk takes all the room that is left.
func fillDisk(t *testing.T, dir string) (filler string) {
	filler = filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	require.NoError(t, err)
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
	}
	require.NoError(t, f.Close())
	return filler
}

const fullSegment = 64 << 10

// fillLog saves until the disk is full, and returns what was acknowledged.
func fillLog(t *testing.T, s *Store) (all []core.Record, full error) {
	for n := 1; full == nil; n++ {
		r := sample(byte(n), 800)
		r.ID, r.Version, r.ExpiresAt = core.ID{byte(n), byte(n >> 8), 3}, core.Version(n), core.Time(n)
		if full = s.Save(t.Context(), r, core.NoVersion); full == nil {
			all = append(all, r)
		}
	}
	return all, full
}

// On a full disk, what is there can be read and ended, and all goes on when
// there is room again.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "size=1m")
	o := Options{Dir: dir, Segment: fullSegment, Logger: quiet}
	s := open(t, o)
	filler := fillDisk(t, dir)
	all, full := fillLog(t, s)
	require.ErrorIs(t, full, hosts.ErrFull)
	require.NotErrorIs(t, full, hosts.ErrUnknown)
	require.ErrorContains(t, full, dir)
	require.ErrorContains(t, full, "free space")
	require.NotEmpty(t, all)
	for _, r := range all[:len(all)/2] {
		require.NoError(t, s.Delete(t.Context(), r.ID)) // a logout needs no room that is not kept for it
	}
	requireHas(t, s, all[len(all)/2:]...)
	require.NoError(t, s.Close())

	again := open(t, o) // as after a restart
	requireHas(t, again, all[len(all)/2:]...)
	require.NoError(t, os.Remove(filler))
	more := sample(9, 50_000)
	require.Eventually(t, func() bool { return again.Save(t.Context(), more, core.NoVersion) == nil }, time.Minute, spareRetry/10)
	requireHas(t, again, append(all[len(all)/2:], more)...)
}

// Sessions that end on a full disk make room by themselves.
func TestFullDiskIsCompacted(t *testing.T) {
	s := open(t, Options{Dir: smallDisk(t, "size=1m"), Segment: fullSegment, Logger: quiet})
	all, full := fillLog(t, s)
	require.ErrorIs(t, full, hosts.ErrFull)
	require.Greater(t, len(all), 500)
	n, err := s.Sweep(t.Context(), core.Time(len(all)*3/4), 10_000)
	require.NoError(t, err)
	require.Equal(t, len(all)*3/4-1, n)
	more := sample(9, 50_000)
	require.Eventually(t, func() bool {
		err := s.Save(t.Context(), more, core.NoVersion)
		require.True(t, err == nil || errors.Is(err, hosts.ErrFull), "%v", err)
		return err == nil
	}, time.Minute, spareRetry/10)
}

func TestNoInodes(t *testing.T) {
	s := open(t, Options{Dir: smallDisk(t, "nr_inodes=4"), Segment: smallSegment, Logger: quiet})
	all, full := fillLog(t, s) // the directory, its mark, and two segments
	require.ErrorIs(t, full, hosts.ErrFull)
	require.ErrorContains(t, full, "inodes")
	requireHas(t, s, all...)
	require.NoError(t, s.Delete(t.Context(), all[0].ID))
}

func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, "")
	require.NoError(t, open(t, Options{Dir: dir}).Close())
	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	_, err := Open(Options{Dir: dir})
	require.ErrorIs(t, err, hosts.ErrRefused)
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, "mount it writable")
}

// imageDisk mounts an ext4 filesystem that lies in a file of some bytes.
func imageDisk(t *testing.T, in string, size int64) (disk, dir string) {
	disk, dir = filepath.Join(in, "disk"), t.TempDir()
	require.NoError(t, os.WriteFile(disk, nil, 0o600))
	require.NoError(t, os.Truncate(disk, size))
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", disk).CombinedOutput(); err != nil {
		skip(t, "mkfs.ext4: %v %s", err, out)
	}
	// No commits by the clock while the test runs: only syncs write.
	mountLoop(t, disk, dir, "loop,commit=300")
	return disk, dir
}

func mountLoop(t *testing.T, disk, dir, options string) {
	if out, err := exec.Command("mount", "-o", options, disk, dir).CombinedOutput(); err != nil {
		skip(t, "mounting a disk that lies in a file is not permitted here: %v %s", err, out)
	}
	t.Cleanup(func() { require.NoError(t, exec.Command("umount", dir).Run()) })
}

func mountCopy(t *testing.T, disk string) string {
	copied, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	b, err := os.ReadFile(disk)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(copied, b, 0o600))
	mountLoop(t, copied, dir, "loop")
	return dir
}

// When the power fails, a disk keeps what was synced and nothing else. The disk
// here lies in a file: a copy of that, made while it is mounted, is such a disk.
func TestPowerFailure(t *testing.T) {
	disk, dir := imageDisk(t, t.TempDir(), 16<<20)
	path := filepath.Join("a", "b", "sessions")
	o := Options{Dir: filepath.Join(dir, path), Segment: smallSegment, Logger: quiet}
	s := open(t, o)
	after := func(want ...core.Record) {
		t.Helper()
		copied := open(t, Options{Dir: filepath.Join(mountCopy(t, disk), path), Segment: smallSegment, Logger: quiet})
		require.NoError(t, copied.damaged())
		requireHas(t, copied, want...)
		require.NoError(t, copied.Close())
	}
	one, two, three := sample(1, 100), sample(2, 5000), sample(3, 9000)
	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	after(one)
	require.NoError(t, s.Save(t.Context(), two, core.NoVersion))
	after(one, two)
	number := s.active.number
	require.NoError(t, s.Save(t.Context(), three, core.NoVersion)) // a new segment
	require.NotEqual(t, number, s.active.number)
	after(one, two, three)
	require.NoError(t, s.Delete(t.Context(), one.ID))
	after(two, three)
	four := sample(4, 100)
	four.ExpiresAt = 10
	require.NoError(t, s.Save(t.Context(), four, core.NoVersion))
	n, err := s.Sweep(t.Context(), 4, 10) // in one record
	require.NoError(t, err)
	require.Equal(t, 2, n)
	after(four)
	require.NoError(t, s.Close())

	// A fast save is lost, which shows that the copy is no more than what was
	// synced; but what ends fast has ended.
	o.Fast = true
	fast := open(t, o)
	five := sample(5, 100)
	require.NoError(t, fast.Save(t.Context(), five, core.NoVersion))
	requireHas(t, fast, four, five)
	after(four)
	require.NoError(t, fast.Delete(t.Context(), four.ID))
	after(five) // the sync of a deletion takes along what came before it
}

// The power fails while sessions are saved, ended and compacted at full speed: the
// process is killed, and the disk is copied before anything else is written to it.
func TestPowerFailureUnderLoad(t *testing.T) {
	disk, dir := imageDisk(t, t.TempDir(), 32<<20)
	dir = filepath.Join(dir, "sessions")
	var acked churnAcked
	acked.begin()
	for range soak.Rounds(t, 3, 20) {
		acked.runAndKill(t, dir, "durable", 300)
		copied := filepath.Join(mountCopy(t, disk), "sessions")
		checkChurn(t, copied, acked)
	}
	checkChurn(t, dir, acked)
}

// What a killed process wrote and did not sync is whole in memory. Once Open shows
// it, it must be on the disk.
func TestWhatOpenShowsIsOnTheDisk(t *testing.T) {
	disk, dir := imageDisk(t, t.TempDir(), 32<<20)
	o := Options{Dir: filepath.Join(dir, "sessions"), Logger: quiet}
	c := start(t, "fill", o.Dir)
	require.Equal(t, "saved", c.line(t))
	c.kill()
	s := open(t, o)
	found, err := s.Find(t.Context(), everybody, core.ID{}, 1000)
	require.NoError(t, err)
	require.Len(t, found, 20)
	o.Dir = filepath.Join(mountCopy(t, disk), "sessions")
	requireHas(t, open(t, o), found...)
}

// The disk behind the filesystem has less room than it says: what is written is
// in memory, and the sync fails.
func TestFailedSync(t *testing.T) {
	_, dir := imageDisk(t, smallDisk(t, "size=2m"), 32<<20)
	s := open(t, Options{Dir: filepath.Join(dir, "sessions"), Segment: 256 << 10, Logger: quiet})
	all, failed := fillLog(t, s)
	require.ErrorIs(t, failed, hosts.ErrUnavailable)
	require.ErrorContains(t, failed, dir)
	require.NotEmpty(t, all)
	requireHas(t, s, all...)
	next := sample(9, 100)
	require.ErrorIs(t, s.Save(t.Context(), next, core.NoVersion), hosts.ErrUnavailable)
	requireHas(t, s, all...)
}
