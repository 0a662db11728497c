package seglog

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// Bounds of one Store.
const (
	maxCalls       = 16 << 10  // running and waiting; more get hosts.ErrBusy
	batchCalls     = 1024      // saves that are handed to the committer at once
	firstSegment   = 256 << 10 // bytes of the first segment; each is twice the one before, up to
	DefaultSegment = 16 << 20  // bytes of a segment
)

// Options of Open.
type Options struct {
	Dir     string       // created with mode 0700 when it is missing
	Fast    bool         // no syncs of Save
	Segment int64        // bytes of the largest segment; default DefaultSegment
	Logger  *slog.Logger // for what no call can be told; default slog.Default
}

// Store is an open log. It is safe for concurrent use.
type Store struct {
	*place.Dir
	fast      bool
	firstSize int64
	maxSize   int64
	log       *slog.Logger
	calls     *place.Calls
	saves     *coalesce.Store
	ops       sync.Pool // of *[]op, for batches of saves
	index     *index
	damage    []damage // that Open has found

	committer committer
	active    *segment        // the committer's, as are the next five
	roll      roll            // of the active segment
	marked    bool            // the last record is a mark
	buffer    []byte          // records that are to be written
	pending   map[core.ID]*op // the last of each session in the buffer
	joined    bool            // several requests are written together

	spares     *spares
	wake       chan struct{} // the cleaner
	stop       chan struct{} // closed by Close, for the background
	cleaner    sync.WaitGroup
	background sync.WaitGroup // makes the spare
	release    sync.Once
}

var (
	_ hosts.Store   = (*Store)(nil)
	_ hosts.Sweeper = (*Store)(nil)
	_ hosts.Finder  = (*Store)(nil)
)

// Open opens or creates a log and reads it once. It refuses a directory that is
// open already, also in this process.
func Open(o Options) (*Store, error) {
	dir, err := place.Open(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := dir.Claim(place.Log); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Segment == 0 {
		o.Segment = DefaultSegment
	}
	s := &Store{
		Dir: dir, fast: o.Fast, firstSize: min(firstSegment, o.Segment), maxSize: o.Segment, log: o.Logger,
		calls: place.NewCalls(maxCalls), index: newIndex(), pending: map[core.ID]*op{},
		spares: newSpares(), wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	s.ops.New = func() any { return new([]op) }
	s.saves, err = coalesce.New(batched{s}, coalesce.Options{Direct: -1, BatchCalls: batchCalls, WaitingCalls: maxCalls})
	if err == nil {
		err = s.recover()
	}
	if err != nil {
		return nil, errors.Join(err, s.shut())
	}
	s.cleaner.Go(s.clean)
	return s, nil
}

// Close ends waiting calls with hosts.ErrClosed, waits for those that are on the
// disk, and frees the directory. It may be called more than once.
func (s *Store) Close() error {
	err := s.saves.Close()
	s.calls.Shut()
	s.release.Do(func() {
		// A mark at the end shows the next Open that all before it was whole.
		if failed := s.done([]op{{do: mark}}); failed != nil {
			s.log.Warn("fsstore: the log was not closed properly", "error", failed)
		}
		err = errors.Join(err, s.shut())
	})
	return err
}

// shut ends the background and closes all files.
func (s *Store) shut() error {
	close(s.stop)
	s.cleaner.Wait()
	s.committer.idle.Wait()
	s.background.Wait()
	return errors.Join(s.closeFiles(), s.Dir.Close())
}

func (s *Store) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}
