//go:build unix

package sqlite

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rockstar-web/sessions/hosts"
)

// noFollow has a file opened that is no link. Where a link leads is found out
// once, before.
const noFollow = syscall.O_NOFOLLOW

// trusted refuses, for root, a path on which a link is not root's: whoever owns it
// could have root write any file. Each part of the path is looked at, and the files
// beside the database.
func trusted(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for part := path; ; part = filepath.Dir(part) {
		if err := rootsOwn(part); err != nil {
			return err
		}
		if part == filepath.Dir(part) {
			break
		}
	}
	for _, suffix := range append([]string{reserveSuffix}, beside...) {
		if err := rootsOwn(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

func rootsOwn(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return nil // what is not there is made, or its absence is reported where it is needed
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid == 0 {
		return nil
	}
	return fmt.Errorf("dbstore: SQLite: %s is a link that is not root's: %w; root follows no such link: name the file itself, or run as its owner", path, hosts.ErrRefused)
}
