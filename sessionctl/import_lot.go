package sessionctl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of what an import saves in one command, where the store takes many.
const (
	lotCalls   = 1000
	lotBytes   = 4 << 20 // sealed bytes
	lotWorkers = 4       // lots under way at once
)

// lots yields runs of records in their order, each of different IDs.
func lots(records iter.Seq2[core.Record, error], calls int) iter.Seq2[[]core.Record, error] {
	return func(yield func([]core.Record, error) bool) {
		var lot []core.Record
		ids := map[core.ID]bool{}
		size := 0
		for r, err := range records {
			full := len(lot) == calls || size+len(r.Sealed) > lotBytes || ids[r.ID]
			if len(lot) > 0 && (full || err != nil) {
				if !yield(lot, nil) {
					return
				}
				lot, size = nil, 0
				clear(ids)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			lot, size, ids[r.ID] = append(lot, r), size+len(r.Sealed), true
		}
		if len(lot) > 0 {
			yield(lot, nil)
		}
	}
}

// lot compares records with the store and saves those that it may. The error is the
// first one; what it concerns is outcomeFailed.
func (i *importing) lot(ctx context.Context, store hosts.Store, batcher hosts.Batcher, lot []core.Record, expired core.Time) ([]outcome, error) {
	outcomes := make([]outcome, len(lot))
	var there []hosts.Loaded
	if batcher != nil {
		ids := make([]core.ID, len(lot))
		for n := range lot {
			ids[n] = lot[n].ID
		}
		there = batcher.LoadMany(ctx, ids)
	}
	var saves []hosts.Saving
	var places []int
	var failed error
	fail := func(n int, err error) {
		outcomes[n] = outcomeFailed
		if failed == nil {
			failed = fmt.Errorf("session %v: %w", lot[n].ID, err)
		}
	}
	for n := range lot {
		if lot[n].ExpiresAt < expired {
			outcomes[n] = outcomeExpired
			continue
		}
		var found hosts.Loaded
		if batcher != nil {
			found = there[n]
		} else {
			found.Record, found.Err = store.Load(ctx, lot[n].ID)
		}
		o, err := compared(found, &lot[n])
		if err != nil {
			fail(n, err)
		} else if outcomes[n] = o; o == outcomeNew && i.revive {
			saves, places = append(saves, hosts.Saving{Record: lot[n]}), append(places, n)
		}
	}
	for k, err := range saveAll(ctx, store, batcher, saves) {
		switch {
		case errors.Is(err, core.ErrConflict): // somebody else came first
			outcomes[places[k]] = outcomeConflict
		case err != nil:
			fail(places[k], err)
		}
	}
	return outcomes, failed
}

// compared says what a session of an export is to the store.
func compared(there hosts.Loaded, r *core.Record) (outcome, error) {
	switch {
	case errors.Is(there.Err, core.ErrNotFound):
		return outcomeNew, nil
	case errors.Is(there.Err, core.ErrCorrupt):
		return outcomeConflict, nil
	case there.Err != nil:
		return 0, there.Err
	case same(&there.Record, r):
		return outcomeThere, nil
	}
	return outcomeConflict, nil
}

// saveAll answers each save. What a batch was not applied for the sake of a part of
// it is saved one by one.
func saveAll(ctx context.Context, store hosts.Store, batcher hosts.Batcher, saves []hosts.Saving) []error {
	var answers []error
	switch {
	case len(saves) == 0:
		return nil
	case batcher != nil:
		answers = batcher.SaveMany(ctx, saves)
	default:
		answers = make([]error, len(saves))
	}
	for n, s := range saves {
		if batcher == nil || errors.Is(answers[n], hosts.ErrBatch) {
			answers[n] = store.Save(ctx, s.Record, s.Prev)
		}
	}
	return answers
}

func same(a, b *core.Record) bool {
	return a.Version == b.Version && a.Tenant == b.Tenant && a.User == b.User && a.CreatedAt == b.CreatedAt &&
		a.SeenAt == b.SeenAt && a.ExpiresAt == b.ExpiresAt && bytes.Equal(a.Sealed, b.Sealed)
}
