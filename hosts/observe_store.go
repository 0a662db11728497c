package hosts

import (
	"context"
	"reflect"

	"github.com/rockstar-web/sessions/core"
)

// Observed returns a store that reports each call of s to the observer. What else s can
// do, such as Find, Sweep and batches, is found by As as before: these three are
// reported, too. A feed and a cache count for themselves.
func Observed(s Store, by Observer) Store {
	if o, ok := As[*observedStore](s); ok && sameObserver(o.by, by) {
		return s
	}
	return &observedStore{s, by}
}

// sameObserver reports whether a is b. Observers that cannot be compared are not.
func sameObserver(a, b Observer) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

type observedStore struct {
	store Store
	by    Observer
}

// Unwrap implements Wrapped.
func (s *observedStore) Unwrap() Store { return s.store }

// Load implements Store.
func (s *observedStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	o := observe(ctx, s.by, Call{OpLoad, id, 1})
	r, err := s.store.Load(o.ctx, id)
	o.end(err)
	return r, err
}

// Save implements Store.
func (s *observedStore) Save(ctx context.Context, r core.Record, prev core.Version) error {
	op := OpSave
	if IsTouch(ctx) {
		op = OpTouch
	}
	o := observe(ctx, s.by, Call{op, r.ID, 1})
	err := s.store.Save(o.ctx, r, prev)
	o.end(err)
	return err
}

// Delete implements Store.
func (s *observedStore) Delete(ctx context.Context, id core.ID) error {
	o := observe(ctx, s.by, Call{OpDelete, id, 1})
	err := s.store.Delete(o.ctx, id)
	o.end(err)
	return err
}

// able has what the store behind can do, for As.
func (s *observedStore) able(target any) (ok bool) {
	switch t := target.(type) {
	case *Finder:
		f := finder{by: s.by}
		if f.Finder, ok = As[Finder](s.store); ok {
			*t = f
		}
	case *Sweeper:
		w := sweeper{by: s.by}
		if w.Sweeper, ok = As[Sweeper](s.store); ok {
			*t = w
		}
	case *Batcher:
		b := batcher{by: s.by}
		if b.Batcher, ok = As[Batcher](s.store); ok {
			*t = b
		}
	case *BatchDeleter:
		d := batchDeleter{by: s.by}
		if d.BatchDeleter, ok = As[BatchDeleter](s.store); ok {
			*t = d
		}
	}
	return ok
}

type finder struct {
	Finder
	by Observer
}

func (f finder) Find(ctx context.Context, q Query, after core.ID, limit int) ([]core.Record, error) {
	o := observe(ctx, f.by, Call{Op: OpFind})
	page, err := f.Finder.Find(o.ctx, q, after, limit)
	o.end(err)
	return page, err
}

type sweeper struct {
	Sweeper
	by Observer
}

func (w sweeper) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	o := observe(ctx, w.by, Call{Op: OpSweep})
	n, err := w.Sweeper.Sweep(o.ctx, before, limit)
	o.end(err)
	return n, err
}

type batcher struct {
	Batcher
	by Observer
}

func (b batcher) LoadMany(ctx context.Context, ids []core.ID) []Loaded {
	o := observe(ctx, b.by, Call{Op: OpLoadMany, Count: len(ids)})
	answers := b.Batcher.LoadMany(o.ctx, ids)
	var err error
	for i := range answers {
		if err = answers[i].Err; err != nil {
			break
		}
	}
	o.end(err)
	return answers
}

func (b batcher) SaveMany(ctx context.Context, saves []Saving) []error {
	o := observe(ctx, b.by, Call{Op: OpSaveMany, Count: len(saves)})
	answers := b.Batcher.SaveMany(o.ctx, saves)
	o.end(firstOf(answers))
	return answers
}

type batchDeleter struct {
	BatchDeleter
	by Observer
}

func (d batchDeleter) DeleteMany(ctx context.Context, ids []core.ID) []error {
	o := observe(ctx, d.by, Call{Op: OpDeleteMany, Count: len(ids)})
	answers := d.BatchDeleter.DeleteMany(o.ctx, ids)
	o.end(firstOf(answers))
	return answers
}

func firstOf(answers []error) error {
	for _, err := range answers {
		if err != nil {
			return err
		}
	}
	return nil
}
