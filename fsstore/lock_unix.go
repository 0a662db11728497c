//go:build darwin || freebsd || linux

package fsstore

import (
	"errors"
	"os"
	"syscall"
)

const supported = true

// openFlags: never wait in open or read for the other end of something that is
// no regular file.
const openFlags = syscall.O_NONBLOCK

// tryLock takes the exclusive lock on an open directory, or reports false when
// another process, or another open file of this one, has it.
func tryLock(dir *os.File) (bool, error) {
	err := flock(dir, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// unlock cannot fail on an open file that holds the lock.
func unlock(dir *os.File) { _ = flock(dir, syscall.LOCK_UN) }

func flock(dir *os.File, how int) error {
	conn, err := dir.SyscallConn()
	if err != nil {
		return err
	}
	var locked error
	err = conn.Control(func(fd uintptr) {
		for {
			if locked = syscall.Flock(int(fd), how); locked != syscall.EINTR {
				return
			}
		}
	})
	return errors.Join(err, locked)
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

func isTooManyOpen(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
