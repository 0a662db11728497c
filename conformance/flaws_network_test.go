package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// distantFlaw is a mistake that is made, and must be seen, at the latency of a
// network.
type distantFlaw struct {
	name   string
	breaks string
	make   func(d *distant)
}

// swallowed makes an error that is the context's nil.
func swallowed(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// closing is the end of the goroutines of flaws that leave some.
func closing() <-chan time.Time { return time.After(time.Minute) }

var cutFlaws = []distantFlaw{
	{"swallows a deadline in Save", "cut-save", func(d *distant) {
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return swallowed(save(ctx, r, prev))
		}
	}},
	{"swallows a deadline in Delete", "cut-delete", func(d *distant) {
		del := d.delete
		d.delete = func(ctx context.Context, id core.ID) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return swallowed(del(ctx, id))
		}
	}},
	{"swallows a deadline in a batch", "batch-cut", func(d *distant) {
		saveMany := d.saveMany
		d.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := saveMany(ctx, saves)
			for i, err := range errs {
				if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
					errs[i] = nil
				}
			}
			return errs
		}
	}},
	{"answers ErrBatch for what is on its way", "batch-cut", func(d *distant) {
		saveMany := d.saveMany
		d.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := saveMany(ctx, saves)
			if err := ctx.Err(); err != nil {
				return allOf(len(saves), fmt.Errorf("%w: %w", hosts.ErrBatch, err))
			}
			return errs
		}
	}},
	{"answers ErrBatch when the second piece fails", "batch-cut", func(d *distant) {
		saveMany := d.saveMany
		d.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			var errs []error
			for piece := range slices.Chunk(saves, 100) {
				errs = append(errs, saveMany(ctx, piece)...)
				if err := ctx.Err(); err != nil {
					return allOf(len(saves), fmt.Errorf("%w: %w", hosts.ErrBatch, err))
				}
			}
			return errs
		}
	}},
	{"takes what was cut off for missing", "cut-load", func(d *distant) {
		load := d.load
		d.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			r, err := load(ctx, id)
			if err != nil && !errors.Is(err, context.Canceled) {
				return r, core.ErrNotFound
			}
			return r, err
		}
	}},
	{"takes what was not answered for missing in a batch", "load-many-cut", func(d *distant) {
		loadMany := d.loadMany
		d.loadMany = func(ctx context.Context, ids []core.ID) []hosts.Loaded {
			all := loadMany(ctx, ids)
			for i := range all {
				if errors.Is(all[i].Err, context.DeadlineExceeded) {
					all[i].Err = core.ErrNotFound
				}
			}
			return all
		}
	}},
	{"takes what was cut off for another's", "cut-save", func(d *distant) {
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if err := save(ctx, r, prev); err != nil {
				return errors.Join(core.ErrConflict, err)
			}
			return nil
		}
	}},
	{"has the driver's words for a deadline", "cut-save", func(d *distant) {
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if err := save(ctx, r, prev); errors.Is(err, context.DeadlineExceeded) {
				return os.ErrDeadlineExceeded
			} else {
				return err
			}
		}
	}},
	{"looks at the context only when it begins", "cut-returns", func(d *distant) {
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return save(context.WithoutCancel(ctx), r, prev)
		}
	}},
	{"looks at the context when it begins and when it ends", "cut-returns", func(d *distant) {
		find := d.find
		d.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			found, err := find(context.WithoutCancel(ctx), q, after, limit)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return found, err
		}
	}},
	{"returns the part of a page that it has", "cut-find", func(d *distant) {
		d.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			var found []core.Record
			for len(found) < limit {
				page, err := send(ctx, d.net, func() []core.Record { p, _ := d.mapStore.Find(context.Background(), q, after, 5); return p })
				if err != nil && len(found) > 0 {
					return found, nil
				}
				if found = append(found, page...); err != nil || len(page) < 5 {
					return found, err
				}
				after = page[4].ID
			}
			return found[:limit], nil
		}
	}},
	{"sweeps as far as it comes", "sweep-cut", func(d *distant) {
		d.sweep = func(ctx context.Context, before core.Time, limit int) (n int, err error) {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			for n < limit && ctx.Err() == nil {
				some, err := send(ctx, d.net, func() int { n, _ := d.mapStore.Sweep(context.Background(), before, 4); return n })
				if n += some; err == nil && some < 4 {
					break
				}
			}
			return n, nil
		}
	}},
	{"writes the index behind the record", "cut-index", func(d *distant) { d.indexed(false) }},
	{"takes the index out before the record", "cut-index", func(d *distant) { d.indexed(true) }},
	{"has a goroutine that waits for more", "calls-leave-nothing", func(d *distant) {
		load := d.load
		d.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			over := closing()
			go func() { <-over }()
			return load(ctx, id)
		}
	}},
	{"leaves one who answers nobody", "calls-leave-nothing", func(d *distant) {
		find := d.find
		d.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			answer, over := make(chan []core.Record), closing()
			go func() {
				found, _ := find(context.Background(), q, after, limit)
				select {
				case answer <- found:
				case <-over:
				}
			}()
			select {
			case found := <-answer:
				return found, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}},
}

// indexed finds by an index that has a request of its own.
func (d *distant) indexed(early bool) {
	var mu sync.Mutex
	index := make(map[core.ID]bool)
	note := func(ctx context.Context, id core.ID, there bool) error {
		return sendError(ctx, d.net, func() error {
			mu.Lock()
			defer mu.Unlock()
			index[id] = there
			return nil
		})
	}
	save, del, find := d.save, d.delete, d.find
	d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
		if early {
			return errors.Join(note(ctx, r.ID, true), save(ctx, r, prev))
		}
		if err := save(ctx, r, prev); err != nil {
			return err
		}
		return note(ctx, r.ID, true)
	}
	d.delete = func(ctx context.Context, id core.ID) error {
		if early {
			if err := note(ctx, id, false); err != nil {
				return err
			}
		}
		if err := del(ctx, id); err != nil {
			return err
		}
		return note(ctx, id, false)
	}
	d.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
		found, err := find(ctx, q, after, limit)
		mu.Lock()
		defer mu.Unlock()
		return slices.DeleteFunc(found, func(r core.Record) bool { return !index[r.ID] }), err
	}
}

// lateFlaws are not of a call that is cut off.
var lateFlaws = []distantFlaw{
	{"remembers beside the record what it has done", "ended-is-new", func(d *distant) {
		var mu sync.Mutex
		done := make(map[core.Version]error)
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			mu.Lock()
			err, again := done[r.Version]
			mu.Unlock()
			if again {
				return err
			}
			if err = save(ctx, r, prev); err == nil {
				mu.Lock()
				done[r.Version] = nil
				mu.Unlock()
			}
			return err
		}
	}},
	{"keeps a mark where a session has ended", "ended-is-new", func(d *distant) {
		var mu sync.Mutex
		ended := make(map[core.ID]bool)
		save, del := d.save, d.delete
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			mu.Lock()
			defer mu.Unlock()
			if ended[r.ID] {
				return core.ErrConflict
			}
			return save(ctx, r, prev)
		}
		d.delete = func(ctx context.Context, id core.ID) error {
			mu.Lock()
			defer mu.Unlock()
			ended[id] = true
			return del(ctx, id)
		}
	}},
}

// near is the latency of a near network.
const near = 2 * time.Millisecond

var distantFlaws = slices.Concat(cutFlaws, lateFlaws, engineFlaws)

// Calls that are cut off too late or too early show nothing: the moments must
// fit how long a call takes. On processors that are busy with other things they
// may fit badly, as in TestShortWindowsAreSeen.
func TestDistantFlawsAreSeen(t *testing.T) {
	const tries = 5
	for _, flaw := range distantFlaws {
		t.Run(flaw.name, func(t *testing.T) {
			t.Parallel()
			for name := range strings.FieldsSeq(flaw.breaks) {
				c := caseNamed(t, name)
				seen := ""
				for n := 0; n < tries && seen == ""; n++ {
					d := newDistant(near)
					flaw.make(d)
					if seen = c.run(t.Context(), d, d); seen == "" {
						t.Logf("try %d of %s sees nothing", n, name)
					}
				}
				require.NotEmpty(t, seen, "case %s does not see a store that %s", name, flaw.name)
			}
		})
	}
}
