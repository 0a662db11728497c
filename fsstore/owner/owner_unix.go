//go:build unix

package owner

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Give hands what root has just made to the owner of another file, as a rule the
// directory that it was made in. It is never done by name, which the owner could
// make another file's meanwhile.
func Give(made *os.File, like fs.FileInfo) {
	owner, ok := like.Sys().(*syscall.Stat_t)
	if ok && os.Geteuid() == 0 && owner.Uid != 0 {
		_ = made.Chown(int(owner.Uid), int(owner.Gid))
	}
}

// Mkdir makes a directory, for its owner alone, in one that is there and whose
// owner becomes its own.
func Mkdir(dir string) error {
	if os.Geteuid() != 0 {
		return os.Mkdir(dir, 0o700)
	}
	above, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer above.Close()
	if err := above.Mkdir(filepath.Base(dir), 0o700); err != nil {
		return err
	}
	in, err := above.Stat(".")
	if err != nil {
		return err
	}
	made, err := above.Open(filepath.Base(dir))
	if err != nil {
		return err
	}
	if is, err := made.Stat(); err == nil && is.IsDir() {
		Give(made, in)
	}
	return made.Close()
}
