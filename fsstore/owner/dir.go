package owner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// MkdirAll is os.MkdirAll whose result survives a power failure: each directory is
// synced into the one above, and belongs to the owner of that.
func MkdirAll(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := MkdirAll(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncDir(filepath.Dir(dir))
}

// SyncDir makes the names in a directory survive a power failure. It passes over
// what cannot be opened for a sync: a directory that may be written but not read,
// and all directories of Windows.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) || runtime.GOOS == "windows" {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
