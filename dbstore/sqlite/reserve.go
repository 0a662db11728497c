package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/fsstore/owner"
)

// A reserve is a file that takes room on the disk, to be given back for ends of
// sessions when there is no other. SQLite needs room to delete: for the log, and
// then for the pages that a full disk has kept from moving out of the log into the
// database. While the reserve is not whole, the database does not grow, so that
// its log can always be moved.
type reserve struct {
	path string
	mode fs.FileMode
	like string // its owner is the reserve's

	mu      sync.Mutex
	size    int64     // seen when it was looked for; -1: there was never room for one
	looked  time.Time // when that was
	refused time.Time // when it could not be made whole
}

const (
	reserveSuffix = "-reserve" // behind the database's name

	// reserveSize is the log when its content is moved, and half of that: for
	// pages of others that write meanwhile.
	reserveSize  = logPages * pageSize * 3 / 2
	reserveStep  = 1 << 20 // bytes that are asked for at once
	reserveRetry = time.Second
)

// open makes the reserve whole. A disk that has no room for one from the start has
// none.
func (r *reserve) open() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := os.Lstat(r.path)
	fresh := errors.Is(err, fs.ErrNotExist)
	err = r.fill()
	if fresh && isFull(err) {
		r.size = -1
		return os.Remove(r.path)
	}
	if isFull(err) {
		return nil
	}
	return err
}

// fill asks for what the file lacks. What it gets it keeps.
func (r *reserve) fill() error {
	file, err := os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|noFollow, r.mode)
	if err != nil {
		return fail("open", r.path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fail("look for", r.path, err)
	}
	if above, err := os.Stat(r.like); err == nil && info.Size() == 0 {
		owner.Give(file, above)
	}
	r.looked = time.Now()
	for r.size = info.Size(); r.size < reserveSize; r.size += reserveStep {
		if err := allocate(file, r.size, reserveStep); err != nil {
			r.refused = r.looked
			return errors.Join(fail("keep room in", r.path, err), file.Truncate(r.size))
		}
	}
	return nil
}

// release gives the room back, and reports whether there was any.
func (r *reserve) release() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	info, err := os.Lstat(r.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return false, nil
	}
	r.size, r.looked, r.refused = 0, time.Now(), time.Now()
	if err == nil {
		err = empty(r.path)
	}
	if err != nil {
		return false, fail("give back", r.path, err)
	}
	return true, nil
}

// empty syncs, since the room is there when that is on the disk.
func empty(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|noFollow, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(0), file.Sync(), file.Close())
}

// close tries to take back what was released: the log has just left its room.
func (r *reserve) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size >= 0 && r.size < reserveSize {
		_ = r.fill() // the next to open it tries again
	}
}

// whole reports whether the database may grow. It looks now and then, since others
// may have released the reserve, and tries to make it whole again.
func (r *reserve) whole() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.size >= 0 && now.Sub(r.looked) >= checkEvery {
		r.looked = now
		if info, err := os.Lstat(r.path); err == nil {
			r.size = info.Size()
		}
	}
	if r.size >= 0 && r.size < reserveSize && now.Sub(r.refused) >= reserveRetry {
		_ = r.fill() // until then the database does not grow
	}
	return r.size < 0 || r.size >= reserveSize
}
