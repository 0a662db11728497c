package cachestore

import (
	"context"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
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
	sh := s.shardOf(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if sh.closed {
		return core.Record{}, errClosed
	}
	at := sh.find(id)
	if at == 0 {
		return core.Record{}, errNotFound
	}
	return sh.slot(at).record(), nil
}

// Save inserts r when prev is core.NoVersion, else replaces exactly prev, or
// returns core.ErrConflict; hosts.ErrFull when r does not fit into the bounds;
// or what r.Check finds. It succeeds without a change when the stored version
// is r.Version. It keeps no reference to r.Sealed.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := ctx.Err(); err != nil {
		return wrap(err)
	}
	if err := r.Check(); err != nil {
		return wrap(err)
	}
	sh := s.shardOf(r.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return errClosed
	}
	at := sh.find(r.ID)
	var stored core.Version
	if at != 0 {
		stored = sh.slot(at).version()
	}
	switch {
	case stored == r.Version:
		return nil
	case stored != prev:
		return errConflict
	}
	err := s.put(sh, at, &r)
	if err == nil && !hosts.IsTouch(ctx) {
		s.changes.Saved(r.ID, r.Version, prev)
	}
	return err
}

// Follow implements feed.Source, for hosts.Manager.Watch: a load from this store is
// cheaper than a cache before it.
func (s *Store) Follow(ctx context.Context) (feed.Follower, error) { return s.changes.Follow(ctx) }

// put writes r over the record in a slot, zero for a new one, or returns
// hosts.ErrFull: what a session may take depends on whose it is and whether he
// has it already.
func (s *Store) put(sh *shard, at ref, r *core.Record) error {
	users := &s.budget.users
	of, size := users.owner([]byte(r.Tenant), []byte(r.User)), recordSize(r)
	var before owner
	var old, own int // bytes that are replaced, and those that are of the same user
	if at != 0 {
		before, old = sh.ownerOf(sh.slot(at)), sh.slot(at).size()
	}
	fresh := at == 0 || before != of
	if !fresh {
		own = old
	}
	if userLimit := s.budget.userLimit(fresh); !users.change(of, own, size, userLimit) {
		return fmt.Errorf("cachestore: %w for this user: with a session of %d bytes his would take more than the %d that one user may have; "+
			"end some of them or raise cachestore.Options.MaxUserBytes", hosts.ErrFull, size, userLimit)
	}
	limit := s.budget.limit(of == 0, fresh)
	switch {
	case fresh && s.budget.held.Load() >= limit:
	case at == 0 && sh.insert(r, limit):
		return nil
	case at != 0 && sh.replace(at, r, limit):
		if fresh {
			users.add(before, -int64(old))
		}
		return nil
	}
	users.add(of, int64(own-size))
	return fmt.Errorf("cachestore: %w: no room for a session of %d bytes, %d bytes are held and MaxBytes is %d, of which such a session may take %d; "+
		"raise cachestore.Options.MaxBytes, shorten lifetimes or sweep more often",
		hosts.ErrFull, size, s.budget.held.Load(), s.budget.max, limit)
}

// Delete removes the session and frees its memory. A missing one is no error.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	if err := ctx.Err(); err != nil {
		return wrap(err)
	}
	sh := s.shardOf(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return errClosed
	}
	if at := sh.find(id); at != 0 {
		sh.remove(at)
		sh.trim()
		s.changes.Deleted(id)
	}
	return nil
}
