package conformance

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// behind is a copy of the store that gets what was stored some time later.
type behind struct {
	copy *mapStore
	by   time.Duration
}

// follow has every acknowledged change arrive in a copy after some time.
func (d *distant) follow(by time.Duration) *behind {
	b := &behind{newMapStore(), by}
	save, del := d.save, d.delete
	d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
		err := save(ctx, r, prev)
		if err == nil {
			time.AfterFunc(by, func() {
				b.copy.mu.Lock()
				defer b.copy.mu.Unlock()
				b.copy.records[r.ID] = r
			})
		}
		return err
	}
	d.delete = func(ctx context.Context, id core.ID) error {
		err := del(ctx, id)
		time.AfterFunc(by, func() { _ = b.copy.Delete(context.Background(), id) })
		return err
	}
	return b
}

// engineFlaws are what stores over a network get wrong about their engine.
var engineFlaws = []distantFlaw{
	{"reads from a copy that follows", "load-elsewhere load-acknowledged", func(d *distant) {
		b := d.follow(10 * time.Millisecond)
		d.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			a, err := send(ctx, d.net, func() loaded { r, err := b.copy.Load(context.Background(), id); return loaded{r, err} })
			return a.r, errors.Join(err, a.err)
		}
	}},
	{"lists from an index that follows", "find-acknowledged find-follows-saves", func(d *distant) {
		b := d.follow(10 * time.Millisecond)
		d.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			return send(ctx, d.net, func() []core.Record { f, _ := b.copy.Find(context.Background(), q, after, limit); return f })
		}
	}},
	{"acknowledges what it has put in a queue", "load-elsewhere load-acknowledged one-winner", func(d *distant) {
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if err := r.Check(); err != nil {
				return err
			}
			time.AfterFunc(5*time.Millisecond, func() { _ = d.mapStore.Save(context.Background(), r, prev) })
			return ctx.Err()
		}
	}},
	{"takes a page of a megabyte for the last", "find-large", func(d *distant) {
		find := d.find
		d.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			found, err := find(ctx, q, after, limit)
			size := 0
			for i, r := range found {
				if size += len(r.Sealed); size > 1<<20 {
					return found[:i], err
				}
			}
			return found, err
		}
	}},
	{"looks at the version in one request and writes in the next", "one-winner no-lost-update end-against-saves", func(d *distant) {
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			was, err := d.load(ctx, r.ID)
			switch {
			case err != nil && !errors.Is(err, core.ErrNotFound):
				return err
			case was.Version == r.Version:
				return nil
			case was.Version != prev:
				return core.ErrConflict
			}
			return sendError(ctx, d.net, func() error { d.put(r); return nil })
		}
	}},
	{"ends only the version that it has read", "end-against-saves batches-against-ends", func(d *distant) {
		d.delete = func(ctx context.Context, id core.ID) error {
			was, err := d.load(ctx, id)
			if errors.Is(err, core.ErrNotFound) {
				return nil
			}
			return errors.Join(err, sendError(ctx, d.net, func() error {
				if now, _ := d.stored(id); now.Version == was.Version {
					return d.mapStore.Delete(context.Background(), id)
				}
				return nil
			}))
		}
	}},
	{"takes what a batch left undone for missing", "load-many", func(d *distant) {
		d.loadMany = func(ctx context.Context, ids []core.ID) []hosts.Loaded {
			all, err := send(ctx, d.net, func() []hosts.Loaded { return d.mapStore.LoadMany(context.Background(), ids[:min(100, len(ids))]) })
			for range len(ids) - len(all) {
				all = append(all, hosts.Loaded{Err: errors.Join(err, core.ErrNotFound)})
			}
			return all
		}
	}},
	{"takes two at once for a conflict", "same-save-at-once one-winner", func(d *distant) {
		var mu sync.Mutex
		busy := make(map[core.ID]int)
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			mu.Lock()
			busy[r.ID]++
			others := busy[r.ID] > 1
			mu.Unlock()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				busy[r.ID]--
			}()
			if err := save(ctx, r, prev); err != nil || !others {
				return err
			}
			return core.ErrConflict
		}
	}},
	{"deletes what it has listed before", "sweep-again", func(d *distant) {
		d.sweep = func(ctx context.Context, before core.Time, limit int) (n int, err error) {
			for _, r := range d.chosen(before, limit) {
				if err := d.delete(ctx, r.ID); err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		}
	}},
}
