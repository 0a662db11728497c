package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

func TestOutageOfARightStore(t *testing.T) {
	d := newDistant(near)
	TestOutage(t, func(*testing.T) hosts.Store { return d }, d.net)
}

// outageFlaws are mistakes that show while an engine is out, or after that.
var outageFlaws = []distantFlaw{
	{"takes a server that is gone for a session that is", "outage-down outage-lost", func(d *distant) {
		load := d.load
		d.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			r, err := load(ctx, id)
			if errors.Is(err, hosts.ErrUnavailable) {
				return r, core.ErrNotFound
			}
			return r, err
		}
	}},
	{"ends sessions as well as it can", "outage-down outage-lost", func(d *distant) {
		del := d.delete
		d.delete = func(ctx context.Context, id core.ID) error {
			if err := del(ctx, id); !errors.Is(err, hosts.ErrUnavailable) {
				return err
			}
			return nil
		}
	}},
	{"saves later what it cannot save now", "outage-down", func(d *distant) {
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if err := save(ctx, r, prev); !errors.Is(err, hosts.ErrUnavailable) {
				return err
			}
			return nil
		}
	}},
	{"takes every failure for a conflict", "outage-down outage-lost-once outage-under-way", func(d *distant) {
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if err := save(ctx, r, prev); errors.Is(err, hosts.ErrUnavailable) {
				return core.ErrConflict
			} else {
				return err
			}
		}
	}},
	{"finds nothing where nobody answers", "outage-down", func(d *distant) {
		find := d.find
		d.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			found, err := find(ctx, q, after, limit)
			if errors.Is(err, hosts.ErrUnavailable) {
				return nil, nil
			}
			return found, err
		}
	}},
	{"has swept where nobody answers", "outage-down", func(d *distant) {
		sweep := d.sweep
		d.sweep = func(ctx context.Context, before core.Time, limit int) (int, error) {
			n, err := sweep(ctx, before, limit)
			if errors.Is(err, hosts.ErrUnavailable) {
				err = nil
			}
			return n, err
		}
	}},
	{"takes what a batch has not loaded for missing", "outage-down", func(d *distant) {
		loadMany := d.loadMany
		d.loadMany = func(ctx context.Context, ids []core.ID) []hosts.Loaded {
			all := loadMany(ctx, ids)
			for i := range all {
				if errors.Is(all[i].Err, hosts.ErrUnavailable) {
					all[i].Err = core.ErrNotFound
				}
			}
			return all
		}
	}},
	{"looks at the context only when it begins", "outage-stall", func(d *distant) {
		load := d.load
		d.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			if ctx.Err() != nil {
				return core.Record{}, ctx.Err()
			}
			return load(context.WithoutCancel(ctx), id)
		}
	}},
	{"waits for a lock without looking at the context", "outage-stall", func(d *distant) {
		var one sync.Mutex
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			one.Lock()
			defer one.Unlock()
			return save(ctx, r, prev)
		}
	}},
	{"asks again by itself, and loses to itself", "outage-lost-once", func(d *distant) {
		strict := func(ctx context.Context, r core.Record, prev core.Version) error {
			return sendError(ctx, d.net, func() error {
				if was, _ := d.stored(r.ID); was.Version != prev {
					return core.ErrConflict
				}
				return d.mapStore.Save(context.Background(), r, prev)
			})
		}
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if was, err := d.load(ctx, r.ID); err == nil && was.Version == r.Version {
				return nil
			}
			err := strict(ctx, r, prev)
			if errors.Is(err, hosts.ErrUnavailable) {
				err = strict(ctx, r, prev)
			}
			return err
		}
	}},
	{"does not come back", "outage-down", func(d *distant) {
		var gone atomic.Bool
		load := d.load
		d.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			if gone.Load() {
				return core.Record{}, hosts.ErrUnavailable
			}
			r, err := load(ctx, id)
			if errors.Is(err, hosts.ErrUnavailable) {
				gone.Store(true)
			}
			return r, err
		}
	}},
	{"comes back without what it was told", "outage-stall outage-down outage-under-way", func(d *distant) {
		save := d.save
		d.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			err := save(ctx, r, prev)
			if err != nil && !errors.Is(err, core.ErrConflict) {
				d.mu.Lock()
				clear(d.records)
				d.mu.Unlock()
			}
			return err
		}
	}},
	{"says that a batch which lands later is not applied", "outage-stall", func(d *distant) {
		saveMany := d.saveMany
		d.saveMany = func(ctx context.Context, saves []hosts.Saving) []error {
			errs := saveMany(ctx, saves)
			if ctx.Err() != nil {
				return allOf(len(saves), fmt.Errorf("%w: %w", hosts.ErrBatch, ctx.Err()))
			}
			return errs
		}
	}},
}

func TestOutageFlawsAreSeen(t *testing.T) {
	seen := map[string]bool{}
	for _, flaw := range outageFlaws {
		for name := range strings.FieldsSeq(flaw.breaks) {
			seen[name] = true
			t.Run(flaw.name+" "+name, func(t *testing.T) {
				t.Parallel()
				d := newDistant(near)
				flaw.make(d)
				c := options{way: d.net}.prepared(caseNamed(t, name))
				require.NotEmpty(t, c.run(t.Context(), d, d))
			})
		}
	}
	for _, c := range outageCases {
		require.True(t, seen[c.name], "no flaw breaks %s", c.name)
	}
}
