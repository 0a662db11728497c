package dbstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// maxCalls of Find, Sweep, LoadMany, SaveMany and DeleteMany may run and wait; more
// get hosts.ErrBusy. Load, Save and Delete have the bounds of coalesce.Options.
const maxCalls = 4096

// Store keeps sessions in one table of a database. It is safe for concurrent
// use, also by other processes on the same table.
type Store struct {
	*backend
	loads, saves, ends *coalesce.Store // three, since what suits one does not suit the others
	followers          followers
	pruner             pruner

	mu      sync.Mutex // guards calls and closed
	calls   int
	closed  bool
	done    chan struct{} // closed by Close
	running sync.WaitGroup
	release sync.Once
	closeDB bool
}

var (
	_ hosts.Store   = (*Store)(nil)
	_ hosts.Sweeper = (*Store)(nil)
	_ hosts.Finder  = (*Store)(nil)
	_ hosts.Batcher = (*Store)(nil)
	_ hosts.Queued  = (*Store)(nil)

	_ hosts.BatchDeleter = (*Store)(nil)
)

// New returns a store on a database that the caller has opened and, unless
// Options.CloseDB, closes after the store. It brings the schema up to date,
// refuses a newer one, and finds out now, not at the first login, whether
// the program may read and write.
func New(ctx context.Context, db *sql.DB, d Dialect, o Options) (*Store, error) {
	if db == nil {
		return nil, fmt.Errorf("dbstore: %s: %w", d.Name(), &hosts.ConfigError{Field: "db", Value: "nil", Allowed: "one opened by sql.Open or sql.OpenDB"})
	}
	syntax := d.Syntax()
	table, err := ParseTable(o.Table, syntax)
	if err != nil {
		return nil, fmt.Errorf("dbstore: %s: %w", d.Name(), err)
	}
	pair := DB{Read: db, Write: db}
	if o.Writer != nil {
		pair.Write = o.Writer
	}
	b := &backend{dialect: d, db: pair, table: table, texts: write(syntax, table), rest: syntax.SweepRest, step: syntax.SweepBatch, noMigrate: o.NoMigrate}
	if err := b.begin(ctx); err != nil {
		return nil, err
	}
	s := &Store{backend: b, done: make(chan struct{}), closeDB: o.CloseDB}
	if s.loads, err = coalesce.New(b, cmp.Or(o.Loads, syntax.Loads)); err == nil {
		saves := cmp.Or(o.Saves, syntax.Saves)
		s.saves, err = coalesce.New(b, saves)
		if err == nil {
			saves.Timeout = max(saves.Timeout, endPatience)
			s.ends, err = coalesce.New(b, saves)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("dbstore: %s: %w", d.Name(), err), b.close())
	}
	return s, nil
}

// Close answers the calls that wait with hosts.ErrClosed and returns when those
// under way have ended. It may be called more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	err := errors.Join(s.loads.Close(), s.saves.Close(), s.ends.Close())
	s.running.Wait()
	s.release.Do(func() {
		err = errors.Join(err, s.followers.close(), s.backend.close())
		if s.closeDB {
			err = errors.Join(err, s.db.Read.Close())
			if s.db.Write != s.db.Read {
				err = errors.Join(err, s.db.Write.Close())
			}
		}
	})
	return err
}

// enter counts a call in, or refuses it.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("dbstore: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return fmt.Errorf("dbstore: %w", hosts.ErrClosed)
	case s.calls >= maxCalls:
		return fmt.Errorf("dbstore: %d calls are waiting: %w", maxCalls, hosts.ErrBusy)
	}
	s.calls++
	s.running.Add(1)
	return nil
}

func (s *Store) leave() {
	s.mu.Lock()
	s.calls--
	s.mu.Unlock()
	s.running.Done()
}

// Load implements hosts.Store.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	return s.loads.Load(ctx, id)
}

// Save implements hosts.Store. An error of a connection that broke on the way
// leaves open whether it was applied; the same save again is safe.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return s.saves.Save(ctx, r, prev)
}

// Delete implements hosts.Store.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	return s.ends.Delete(ctx, id)
}

// Queues implements hosts.Queued.
func (s *Store) Queues() hosts.Queues {
	return hosts.Queues{Loads: s.loads.Queues().Loads, Saves: s.saves.Queues().Saves, Deletes: s.ends.Queues().Deletes}
}

// DeleteMany implements hosts.BatchDeleter, at once and in one command for each 256.
func (s *Store) DeleteMany(ctx context.Context, ids []core.ID) []error {
	if err := s.enter(ctx); err != nil {
		return slices.Repeat([]error{err}, len(ids))
	}
	defer s.leave()
	return s.backend.DeleteMany(ctx, ids)
}

// LoadMany implements hosts.Batcher, at once and in one command.
func (s *Store) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	if err := s.enter(ctx); err != nil {
		return slices.Repeat([]hosts.Loaded{{Err: err}}, len(ids))
	}
	defer s.leave()
	return s.backend.LoadMany(ctx, ids)
}

// SaveMany implements hosts.Batcher, at once and in one command.
func (s *Store) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	if err := s.enter(ctx); err != nil {
		return slices.Repeat([]error{err}, len(saves))
	}
	defer s.leave()
	return s.backend.SaveMany(ctx, saves)
}
