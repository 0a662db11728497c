package sqlite

import (
	"context"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// Load implements hosts.Store.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if err := s.file.still(); err != nil {
		return core.Record{}, err
	}
	return s.Store.Load(ctx, id)
}

// Save implements hosts.Store. A success is on the disk, unless Options.Fast.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := s.file.still(); err != nil {
		return err
	}
	return s.Store.Save(ctx, r, prev)
}

// Delete implements hosts.Store. A success is on the disk, also with
// Options.Fast: an ended session does not come back after a power failure.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	if err := s.file.still(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, id)
}

// DeleteMany implements hosts.BatchDeleter, as durably as Delete.
func (s *Store) DeleteMany(ctx context.Context, ids []core.ID) []error {
	if err := s.file.still(); err != nil {
		return slices.Repeat([]error{err}, len(ids))
	}
	return s.Store.DeleteMany(ctx, ids)
}

// Find implements hosts.Finder.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	if err := s.file.still(); err != nil {
		return nil, err
	}
	return s.Store.Find(ctx, q, after, limit)
}

// Sweep implements hosts.Sweeper.
func (s *Store) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	if err := s.file.still(); err != nil {
		return 0, err
	}
	return s.Store.Sweep(ctx, before, limit)
}

// CachingState implements feed.Caching.
func (s *Store) CachingState(ctx context.Context) (feed.State, error) {
	if err := s.file.same(); err != nil {
		return feed.None, err
	}
	return s.Store.CachingState(ctx)
}
