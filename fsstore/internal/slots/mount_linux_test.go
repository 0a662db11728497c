package slots_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/stretchr/testify/require"
)

func mountTmpfs(dir, options string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options)
}

func unmount(dir string) error { return syscall.Unmount(dir, 0) }

func remountReadOnly(dir string) error {
	return syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

// When the power fails, a disk keeps what was synced and nothing else. The disk
// here lies in a file: a copy of that, made while it is mounted, is such a disk.
// Each step is the last before a failure of its own, because on ext4 every sync
// also saves the steps before it.
func TestPowerFailure(t *testing.T) {
	one := core.Record{ID: shared, Version: 1, Sealed: []byte("one")}
	two := core.Record{ID: shared, Version: 2, Sealed: []byte("two")}
	beside := core.Record{ID: core.ID{0x77, 2}, Version: 3, Sealed: []byte("beside")}
	disk, dir := imageDisk(t)
	path := filepath.Join("a", "b", "sessions")
	s := open(t, slots.Options{Dir: filepath.Join(dir, path)})
	after := func(t *testing.T) *slots.Store {
		return open(t, slots.Options{Dir: filepath.Join(mountCopy(t, disk), path)})
	}

	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	requireIntact(t, after(t), one)

	require.NoError(t, s.Save(t.Context(), beside, core.NoVersion))
	requireIntact(t, after(t), beside)

	require.NoError(t, s.Save(t.Context(), two, one.Version))
	requireIntact(t, after(t), two)

	n, err := s.Sweep(t.Context(), 1, 1)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = after(t).Load(t.Context(), two.ID)
	require.ErrorIs(t, err, core.ErrNotFound)

	require.NoError(t, s.Delete(t.Context(), beside.ID))
	_, err = after(t).Load(t.Context(), beside.ID)
	require.ErrorIs(t, err, core.ErrNotFound)

	// A fast save is lost, which shows that the copy is no more than what was
	// synced; but what ends fast has ended.
	require.NoError(t, s.Save(t.Context(), one, core.NoVersion))
	fast := open(t, slots.Options{Dir: filepath.Join(dir, path), Fast: true})
	require.NoError(t, fast.Save(t.Context(), two, one.Version))
	requireIntact(t, s, two)
	requireIntact(t, after(t), one)
	require.NoError(t, fast.Delete(t.Context(), two.ID))
	_, err = after(t).Load(t.Context(), two.ID)
	require.ErrorIs(t, err, core.ErrNotFound)
}

// imageDisk mounts an ext4 filesystem that lies in a file.
func imageDisk(t *testing.T) (disk, dir string) {
	disk, dir = filepath.Join(t.TempDir(), "disk"), t.TempDir()
	require.NoError(t, os.WriteFile(disk, nil, 0o600))
	require.NoError(t, os.Truncate(disk, 8<<20))
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", disk).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: mkfs.ext4: %v %s", err, out)
	}
	// No commits by the clock while the test runs: only syncs write.
	mountLoop(t, disk, dir, "loop,commit=300")
	return disk, dir
}

func mountCopy(t *testing.T, disk string) string {
	copied, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	b, err := os.ReadFile(disk)
	require.NoError(t, err)
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
