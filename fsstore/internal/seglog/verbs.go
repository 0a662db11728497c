package seglog

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Load implements hosts.Store. It waits for nobody.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if err := s.calls.Begin(ctx); err != nil {
		return core.Record{}, err
	}
	defer s.calls.End()
	return s.load(id)
}

func (s *Store) load(id core.ID) (core.Record, error) {
	g, at := s.locate(id)
	return s.follow(id, g, at)
}

// locate returns where the record of a session lies; nil if there is none.
func (s *Store) locate(id core.ID) (*segment, span32) {
	s.index.mu.RLock()
	defer s.index.mu.RUnlock()
	e := s.index.find(id)
	if e == nil {
		return nil, span32{}
	}
	return s.index.segments[e.at.segment], e.at
}

// follow reads a record where it was located. When the compaction was faster, the
// file is closed or has other bytes, and the record lies elsewhere.
func (s *Store) follow(id core.ID, g *segment, at span32) (core.Record, error) {
	for g != nil {
		r, err := g.read(id, at.span())
		if err == nil || !errors.Is(err, os.ErrClosed) && !errors.Is(err, core.ErrCorrupt) {
			return r, err
		}
		before := at
		if g, at = s.locate(id); g != nil && at == before {
			return r, err
		}
	}
	return core.Record{}, core.ErrNotFound
}

// Queues implements hosts.Queued: saves alone wait.
func (s *Store) Queues() hosts.Queues { return hosts.Queues{Saves: s.saves.Queues().Saves} }

// Save implements hosts.Store. A success is on the disk, unless Options.Fast. The
// coalescer checks the record, and bounds and ends the calls.
func (s *Store) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return s.saves.Save(ctx, r, prev)
}

// Delete implements hosts.Store. A success is on the disk, also with
// Options.Fast. Deletes that come together share a sync, with each other and
// with saves.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	if err := s.calls.Begin(ctx); err != nil {
		return err
	}
	defer s.calls.End()
	ops := []op{{do: end, record: core.Record{ID: id}}}
	if err := s.submit(ctx, ops); err != nil {
		return err
	}
	return ops[0].err
}

// batched is the log as the coalescer of saves sees it.
type batched struct{ *Store }

func (b batched) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return b.SaveMany(ctx, []hosts.Saving{{Record: r, Prev: prev}})[0]
}

func (b batched) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	errs := make([]error, len(saves))
	if err := ctx.Err(); err != nil {
		for i := range errs {
			errs[i] = fmt.Errorf("fsstore: %w", err)
		}
		return errs
	}
	ops := b.ops.Get().(*[]op)
	for _, save := range saves {
		*ops = append(*ops, op{do: put, record: save.Record, prev: save.Prev})
	}
	b.do(*ops)
	for i := range errs {
		errs[i] = (*ops)[i].err
	}
	clear(*ops) // it holds sessions
	*ops = (*ops)[:0]
	b.ops.Put(ops)
	return errs
}

func (b batched) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	loaded := make([]hosts.Loaded, len(ids))
	for i, id := range ids {
		loaded[i].Record, loaded[i].Err = b.Load(ctx, id)
	}
	return loaded
}
