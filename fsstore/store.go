package fsstore

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/seglog"
	"github.com/rockstar-web/sessions/fsstore/internal/slots"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// DefaultDir is the directory of a Store that names none.
const DefaultDir = "./sessions"

// Options of Open. The zero value is a durable store in DefaultDir, for this
// process alone.
type Options struct {
	// Dir is created with mode 0700 when it is missing. Default DefaultDir.
	Dir string
	// Shared lets other processes of this machine open Dir, too, all of them
	// with Shared: a file for each session instead of a log. A directory keeps
	// the form that it was made with.
	Shared bool
	// Fast leaves out the syncs of Save: a save survives the end of the
	// process, not a power failure. Delete is durable all the same.
	Fast bool
	// Logger gets what no call can return: that a log was found damaged, and what
	// that cost; that it cannot be compacted. Default slog.Default.
	Logger *slog.Logger
}

// form is one of the ways to keep sessions in a directory.
type form interface {
	hosts.Store
	hosts.Sweeper
	hosts.Finder
	Close() error
}

// Store keeps sessions in files. It is safe for concurrent use; with
// Options.Shared also by other processes that open the same directory.
type Store struct {
	form    form
	shared  bool
	changes feed.Log
}

var (
	_ hosts.Store   = (*Store)(nil)
	_ hosts.Sweeper = (*Store)(nil)
	_ hosts.Finder  = (*Store)(nil)
	_ hosts.Queued  = (*Store)(nil)
	_ feed.Source   = (*Store)(nil)
)

// Open opens or creates a directory of sessions. It refuses a directory on a
// network filesystem, one that everybody may write, one that this process may
// not write, one that was made with the other choice of Shared or is open in
// another process without (hosts.ConfigError), and a platform without flock
// (errors.ErrUnsupported).
func Open(o Options) (*Store, error) {
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	var f form
	var err error
	if o.Shared {
		f, err = slots.Open(slots.Options{Dir: o.Dir, Fast: o.Fast})
	} else {
		f, err = seglog.Open(seglog.Options{Dir: o.Dir, Fast: o.Fast, Logger: o.Logger})
	}
	if err != nil {
		return nil, err
	}
	return &Store{form: f, shared: o.Shared}, nil
}

// Close ends waiting calls with hosts.ErrClosed, waits for those that are on the
// disk, and frees the directory. It may be called more than once.
func (s *Store) Close() error { return s.form.Close() }

// Load implements hosts.Store. A damaged record is core.ErrCorrupt; one of a
// newer format is hosts.ErrUnavailable.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	return s.form.Load(ctx, id)
}

// Save implements hosts.Store. A success is on the disk, unless Options.Fast.
// After hosts.ErrUnknown the record has its place but may not survive a power
// failure; the same save again settles it.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	err := s.form.Save(ctx, r, prev)
	if !hosts.IsTouch(ctx) {
		s.changes.Saved(r.ID, r.Version, prev) // also after an error: it may be there
	}
	return err
}

// Delete implements hosts.Store. A success is on the disk, also with
// Options.Fast: an ended session does not come back after a power failure.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	err := s.form.Delete(ctx, id)
	s.changes.Deleted(id)
	return err
}

// Queues implements hosts.Queued. With Options.Shared nothing waits.
func (s *Store) Queues() hosts.Queues {
	if q, ok := s.form.(hosts.Queued); ok {
		return q.Queues()
	}
	return hosts.Queues{}
}

// Follow implements feed.Source. It reports what this process changes, so that it is
// refused with Options.Shared (feed.ErrUnsupported).
func (s *Store) Follow(ctx context.Context) (feed.Follower, error) {
	if err := s.CanFollow(); err != nil {
		return nil, err
	}
	return s.changes.Follow(ctx)
}

// CanFollow says why there is no feed, if so.
func (s *Store) CanFollow() error {
	if s.shared {
		return fmt.Errorf("fsstore: a directory of several processes has no feed of changes: %w; use SQLite, which is for the processes of one machine, too", feed.ErrUnsupported)
	}
	return nil
}

// Sweep implements hosts.Sweeper. When all is done, damage is reported, together
// with the count of the deleted: an error that wraps core.ErrCorrupt.
func (s *Store) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	return s.form.Sweep(ctx, before, limit)
}

// Find implements hosts.Finder. It passes over damaged records, which nobody can
// load either (Sweep reports them); a record of a newer format is an error, since
// its session may well live.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	return s.form.Find(ctx, q, after, limit)
}
