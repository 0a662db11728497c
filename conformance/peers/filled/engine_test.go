package filled

import (
	"context"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	callers   = 64
	sweepPage = 1000
	importers = 4   // batches that are on their way at once
	imported  = 500 // records of each
)

// engine is a store under measurement, ours or another. What it cannot do is nil.
type engine struct {
	callers, batch int // so many call at once, each with so many records
	save           func(ctx context.Context, saves []hosts.Saving) error
	load           func(ctx context.Context, ids []core.ID) error
	remove         func(ctx context.Context, ids []core.ID) error
	list           func(ctx context.Context, tenant, user string, limit int) (int, error)
	listers        int // that list at once; zero: callers
	sweep          func(ctx context.Context, before core.Time, limit int) (int, error)
	bulk           func(ctx context.Context, records []core.Record) error // the fastest way to bring many
	settle         func(ctx context.Context) error                        // after a fill; may be nil
}

// ours is a store of this module, as its users call it.
func ours(store hosts.Store) *engine {
	e := &engine{callers: callers, batch: 1}
	e.save = func(ctx context.Context, saves []hosts.Saving) error {
		if saves[0].Touch {
			ctx = hosts.TouchContext(ctx)
		}
		return store.Save(ctx, saves[0].Record, saves[0].Prev)
	}
	e.load = func(ctx context.Context, ids []core.ID) error {
		_, err := store.Load(ctx, ids[0])
		return err
	}
	e.remove = func(ctx context.Context, ids []core.ID) error { return store.Delete(ctx, ids[0]) }
	e.list = func(ctx context.Context, tenant, user string, limit int) (int, error) {
		page, err := store.(hosts.Finder).Find(ctx, hosts.Query{Tenant: tenant, User: user}, core.ID{}, limit)
		return len(page), err
	}
	if s, ok := store.(hosts.Sweeper); ok {
		e.sweep = s.Sweep
	}
	e.bulk = e.each
	if s, ok := store.(hosts.Batcher); ok {
		e.bulk = func(ctx context.Context, records []core.Record) error { return saveMany(ctx, s, records) }
	}
	return e
}

// each saves records one by one, by all callers.
func (e *engine) each(ctx context.Context, records []core.Record) error {
	return together(e.callers, func(c int) error {
		for i := c; i < len(records); i += e.callers {
			if err := e.save(ctx, []hosts.Saving{{Record: records[i]}}); err != nil {
				return err
			}
		}
		return nil
	})
}

func saveMany(ctx context.Context, s hosts.Batcher, records []core.Record) error {
	return together(importers, func(c int) error {
		for at := c * imported; at < len(records); at += importers * imported {
			var saves []hosts.Saving
			for _, r := range records[at:min(at+imported, len(records))] {
				saves = append(saves, hosts.Saving{Record: r})
			}
			for _, err := range s.SaveMany(ctx, saves) {
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// together runs the callers and returns the first error of any.
func together(n int, call func(caller int) error) error {
	var all sync.WaitGroup
	var once sync.Once
	var first error
	for c := range n {
		all.Go(func() {
			if err := call(c); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	all.Wait()
	return first
}
