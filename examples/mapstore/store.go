// Package mapstore is the smallest store that is right: see docs/write-a-store.md.
package mapstore

import (
	"context"
	"sync"

	"github.com/rockstar-web/sessions/core"
)

// Store keeps records in a map. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	records map[core.ID]core.Record
}

// New returns an empty store.
func New() *Store { return &Store{records: make(map[core.ID]core.Record)} }

// Load returns a record, also an expired one.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[id]
	switch {
	case ctx.Err() != nil:
		return core.Record{}, ctx.Err()
	case !ok:
		return core.Record{}, core.ErrNotFound
	}
	return r, nil
}

// Save stores r if the stored version is prev. NoVersion means that there is none.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := r.Check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.records[r.ID].Version // core.NoVersion if there is no record
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case stored == r.Version: // this save came before, and its answer was lost
		return nil
	case stored != prev:
		return core.ErrConflict
	}
	s.records[r.ID] = r
	return nil
}

// Delete ends a session. It asks for no version, and a missing one is no error.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	delete(s.records, id)
	return nil
}
