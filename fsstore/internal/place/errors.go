package place

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var (
	ErrClosed = fmt.Errorf("fsstore: %w", hosts.ErrClosed)
	// ErrNewer is not core.ErrCorrupt: the session lives, in a newer program.
	ErrNewer = fmt.Errorf("written by a newer program, upgrade this one: %w", hosts.ErrUnavailable)
)

// Fail gives an error of the operating system its kind and its remedy.
func Fail(doing, path string, err error) error {
	kind, remedy := hosts.ErrUnavailable, "look at the disk and its logs"
	switch {
	case IsFull(err):
		kind, remedy = hosts.ErrFull, "free space or inodes on its disk, raise the quota, or sweep expired sessions"
	case isReadOnly(err):
		kind, remedy = hosts.ErrRefused, "mount it writable, or choose another directory"
	case errors.Is(err, fs.ErrPermission):
		kind, remedy = hosts.ErrRefused, "run all programs that share it as the user that owns it, with mode 0700"
	case errors.Is(err, fs.ErrNotExist):
		remedy = "it was removed while in use; restore it, or restart the program"
	case isTooManyOpen(err):
		remedy = "raise the limit of open files (ulimit -n)"
	}
	return fmt.Errorf("fsstore: %s %s: %w: %w; %s", doing, path, kind, err, remedy)
}

// Unavailable is for what the operating system sees nothing wrong with.
func Unavailable(path, trouble string) error {
	return fmt.Errorf("fsstore: %s %s: %w", path, trouble, hosts.ErrUnavailable)
}

// Damaged says what is wrong with the bytes of a file.
func Damaged(reason string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(reason, args...), core.ErrCorrupt)
}
