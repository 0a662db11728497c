package conformance

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var batchFlaws = []flaw{
	{"answers one ID once", "load-many", func(f *flawed) {
		f.loadMany = func(ctx context.Context, ids []core.ID) []hosts.Loaded {
			ids = slices.Clone(ids)
			slices.SortFunc(ids, func(x, y core.ID) int { return bytes.Compare(x[:], y[:]) })
			return f.mapStore.LoadMany(ctx, slices.Compact(ids))
		}
	}},
	{"answers in its own order", "load-many", func(f *flawed) {
		f.loadMany = func(ctx context.Context, ids []core.ID) []hosts.Loaded {
			answers := f.mapStore.LoadMany(ctx, ids)
			slices.SortStableFunc(answers, func(x, y hosts.Loaded) int { return bytes.Compare(x.Record.ID[:], y.Record.ID[:]) })
			return answers
		}
	}},
	{"refuses a batch for one of it", "save-many", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := f.mapStore.SaveMany(ctx, saves)
			if err := errors.Join(errs...); err != nil {
				for i := range errs {
					errs[i] = err
				}
			}
			return errs
		}
	}},
	{"refuses the repetition of a batch", "save-many-repeated save-many", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := make([]error, len(saves))
			for i, s := range saves {
				if was, _ := f.stored(s.Record.ID); was.Version == s.Record.Version {
					errs[i] = core.ErrConflict
				} else {
					errs[i] = f.mapStore.Save(ctx, s.Record, s.Prev)
				}
			}
			return errs
		}
	}},
	{"looks at all, then writes all", "batches-at-once batches-against-saves batches-against-ends", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := make([]error, len(saves))
			for i, s := range saves {
				if was, _ := f.stored(s.Record.ID); was.Version != s.Prev {
					errs[i] = core.ErrConflict
				}
			}
			runtime.Gosched()
			for i, s := range saves {
				if errs[i] == nil {
					f.put(s.Record)
				}
			}
			return errs
		}
	}},
	{"drops the touches of a batch", "save-many-touches", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := f.mapStore.SaveMany(ctx, slices.DeleteFunc(slices.Clone(saves), func(s hosts.Saving) bool { return s.Touch }))
			answers := make([]error, len(saves))
			for i, s := range saves {
				if !s.Touch {
					answers[i], errs = errs[0], errs[1:]
				}
			}
			return answers
		}
	}},
	{"trims the names of a batch", "load-many-whole", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			saves = slices.Clone(saves)
			for i := range saves {
				saves[i].Record.Tenant = strings.TrimSpace(saves[i].Record.Tenant)
			}
			return f.mapStore.SaveMany(ctx, saves)
		}
	}},
	{"seals a batch in place", "save-many-leaves-bytes", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := make([]error, len(saves))
			for i, s := range saves {
				errs[i] = f.mapStore.Save(ctx, copied(s.Record), s.Prev)
				clear(s.Record.Sealed)
			}
			return errs
		}
	}},
	{"cuts answers from one buffer", "load-many-apart", func(f *flawed) {
		f.loadMany = func(ctx context.Context, ids []core.ID) []hosts.Loaded {
			var buffer buffer
			all := f.mapStore.LoadMany(ctx, ids)
			for i := range all {
				all[i].Record.Sealed = buffer.cut(all[i].Record.Sealed)
			}
			return all
		}
	}},
	{"answers many from a cache", "load-many-acknowledged", func(f *flawed) {
		cache := make(map[core.ID]hosts.Loaded)
		f.loadMany = func(ctx context.Context, ids []core.ID) []hosts.Loaded {
			all := f.mapStore.LoadMany(ctx, ids)
			f.mu.Lock()
			defer f.mu.Unlock()
			for i, id := range ids {
				if was, ok := cache[id]; ok && i%2 == 1 {
					all[i] = was
				}
				cache[id] = all[i]
			}
			return all
		}
	}},
	{"says that nothing was applied when it gave up waiting", "batch-cut", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := f.mapStore.SaveMany(context.WithoutCancel(ctx), saves)
			return failed(ctx, errs, len(errs))
		}
	}},
	{"fails half of a batch as a whole", "batch-cut", func(f *flawed) {
		f.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := f.mapStore.SaveMany(ctx, saves)
			return failed(ctx, errs, len(errs)/2)
		}
	}},
}

// failed makes n answers say that nothing was applied, if ctx has ended.
func failed(ctx context.Context, errs []error, n int) []error {
	runtime.Gosched()
	if err := ctx.Err(); err != nil {
		for i := range errs[:n] {
			errs[i] = errors.Join(hosts.ErrBatch, err)
		}
	}
	return errs
}
