package slots

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// newName is that of the file that the holder of the lock is writing. Those of
// sessions are 32 hex digits.
const newName = "new"

// folder is an open subdirectory. Whoever has the lock on it may change the names
// in it.
type folder struct {
	path  string
	root  *os.Root
	dir   *os.File // for flock, listing and sync
	info  fs.FileInfo
	named atomic.Bool // its own name in the root is on the disk
}

func (f *folder) close() error { return errors.Join(f.dir.Close(), f.root.Close()) }

// fileName is lower-case hex, so that a filesystem which ignores case keeps two
// sessions apart, and so that names sort as IDs do.
func fileName(id core.ID) string { return hex.EncodeToString(id[:]) }

// idOf returns the session whose file name is that in folder b; false for any
// other name.
func idOf(name string, b byte) (id core.ID, ok bool) {
	if len(name) != 2*len(id) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(name))
	return id, err == nil && id[0] == b && fileName(id) == name
}

// folder returns the subdirectory of byte b; nil when there is none and create
// is false. Each call asks the path again: a directory that was removed, moved
// or unmounted while it was open would otherwise be written to, or would make
// every session look ended.
func (s *Store) folder(b byte, create bool) (*folder, error) {
	name := hex.EncodeToString([]byte{b})
	path := filepath.Join(s.Path, name)
	info, err := os.Lstat(path)
	if f := s.folders[b].Load(); f != nil && err == nil && os.SameFile(info, f.info) {
		return f, nil
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	if err := s.Still(); err != nil {
		return nil, err
	}
	made := false
	if create {
		err := s.Root.Mkdir(name, 0o700)
		if made = err == nil; !made && !errors.Is(err, fs.ErrExist) {
			return nil, place.Fail("create", path, err)
		}
	}
	return s.openFolder(b, name, path, made)
}

func (s *Store) openFolder(b byte, name, path string, made bool) (*folder, error) {
	info, err := s.Root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, place.Fail("open", path, err)
	}
	if f := s.folders[b].Load(); f != nil && os.SameFile(info, f.info) {
		return f, nil // opened by another call meanwhile
	}
	if !info.IsDir() {
		return nil, place.Unavailable(path, "is not a directory; remove it")
	}
	f := &folder{path: path}
	if f.root, err = s.Root.OpenRoot(name); err != nil {
		return nil, place.Fail("open", path, err)
	}
	if f.dir, err = f.root.Open("."); err != nil {
		return nil, place.Fail("open", path, errors.Join(err, f.root.Close()))
	}
	if f.info, err = f.dir.Stat(); err != nil {
		return nil, place.Fail("open", path, errors.Join(err, f.close()))
	}
	if !os.SameFile(info, f.info) { // a link was put there after Lstat
		return nil, errors.Join(place.Unavailable(path, "was replaced while it was opened; look who writes there"), f.close())
	}
	if made {
		s.Give(f.dir)
	}
	// One that this replaces may still be in use; the collector closes it.
	s.folders[b].Store(f)
	return f, nil
}

// lock returns the folder of byte b when this call alone, in all processes, may
// add, replace or remove names in it, and what gives it back; nil when there is no
// folder and create is false. It waits until the context or the store ends.
// Whoever has it may then hold a file; never the other way round.
func (s *Store) lock(ctx context.Context, b byte, create bool) (*folder, func(), error) {
	if err := s.wait(ctx, s.gates[b]); err != nil {
		return nil, nil, err
	}
	leave := func() { <-s.gates[b] }
	f, err := s.folder(b, create)
	for err == nil && f != nil {
		if err = s.flock(ctx, f.dir, f.path); err != nil {
			break
		}
		// The lock that we waited for may be that of a directory which was
		// removed meanwhile.
		var now *folder
		if now, err = s.folder(b, create); now == f && err == nil && ctx.Err() == nil {
			return f, func() { place.Unlock(f.dir); leave() }, nil
		}
		place.Unlock(f.dir)
		if err == nil && ctx.Err() != nil {
			err = fmt.Errorf("fsstore: %w", ctx.Err())
		}
		f = now
	}
	leave()
	return nil, nil, err
}

// flock asks again and again instead of blocking in the kernel: a thread that
// waits there cannot be called back when the context ends.
func (s *Store) flock(ctx context.Context, file *os.File, path string) error {
	for wait := lockWaitMin; ; wait = min(2*wait, lockWaitMax) {
		locked, err := place.TryLock(file)
		if err != nil {
			return place.Fail("lock", path, err)
		}
		if locked {
			return nil
		}
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
			return fmt.Errorf("fsstore: waiting for the process that has locked %s: %w", path, ctx.Err())
		case <-s.calls.Done:
			return place.ErrClosed
		}
	}
}
