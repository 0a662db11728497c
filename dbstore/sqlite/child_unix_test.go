//go:build unix

package sqlite_test

import (
	"errors"
	"os"
	"syscall"
)

func noUmask() { syscall.Umask(0) }

// become gives up the rights of root.
func become(uid int) error {
	if os.Getuid() == uid {
		return nil
	}
	return errors.Join(syscall.Setgid(uid), syscall.Setuid(uid))
}
