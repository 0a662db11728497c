package conformance

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var endFlaws = []flaw{
	{"ends all sessions of the user", "delete ids-distinct find-ended", func(f *flawed) {
		f.delete = func(ctx context.Context, id core.ID) error {
			end, _ := f.stored(id)
			for _, r := range f.all() {
				if r.User == end.User {
					_ = f.mapStore.Delete(ctx, r.ID)
				}
			}
			return nil
		}
	}},
	{"ends as many as fit", "delete-many", func(f *flawed) {
		f.endMany = func(ctx context.Context, ids []core.ID) []error {
			f.mapStore.DeleteMany(ctx, ids[:min(len(ids), 256)])
			return make([]error, len(ids))
		}
	}},
	{"ends together only what it has just read", "delete-many-against-saves", func(f *flawed) {
		f.endMany = func(ctx context.Context, ids []core.ID) []error {
			versions := map[core.ID]core.Version{}
			for _, id := range ids {
				r, _ := f.stored(id)
				versions[id] = r.Version
			}
			runtime.Gosched()
			for _, id := range ids {
				if r, _ := f.stored(id); r.Version == versions[id] {
					_ = f.mapStore.Delete(ctx, id)
				}
			}
			return make([]error, len(ids))
		}
	}},
	{"reports a missing session", "delete-missing", func(f *flawed) {
		f.delete = func(ctx context.Context, id core.ID) error {
			if _, there := f.stored(id); !there {
				return core.ErrNotFound
			}
			return f.mapStore.Delete(ctx, id)
		}
	}},
	{"wipes, then deletes", "end-against-loads", func(f *flawed) {
		f.delete = func(ctx context.Context, id core.ID) error {
			if r, there := f.stored(id); there {
				r.Sealed = nil
				f.put(r)
				runtime.Gosched()
			}
			return f.mapStore.Delete(ctx, id)
		}
	}},
	{"finds an ID taken, then looks by whom", "repeat-against-end", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if was, there := f.stored(r.ID); there && prev == core.NoVersion {
				runtime.Gosched()
				if now, _ := f.stored(was.ID); now.Version != r.Version {
					return core.ErrConflict
				}
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"ignores contexts", "context-ended", func(f *flawed) {
		f.delete = func(_ context.Context, id core.ID) error { return f.mapStore.Delete(context.Background(), id) }
	}},
	{"saves, then looks at its context", "context-ended-unchanged", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			return errors.Join(f.mapStore.Save(context.WithoutCancel(ctx), r, prev), ctx.Err())
		}
	}},
	{"has its own words for the end of a context", "context-ended context-cut", func(f *flawed) {
		f.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			r, err := f.mapStore.Load(ctx, id)
			if ctx.Err() != nil {
				err = hosts.ErrUnavailable
			}
			return r, err
		}
	}},
	{"reports success when it gave up", "context-ends context-ended", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			runtime.Gosched()
			if ctx.Err() != nil {
				return nil
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"loses the session when a save is cut off", "context-ends", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			err := f.mapStore.Save(ctx, r, prev)
			if errors.Is(err, context.Canceled) {
				_ = f.mapStore.Delete(context.Background(), r.ID)
			}
			return err
		}
	}},
}

// forgetFlaws are of stores that forget by themselves, and are not swept.
var forgetFlaws = []flaw{
	{"sets the time to forget at the insert only", "forget-late", func(f *flawed) {
		forget := make(map[core.ID]core.Time)
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if prev == core.NoVersion {
				forget[r.ID] = r.ExpiresAt + core.Minute
			}
			return f.mapStore.Save(ctx, r, prev)
		}
		f.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			if at, ok := forget[id]; ok && at < core.Time(time.Now().UnixMilli()) {
				return core.Record{}, core.ErrNotFound
			}
			return f.mapStore.Load(ctx, id)
		}
	}},
}
