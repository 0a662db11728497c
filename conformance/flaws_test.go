package conformance

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// flawed is a map store with some of its methods replaced.
type flawed struct {
	*mapStore
	load     func(context.Context, core.ID) (core.Record, error)
	save     func(context.Context, core.Record, core.Version) error
	delete   func(context.Context, core.ID) error
	sweep    func(context.Context, core.Time, int) (int, error)
	find     func(context.Context, hosts.Query, core.ID, int) ([]core.Record, error)
	loadMany func(context.Context, []core.ID) []hosts.Loaded
	saveMany func(context.Context, []hosts.Saving) []error
	endMany  func(context.Context, []core.ID) []error
}

func newFlawed() *flawed {
	m := newMapStore()
	return &flawed{m, m.Load, m.Save, m.Delete, m.Sweep, m.Find, m.LoadMany, m.SaveMany, m.DeleteMany}
}

func (f *flawed) Load(ctx context.Context, id core.ID) (core.Record, error) { return f.load(ctx, id) }
func (f *flawed) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return f.save(ctx, r, prev)
}
func (f *flawed) DeleteMany(ctx context.Context, ids []core.ID) []error { return f.endMany(ctx, ids) }
func (f *flawed) Delete(ctx context.Context, id core.ID) error          { return f.delete(ctx, id) }
func (f *flawed) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	return f.sweep(ctx, before, limit)
}
func (f *flawed) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	return f.find(ctx, q, after, limit)
}
func (f *flawed) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	return f.loadMany(ctx, ids)
}
func (f *flawed) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	return f.saveMany(ctx, saves)
}

// put stores r whatever is there.
func (f *flawed) put(r core.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records[r.ID] = r
}

func (f *flawed) stored(id core.ID) (core.Record, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.records[id]
	return r, ok
}

func expiredNow(r core.Record) bool { return r.ExpiresAt < core.Time(time.Now().UnixMilli()) }

// altered stores what alter makes of each record.
func (f *flawed) altered(alter func(*core.Record)) {
	f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
		err := f.mapStore.Save(ctx, r, prev)
		if err == nil {
			alter(&r)
			f.put(r)
		}
		return err
	}
}

// keyed stores each record under what key makes of its ID.
func (f *flawed) keyed(key func(core.ID) core.ID) {
	f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
		r.ID = key(r.ID)
		return f.mapStore.Save(ctx, r, prev)
	}
	f.load = func(ctx context.Context, id core.ID) (core.Record, error) {
		r, err := f.mapStore.Load(ctx, key(id))
		r.ID = id
		return r, err
	}
}

// flaw is a mistake that stores really make, and the cases that must see it.
type flaw struct {
	name   string
	breaks string
	make   func(f *flawed)
}

var saveFlaws = []flaw{
	{"puts blindly", "insert-taken replace-wrong-prev schedules no-lost-update one-winner one-insert-wins ended-stays-ended", func(f *flawed) {
		f.save = func(_ context.Context, r core.Record, _ core.Version) error { f.put(r); return nil }
	}},
	{"ignores the version", "replace-wrong-prev schedules no-lost-update one-winner lost-answer save-repeated-late", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if _, there := f.stored(r.ID); there != (prev != core.NoVersion) {
				return core.ErrConflict
			}
			f.put(r)
			return nil
		}
	}},
	{"inserts where it should replace", "replace-missing ended-stays-ended end-against-saves delete", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if _, there := f.stored(r.ID); !there {
				prev = core.NoVersion
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"refuses a repetition", "save-repeated same-save-at-once lost-answer", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if was, _ := f.stored(r.ID); was.Version == r.Version {
				return core.ErrConflict
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"remembers every version as done", "save-repeated-late lost-answer", func(f *flawed) {
		done := make(map[core.Version]bool)
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			f.mu.Lock()
			again := done[r.Version]
			done[r.Version] = true
			f.mu.Unlock()
			if again {
				return nil
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"looks, then writes", "one-insert-wins one-winner no-lost-update end-against-saves", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if was, _ := f.stored(r.ID); was.Version != prev {
				return core.ErrConflict
			}
			runtime.Gosched()
			f.put(r)
			return nil
		}
	}},
	{"inserts over an expired record", "insert-taken", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if was, _ := f.stored(r.ID); was.Version != r.Version && prev == core.NoVersion && expiredNow(was) {
				_ = f.mapStore.Delete(ctx, r.ID)
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"does not replace an expired record", "replace-prev", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if was, there := f.stored(r.ID); there && was.Version != r.Version && expiredNow(was) {
				return core.ErrConflict
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"takes a busy lock for a conflict", "same-save-at-once", func(f *flawed) {
		busy := make(chan struct{}, 1)
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			select {
			case busy <- struct{}{}:
			default:
				return core.ErrConflict
			}
			runtime.Gosched()
			err := f.mapStore.Save(ctx, r, prev)
			<-busy
			return err
		}
	}},
	{"writes the fields one by one", "load-whole", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			torn := r
			was, _ := f.stored(r.ID)
			torn.Sealed = was.Sealed
			err := f.mapStore.Save(ctx, torn, prev)
			runtime.Gosched()
			if err == nil {
				f.put(r)
			}
			return err
		}
	}},
	{"writes the bytes only when it replaces", "replace-prev find-follows-saves sweep-expired", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if was, there := f.stored(r.ID); there {
				r.User, r.ExpiresAt = was.User, was.ExpiresAt
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"refuses with words of its own", "bounds-named", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if r.Check() != nil {
				return errors.New("value too long for column")
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"seals in place", "save-leaves-bytes", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			defer clear(r.Sealed)
			return f.mapStore.Save(ctx, copied(r), prev)
		}
	}},
	{"appends a checksum", "save-leaves-bytes", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			_ = append(r.Sealed, 1, 2, 3, 4)
			return f.mapStore.Save(ctx, copied(r), prev)
		}
	}},
	{"drops touches", "touch", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if _, there := f.stored(r.ID); there && hosts.IsTouch(ctx) {
				return nil
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
	{"takes a touch's conflict for success", "touch", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			err := f.mapStore.Save(ctx, r, prev)
			if hosts.IsTouch(ctx) && errors.Is(err, core.ErrConflict) {
				return nil
			}
			return err
		}
	}},
	{"does not check", "bounds", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if r.Check() != nil {
				f.put(r)
			}
			return f.mapStore.Save(ctx, r, prev)
		}
	}},
}

var loadFlaws = []flaw{
	{"finds what is not there", "load-missing fresh delete", func(f *flawed) {
		f.load = func(_ context.Context, id core.ID) (core.Record, error) { r, _ := f.stored(id); return r, nil }
	}},
	{"keeps seconds", "load-times", func(f *flawed) { f.altered(func(r *core.Record) { r.CreatedAt -= r.CreatedAt % core.Second }) }},
	{"keeps versions as floats", "load-versions replace-wrong-prev", func(f *flawed) {
		f.altered(func(r *core.Record) { r.Version = core.Version(float64(r.Version)) })
	}},
	{"ends bytes at NUL", "load-sealed", func(f *flawed) {
		f.altered(func(r *core.Record) { r.Sealed, _, _ = bytes.Cut(r.Sealed, []byte{0}) })
	}},
	{"cuts long bytes", "load-sealed", func(f *flawed) {
		f.altered(func(r *core.Record) { r.Sealed = r.Sealed[:min(len(r.Sealed), 1<<20)] })
	}},
	{"trims names", "load-names find-names find-selects", func(f *flawed) {
		f.altered(func(r *core.Record) { r.User = strings.TrimSpace(r.User) })
	}},
	{"folds the case of IDs", "ids-distinct", func(f *flawed) {
		f.keyed(func(id core.ID) (folded core.ID) {
			copy(folded[:], strings.ToLower(id.String())[6:])
			return folded
		})
	}},
	{"folds the case of an ID's bytes", "ids-distinct", func(f *flawed) {
		f.keyed(func(id core.ID) core.ID {
			for i, b := range id {
				if 'A' <= b && b <= 'Z' {
					id[i] = b + 'a' - 'A'
				}
			}
			return id
		})
	}},
	{"judges the expiry", "load-expired", func(f *flawed) {
		f.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			r, err := f.mapStore.Load(ctx, id)
			if expiredNow(r) {
				return core.Record{}, core.ErrNotFound
			}
			return r, err
		}
	}},
	{"writes into the bytes it has given away", "kept-record", func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			was, _ := f.stored(r.ID)
			err := f.mapStore.Save(ctx, r, prev)
			if err == nil && len(was.Sealed) == len(r.Sealed) {
				copy(was.Sealed, r.Sealed)
				r.Sealed = was.Sealed
				f.put(r)
			}
			return err
		}
	}},
	{"gives away the end of its arena", "changed-fields", func(f *flawed) {
		arena := make([]byte, 0, 1<<20)
		f.altered(func(r *core.Record) {
			start := len(arena)
			arena = append(arena, r.Sealed...)
			r.Sealed = arena[start:]
		})
	}},
	{"remembers what was missing", "load-elsewhere", func(f *flawed) {
		missing := make(map[core.ID]bool)
		f.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			r, err := f.mapStore.Load(ctx, id)
			if err != nil {
				missing[id] = true
			}
			if missing[id] {
				return core.Record{}, core.ErrNotFound
			}
			return r, err
		}
	}},
	{"keeps an old answer", "load-acknowledged load-elsewhere", func(f *flawed) {
		cache := make(map[core.ID]core.Record)
		f.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			f.mu.Lock()
			r, ok := cache[id]
			f.mu.Unlock()
			if ok {
				return r, nil
			}
			r, err := f.mapStore.Load(ctx, id)
			if err == nil {
				f.mu.Lock()
				cache[id] = r
				f.mu.Unlock()
			}
			return r, err
		}
	}},
}

// all returns a copy of every record in no order.
func (f *flawed) all() []core.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []core.Record
	for _, r := range f.records {
		all = append(all, r)
	}
	return all
}

// chosen returns what a sweep would take.
func (f *flawed) chosen(before core.Time, limit int) []core.Record {
	all := slices.DeleteFunc(f.all(), func(r core.Record) bool { return r.ExpiresAt >= before })
	return all[:min(limit, len(all))]
}
