package fsstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
