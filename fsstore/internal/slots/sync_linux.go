package slots

import (
	"errors"
	"os"
	"syscall"
)

// datasync puts the contents of a file on the disk without its times, which
// would cost a second write elsewhere.
func datasync(file *os.File) error {
	conn, err := file.SyscallConn()
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
