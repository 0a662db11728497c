package conformance

import (
	"context"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

type faultySweeper struct {
	f *faulty
	s hosts.Sweeper
}

func (w faultySweeper) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	var n int
	_, err := w.f.do(ctx, Sweep, func(ctx context.Context) (err error) { n, err = w.s.Sweep(ctx, before, limit); return })
	if err != nil {
		return 0, err
	}
	return n, nil
}

type faultyFinder struct {
	f *faulty
	s hosts.Finder
}

func (w faultyFinder) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	var found []core.Record
	fault, err := w.f.do(ctx, Find, func(ctx context.Context) (err error) { found, err = w.s.Find(ctx, q, after, limit); return })
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i] = spoiled(found[i], fault)
	}
	return found, nil
}

type faultyBatcher struct {
	f *faulty
	s hosts.Batcher
}

// A call that lands late writes its answers when nobody reads them.

func (w faultyBatcher) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	var got []hosts.Loaded
	fault, err := w.f.do(ctx, LoadMany, func(ctx context.Context) error { got = w.s.LoadMany(ctx, ids); return nil })
	if err != nil {
		all := make([]hosts.Loaded, len(ids))
		for i := range all {
			all[i].Err = err
		}
		return all
	}
	for i := range got {
		if got[i].Err == nil {
			got[i].Record = spoiled(got[i].Record, fault)
		}
	}
	return shortened(got, fault)
}

func (w faultyBatcher) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	var got []error
	fault, err := w.f.do(ctx, SaveMany, func(ctx context.Context) error { got = w.s.SaveMany(ctx, saves); return nil })
	if err != nil {
		all := make([]error, len(saves))
		for i := range all {
			all[i] = err
		}
		return all
	}
	return shortened(got, fault)
}

func shortened[A any](all []A, fault Fault) []A {
	if fault == Short && len(all) > 0 {
		return all[:len(all)-1]
	}
	return all
}
