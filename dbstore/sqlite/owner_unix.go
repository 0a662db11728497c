//go:build unix

package sqlite

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// give hands what root has just made to an owner: a command that root runs must
// not lock out the server. Where that cannot be done it stays root's. It is never
// done by name, which the owner could make another file's meanwhile.
func give(made *os.File, like fs.FileInfo) {
	owner, ok := like.Sys().(*syscall.Stat_t)
	if ok && os.Geteuid() == 0 && owner.Uid != 0 {
		_ = made.Chown(int(owner.Uid), int(owner.Gid))
	}
}

// giveLike gives the owner of what is at a path.
func giveLike(made *os.File, path string) {
	if info, err := os.Stat(path); err == nil && made != nil {
		give(made, info)
	}
}

// makeOne makes a directory in one that is there.
func makeOne(dir string) error {
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
		give(made, in)
	}
	return made.Close()
}
