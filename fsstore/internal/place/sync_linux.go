package place

import (
	"errors"
	"os"
	"syscall"
)

// SyncData makes what was written to f survive a power failure. It leaves out
// the times of the file, which nobody reads: a file that keeps its size costs
// one write of the disk, not two.
func SyncData(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var synced error
	err = conn.Control(func(fd uintptr) {
		for {
			if synced = syscall.Fdatasync(int(fd)); synced != syscall.EINTR {
				return
			}
		}
	})
	return errors.Join(err, synced)
}
