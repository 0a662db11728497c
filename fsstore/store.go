package fsstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

// DefaultDir is the directory of a Store that names none.
const DefaultDir = "./sessions"

// Bounds of one Store.
const (
	fanout      = 256                    // subdirectories, by the first byte of the ID
	maxCalls    = 4096                   // running and waiting; more get hosts.ErrBusy
	maxReads    = 64                     // files open for reading at once; each may block a thread
	sweepBatch  = 64                     // deletions under one lock, so that a sweep holds up nobody for long
	lockWaitMin = 100 * time.Microsecond // first wait for a lock that another process has
	lockWaitMax = 2 * time.Millisecond   // longest: no process overtakes another for long
)

// Options of Open. The zero value is a durable store in DefaultDir.
type Options struct {
	// Dir is created with mode 0700 when it is missing. Default DefaultDir.
	Dir string
	// Fast leaves out the syncs of Save: a save survives the end of the
	// process, not a power failure. Delete is durable all the same.
	Fast bool
}

// Store keeps sessions in files. It is safe for concurrent use, also by other
// processes that open the same directory.
type Store struct {
	dir   string // absolute
	info  fs.FileInfo
	fast  bool
	root  *os.Root
	self  *os.File // the directory, for its sync
	reads chan struct{}

	gates   [fanout]chan struct{} // one writer of this process waits for each lock
	folders [fanout]atomic.Pointer[folder]
	opening sync.Mutex // of a folder

	sweepFrom atomic.Uint32 // the folder where the last sweep reached its limit

	mu      sync.Mutex // guards calls and closed
	calls   int
	closed  bool
	done    chan struct{} // closed by Close
	running sync.WaitGroup
	release sync.Once
}

var (
	_ hosts.Store   = (*Store)(nil)
	_ hosts.Sweeper = (*Store)(nil)
	_ hosts.Finder  = (*Store)(nil)
)

// Open opens or creates a directory of sessions. It refuses a directory on a
// network filesystem, one that everybody may write, one that this process may
// not write, and a platform without flock (errors.ErrUnsupported).
func Open(o Options) (*Store, error) {
	if !supported {
		return nil, fmt.Errorf("fsstore: %s has no flock, without which processes lose each other's updates; use a database: %w",
			runtime.GOOS, errors.ErrUnsupported)
	}
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fail("resolve Dir", o.Dir, err)
	}
	if err := makeDir(dir); err != nil {
		return nil, fail("create Dir", dir, err)
	}
	s := &Store{dir: dir, fast: o.Fast, reads: make(chan struct{}, maxReads), done: make(chan struct{})}
	for i := range s.gates {
		s.gates[i] = make(chan struct{}, 1)
	}
	if s.root, err = os.OpenRoot(dir); err != nil {
		return nil, fail("open Dir", dir, err)
	}
	if err := s.examine(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// makeDir is os.MkdirAll whose result survives a power failure.
func makeDir(dir string) error {
	created := dir
	for {
		parent := filepath.Dir(created)
		if _, err := os.Stat(parent); !errors.Is(err, fs.ErrNotExist) || parent == created {
			break
		}
		created = parent
	}
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if err := syncDir(filepath.Dir(d)); err != nil {
			return err
		}
		if d == created {
			return nil
		}
	}
}

// syncDir passes over a directory that may be written but not read: it cannot be
// opened for a sync.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// examine refuses a directory in which the promises could not be kept.
func (s *Store) examine() error {
	var err error
	if s.self, err = s.root.Open("."); err != nil {
		return fail("open Dir", s.dir, err)
	}
	if s.info, err = s.self.Stat(); err != nil {
		return fail("stat Dir", s.dir, err)
	}
	if s.info.Mode()&0o002 != 0 {
		return fmt.Errorf("fsstore: Dir %s has mode %v: everybody may write it; chmod 0700, or name a directory beneath it", s.dir, s.info.Mode())
	}
	network, err := networkFilesystem(s.dir)
	if err != nil {
		return fail("statfs Dir", s.dir, err)
	}
	if network != "" {
		return refuseNetwork(s.dir, network)
	}
	locked, err := tryLock(s.self)
	if err != nil {
		return fail("lock Dir", s.dir, err)
	}
	if locked {
		unlock(s.self)
	}
	return s.probe()
}

func refuseNetwork(dir, network string) error {
	return fmt.Errorf("fsstore: Dir %s is on %s, where a lock or a rename does not hold between machines and updates would be lost; "+
		"use a local disk, or a database or Redis for several machines: %w", dir, network, errors.ErrUnsupported)
}

// probe finds out now, not at the first login, whether this process may write.
// A full disk passes: what is stored can still be read and deleted.
func (s *Store) probe() error {
	f, err := s.root.OpenFile(probeName, os.O_WRONLY|os.O_CREATE|openFlags, 0o600)
	if isFull(err) {
		return nil
	}
	if err != nil {
		return fail("write in Dir", s.dir, err)
	}
	// Another process that opens the store now may remove it first.
	if err := s.root.Remove(probeName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail("write in Dir", s.dir, errors.Join(err, f.Close()))
	}
	return f.Close()
}

// Close ends waiting calls with hosts.ErrClosed, waits for those that are on the
// disk, and frees the directory. It may be called more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	s.running.Wait()
	var err error
	s.release.Do(func() {
		for i := range s.folders {
			if f := s.folders[i].Load(); f != nil {
				err = errors.Join(err, f.close())
			}
		}
		if s.self != nil {
			err = errors.Join(err, s.self.Close())
		}
		err = errors.Join(err, s.root.Close())
	})
	return err
}

// begin counts a call in, or refuses it.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("fsstore: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.calls >= maxCalls {
		return fmt.Errorf("fsstore: %d calls are waiting: %w", maxCalls, hosts.ErrBusy)
	}
	s.calls++
	s.running.Add(1)
	return nil
}

func (s *Store) end() {
	s.mu.Lock()
	s.calls--
	s.mu.Unlock()
	s.running.Done()
}
