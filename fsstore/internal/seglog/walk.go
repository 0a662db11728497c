package seglog

import (
	"context"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

const sweepBatch = 1024 // deletions at once, so that a sweep holds up nobody for long

// Find implements hosts.Finder. It passes over records that cannot be read: so
// does Load, with an error.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	if err := s.calls.Begin(ctx); err != nil {
		return nil, err
	}
	defer s.calls.End()
	var found []core.Record
	selected := s.index.selects(&q, after)
	for end := false; !end && len(found) < limit; {
		var ids []core.ID
		ids, end = selected.next(limit - len(found))
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("fsstore: %w", err)
			}
			r, err := s.load(id)
			if errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrCorrupt) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if q.Matches(&r) {
				found = append(found, r)
			}
		}
	}
	return found, nil
}

// Sweep implements hosts.Sweeper. It looks only at what it deletes. When all is
// done it reports the damage that Open has found, until the files are gone.
func (s *Store) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	if err := s.calls.Begin(ctx); err != nil {
		return 0, err
	}
	defer s.calls.End()
	swept := 0
	for swept < limit {
		n, found, err := s.sweepSome(ctx, before, min(limit-swept, sweepBatch))
		if swept += n; err != nil {
			return swept, err
		}
		if found == 0 {
			break
		}
	}
	return swept, s.damaged()
}

// sweepSome deletes at most limit sessions by one record, or, where more than
// those expire at the same moment, by one for each. It returns how many it
// deleted, and how many it found to delete: another sweep may be faster.
func (s *Store) sweepSome(ctx context.Context, before core.Time, limit int) (deleted, found int, err error) {
	ops := []op{{do: sweep, before: before, limit: limit}}
	if err := s.submit(ctx, ops); err != nil {
		return 0, 0, err
	}
	if ops[0].err != nil {
		return 0, 0, ops[0].err
	}
	if n := len(ops[0].swept); n > 0 {
		return n, n, nil
	}
	ids := s.index.expired(before, limit)
	if len(ids) == 0 {
		return 0, 0, nil
	}
	ops = make([]op, len(ids))
	for i, id := range ids {
		ops[i] = op{do: expire, record: core.Record{ID: id}, before: before}
	}
	if err := s.submit(ctx, ops); err != nil {
		return 0, 0, err
	}
	for i := range ops {
		if ops[i].err != nil {
			return deleted, len(ids), ops[i].err
		}
		if ops[i].done {
			deleted++
		}
	}
	return deleted, len(ids), nil
}
