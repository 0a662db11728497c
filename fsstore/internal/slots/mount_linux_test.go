package slots_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func mountTmpfs(dir, options string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options)
}

func unmount(dir string) error { return syscall.Unmount(dir, 0) }

func remountReadOnly(dir string) error {
	return syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

// imageDisk mounts an ext4 filesystem that lies in a new file, disk.
func imageDisk(t *testing.T, disk string, size int64) (dir string) {
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(disk, nil, 0o600))
	require.NoError(t, os.Truncate(disk, size))
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", disk).CombinedOutput(); err != nil {
		require.Empty(t, os.Getenv("CI"), "install e2fsprogs: mkfs.ext4: %v %s", err, out)
		t.Skipf("SKIPPED, NOT TESTED: mkfs.ext4 (install e2fsprogs): %v %s", err, out)
	}
	// No commits by the clock while the test runs: only syncs write.
	mountLoop(t, disk, dir, "loop,commit=300")
	return dir
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
