//go:build darwin || freebsd || linux

package place

import (
	"errors"
	"os"
	"syscall"
)

const supported = true

// OpenFlags: never wait in open or read for the other end of something that is
// no regular file.
const OpenFlags = syscall.O_NONBLOCK

// TryLock takes the exclusive lock on an open directory, or reports false when
// another process, or another open file of this one, has it.
func TryLock(dir *os.File) (bool, error) { return try(dir, syscall.LOCK_EX) }

func try(dir *os.File, how int) (bool, error) {
	err := flock(dir, how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// lockFor takes the lock of a whole directory: a log alone, slots with others.
func lockFor(dir *os.File, form Form) (bool, error) {
	if form == Log {
		return TryLock(dir)
	}
	return try(dir, syscall.LOCK_SH)
}

// Unlock cannot fail on an open file that holds the lock.
func Unlock(dir *os.File) { _ = flock(dir, syscall.LOCK_UN) }

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

func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

func isTooManyOpen(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
