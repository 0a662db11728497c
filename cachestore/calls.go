package cachestore

import (
	"context"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Ready-made, because they are everyday answers.
var (
	errNotFound = wrap(core.ErrNotFound)
	errConflict = wrap(core.ErrConflict)
	errClosed   = wrap(hosts.ErrClosed)
)

func wrap(err error) error { return fmt.Errorf("cachestore: %w", err) }

// Load returns a copy of the record, which the caller may keep, or
// core.ErrNotFound.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if err := ctx.Err(); err != nil {
		return core.Record{}, wrap(err)
	}
	sh, hash := s.shardOf(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if sh.closed {
		return core.Record{}, errClosed
	}
	at := sh.find(id, hash)
	if at == 0 {
		return core.Record{}, errNotFound
	}
	return sh.slot(at).record(), nil
}

// Save inserts r when prev is core.NoVersion, else replaces exactly prev, or
// returns core.ErrConflict; hosts.ErrFull when r does not fit into the bound;
// or what r.Check finds. It succeeds without a change when the stored version
// is r.Version. It keeps no reference to r.Sealed.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := ctx.Err(); err != nil {
		return wrap(err)
	}
	if err := r.Check(); err != nil {
		return wrap(err)
	}
	anonymous := r.User == ""
	limit := s.budget.limit(anonymous)
	sh, hash := s.shardOf(r.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return errClosed
	}
	at := sh.find(r.ID, hash)
	var stored core.Version
	if at != 0 {
		stored = sh.slot(at).version()
	}
	done := true
	switch {
	case stored == r.Version:
	case stored != prev:
		return errConflict
	case at == 0:
		done = !(anonymous && s.budget.held.Load() >= limit) && sh.insert(&r, limit)
	default:
		done = sh.replace(at, &r, limit)
	}
	if !done {
		return s.full(&r, limit)
	}
	return nil
}

// full is the error for a record that has no room, with the remedy.
func (s *Store) full(r *core.Record, limit int64) error {
	who := ""
	if limit < s.budget.max {
		who = fmt.Sprintf(", of which sessions without a user may take %d", limit)
	}
	return fmt.Errorf("cachestore: %w: no room for a session of %d bytes, %d bytes are held and MaxBytes is %d%s; "+
		"raise cachestore.Options.MaxBytes, shorten lifetimes or sweep more often",
		hosts.ErrFull, recordSize(r), s.budget.held.Load(), s.budget.max, who)
}

// Delete removes the session and frees its memory. A missing one is no error.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	if err := ctx.Err(); err != nil {
		return wrap(err)
	}
	sh, hash := s.shardOf(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return errClosed
	}
	if at := sh.find(id, hash); at != 0 {
		sh.remove(at)
		sh.trim()
	}
	return nil
}
