package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/fsstore/owner"
	"github.com/rockstar-web/sessions/hosts"
)

// beside are the files of a database, by what their names have behind its own:
// itself, the log of what was written, the index of the log.
var beside = []string{"", "-wal", "-shm"}

// checkEvery is how often a file is looked for while it is in use.
const checkEvery = 100 * time.Millisecond

// file is a database as the operating system knows it.
type file struct {
	path string // absolute, without symbolic links
	mode fs.FileMode

	infos   []fs.FileInfo // of beside, when all is open
	log     *os.File      // the log again, for its sync
	start   time.Time
	checked atomic.Int64 // nanoseconds from start to the last look
	closing atomic.Bool  // then there is nothing to look for
	release sync.Once
}

// openFile makes a database file and its directory if they are missing.
func openFile(name string) (*file, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, fail("open", name, err)
	}
	if err := trusted(path); err != nil {
		return nil, err
	}
	err = owner.MkdirAll(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("dbstore: SQLite: the directory of %s cannot be created there: %w: %w; name another path", path, hosts.ErrUnavailable, err)
	}
	if err != nil {
		return nil, fail("create the directory of", path, err)
	}
	f := &file{path: path, start: time.Now()}
	if err := f.create(); err != nil {
		return nil, err
	}
	if err := private(filepath.Dir(f.path)); err != nil {
		return nil, err
	}
	return f, f.claimIndex()
}

func (f *file) create() error {
	file, err := f.openOrMake()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dbstore: SQLite: %s cannot be created there: %w: %w; name another path", f.path, hosts.ErrUnavailable, err)
	}
	if err != nil {
		return fail("open", f.path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fail("open", f.path, err)
	}
	f.mode = info.Mode().Perm()
	if n, ok := beginsLikeADatabase(file); !ok {
		return fmt.Errorf("dbstore: SQLite: %s begins with %d bytes that are not those of a database: %w; name another path", f.path, n, hosts.ErrUnavailable)
	}
	// SQLite follows links, too, and has the other files beside their target.
	target, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return fail("open", f.path, err)
	}
	f.path = target
	if err := owner.SyncDir(filepath.Dir(f.path)); err != nil {
		return fail("sync the directory of", f.path, err)
	}
	return nil
}

// openOrMake finds a link that leads nowhere, too, and makes its target.
func (f *file) openOrMake() (*os.File, error) {
	made, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if !errors.Is(err, fs.ErrExist) {
		giveLike(made, filepath.Dir(f.path))
		return made, err
	}
	return os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600)
}

// private refuses a directory in which anybody could replace the files, or put
// others beside them.
func private(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fail("look for", dir, err)
	}
	if runtime.GOOS != "windows" && info.Mode()&0o002 != 0 {
		return fmt.Errorf("dbstore: SQLite: the directory %s has mode %v: everybody may write it: %w; chmod 0700, or name a file in a directory beneath it", dir, info.Mode(), hosts.ErrRefused)
	}
	return nil
}

// giveLike gives a file to the owner of what is at a path.
func giveLike(made *os.File, path string) {
	if info, err := os.Stat(path); err == nil && made != nil {
		owner.Give(made, info)
	}
}

// beginsLikeADatabase holds also for an empty file, and for one with zeros: there
// another process is about to write.
func beginsLikeADatabase(file io.Reader) (read int, ok bool) {
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	n, err := io.ReadFull(file, head)
	return n, err == io.EOF || err == nil && (string(head) == magic || bytes.Count(head, []byte{0}) == len(head))
}

// claimIndex makes the index of the log, which SQLite would make without regard
// to the mode and the owner of the database. It takes them into account for the
// log itself.
func (f *file) claimIndex() error {
	index, err := os.OpenFile(f.path+"-shm", os.O_RDWR|os.O_CREATE|os.O_EXCL, f.mode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fail("create", f.path+"-shm", err)
	}
	giveLike(index, f.path)
	return errors.Join(index.Chmod(f.mode), index.Close()) // the umask may have taken from it
}

// opened notes the files that the connections have open.
func (f *file) opened() error {
	for _, suffix := range beside {
		info, err := os.Stat(f.path + suffix)
		if err != nil {
			return fail("open", f.path+suffix, err)
		}
		f.infos = append(f.infos, info)
	}
	var err error
	if f.log, err = os.OpenFile(f.path+"-wal", os.O_RDWR|noFollow, 0); err != nil {
		return fail("open", f.path+"-wal", err)
	}
	return nil
}

// still refuses to go on with files that were removed or replaced: what is
// written there now would be lost with the last connection, and other
// processes would not see it.
func (f *file) still() error {
	now := int64(time.Since(f.start))
	if now < f.checked.Load()+int64(checkEvery) || f.closing.Load() {
		return nil
	}
	if err := f.same(); err != nil {
		return err
	}
	f.checked.Store(now)
	return nil
}

// same is still, and looks now.
func (f *file) same() error {
	for i, suffix := range beside {
		info, err := os.Stat(f.path + suffix)
		if err != nil {
			return fail("look for", f.path+suffix, err)
		}
		if !os.SameFile(info, f.infos[i]) {
			return fmt.Errorf("dbstore: SQLite: %s was replaced while in use: %w; restart the program", f.path+suffix, hosts.ErrUnavailable)
		}
	}
	return nil
}

// sync puts everything that is in the log on the disk.
func (f *file) sync() error { return f.log.Sync() }

// close may be called again.
func (f *file) close() (err error) {
	f.release.Do(func() {
		if f.log != nil {
			err = f.log.Close()
		}
	})
	return err
}
