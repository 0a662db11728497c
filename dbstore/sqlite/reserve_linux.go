package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// allocate takes room without writing it, where the filesystem can.
func allocate(file *os.File, from, n int64) error {
	err := syscall.Fallocate(int(file.Fd()), 0, from, n)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		_, err = file.WriteAt(make([]byte, n), from)
	}
	return err
}
