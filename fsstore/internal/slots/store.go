package slots

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of one Store.
const (
	fanout      = 256                    // subdirectories, by the first byte of the ID
	maxCalls    = 4096                   // running and waiting; more get hosts.ErrBusy
	maxReads    = 64                     // files open for reading at once; each may block a thread
	maxWrites   = 128                    // sessions locked at once, the same; each may have a new file too
	sweepBatch  = 64                     // deletions under one lock, so that a sweep holds up nobody for long
	lockWaitMin = 100 * time.Microsecond // first wait for a lock that another process has
	lockWaitMax = 2 * time.Millisecond   // longest: no process overtakes another for long
)

// Options of Open.
type Options struct {
	Dir  string // created with mode 0700 when it is missing
	Fast bool   // no syncs of Save
}

// Store keeps sessions in files. It is safe for concurrent use, also by other
// processes that open the same directory.
type Store struct {
	*place.Dir
	fast   bool
	reads  chan struct{}
	writes chan struct{}
	calls  *place.Calls
	files  gates // of this process, before the lock of a file

	gates   [fanout]chan struct{} // the same before the lock of a folder
	folders [fanout]atomic.Pointer[folder]
	opening sync.Mutex // of a folder

	sweepFrom atomic.Uint32 // the folder where the last sweep reached its limit
	release   sync.Once
}

var (
	_ hosts.Store   = (*Store)(nil)
	_ hosts.Sweeper = (*Store)(nil)
	_ hosts.Finder  = (*Store)(nil)
)

// Open opens or creates a directory of sessions.
func Open(o Options) (*Store, error) {
	dir, err := place.Open(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := dir.Claim(place.Slots); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	s := &Store{
		Dir: dir, fast: o.Fast, calls: place.NewCalls(maxCalls),
		reads: make(chan struct{}, maxReads), writes: make(chan struct{}, maxWrites),
		files: gates{of: map[core.ID]*gate{}},
	}
	for i := range s.gates {
		s.gates[i] = make(chan struct{}, 1)
	}
	return s, nil
}

// Close ends waiting calls with hosts.ErrClosed, waits for those that are on the
// disk, and frees the directory. It may be called more than once.
func (s *Store) Close() error {
	s.calls.Shut()
	var err error
	s.release.Do(func() {
		for i := range s.folders {
			if f := s.folders[i].Load(); f != nil {
				err = errors.Join(err, f.close())
			}
		}
		err = errors.Join(err, s.Dir.Close())
	})
	return err
}
