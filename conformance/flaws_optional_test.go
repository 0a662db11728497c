package conformance

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var sweepFlaws = []flaw{
	{"counts one too many", "sweep-empty sweep-limit", func(f *flawed) {
		f.sweep = func(ctx context.Context, before core.Time, limit int) (int, error) {
			n, err := f.mapStore.Sweep(ctx, before, limit)
			return n + 1, err
		}
	}},
	{"goes by the first expiry", "sweep-expired sweep-again", func(f *flawed) {
		first := make(map[core.ID]core.Time)
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			err := f.mapStore.Save(ctx, r, prev)
			f.mu.Lock()
			defer f.mu.Unlock()
			if _, there := first[r.ID]; !there && err == nil {
				first[r.ID] = r.ExpiresAt
			}
			return err
		}
		f.sweep = func(_ context.Context, before core.Time, limit int) (n int, err error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			for id := range f.records {
				if n < limit && first[id] < before {
					delete(f.records, id)
					n++
				}
			}
			return n, nil
		}
	}},
	{"takes the boundary too", "sweep-boundary sweep-twice", func(f *flawed) {
		f.sweep = func(ctx context.Context, before core.Time, limit int) (int, error) {
			return f.mapStore.Sweep(ctx, before+1, limit)
		}
	}},
	{"takes 900 at the most", "sweep-limit", func(f *flawed) {
		f.sweep = func(ctx context.Context, before core.Time, limit int) (int, error) {
			return f.mapStore.Sweep(ctx, before, min(limit, 900))
		}
	}},
	{"knows no limit", "sweep-limit", func(f *flawed) {
		f.sweep = func(ctx context.Context, before core.Time, limit int) (int, error) {
			n, err := f.mapStore.Sweep(ctx, before, 1<<20)
			return min(n, limit), err
		}
	}},
	{"does not look again", "sweep-again", func(f *flawed) {
		f.sweep = func(ctx context.Context, before core.Time, limit int) (n int, err error) {
			for _, r := range f.chosen(before, limit) {
				runtime.Gosched()
				if _, there := f.stored(r.ID); there && f.mapStore.Delete(ctx, r.ID) == nil {
					n++
				}
			}
			return n, nil
		}
	}},
	{"counts what it has chosen", "sweep-twice", func(f *flawed) {
		f.sweep = func(ctx context.Context, before core.Time, limit int) (int, error) {
			chosen := f.chosen(before, limit)
			for _, r := range chosen {
				runtime.Gosched()
				_ = f.mapStore.Delete(ctx, r.ID)
			}
			return len(chosen), nil
		}
	}},
}

// filter answers Find from all records that keep says, in order.
func (f *flawed) filter(keep func(hosts.Query, core.Record) bool) {
	f.find = func(_ context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
		all := slices.DeleteFunc(f.all(), func(r core.Record) bool {
			return !keep(q, r) || bytes.Compare(r.ID[:], after[:]) <= 0
		})
		sortByID(all)
		return all[:min(limit, len(all))], nil
	}
}

var findFlaws = []flaw{
	{"forgets every fifth", "find-selects find-names find-order find-pages find-changing", func(f *flawed) {
		f.filter(func(q hosts.Query, r core.Record) bool { return q.Matches(&r) && r.ID[3]%5 != 0 })
	}},
	{"joins tenant and user", "find-selects", func(f *flawed) {
		f.filter(func(q hosts.Query, r core.Record) bool {
			return q.Matches(&r) || !q.AnyTenant && !q.AnyUser && q.Tenant+q.User == r.Tenant+r.User
		})
	}},
	{"hides the expired", "find-expired", func(f *flawed) {
		f.filter(func(q hosts.Query, r core.Record) bool { return q.Matches(&r) && !expiredNow(r) })
	}},
	{"returns 900 at the most", "find-pages", func(f *flawed) {
		f.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			return f.mapStore.Find(ctx, q, after, min(limit, 900))
		}
	}},
	{"compares names without case", "find-names find-selects", func(f *flawed) {
		f.filter(func(q hosts.Query, r core.Record) bool {
			return q.Matches(&r) || !q.AnyTenant && strings.EqualFold(q.Tenant, r.Tenant) && (q.AnyUser || strings.EqualFold(q.User, r.User))
		})
	}},
	{"indexes the first user only", "find-follows-saves", func(f *flawed) {
		first := make(map[core.ID]string)
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if prev == core.NoVersion {
				first[r.ID] = r.User
			}
			return f.mapStore.Save(ctx, r, prev)
		}
		f.filter(func(q hosts.Query, r core.Record) bool {
			user := r.User
			r.User = first[r.ID]
			byIndex := q.Matches(&r)
			r.User = user
			return byIndex && q.Matches(&r)
		})
	}},
	{"lists the ended", "find-ended", func(f *flawed) {
		var ended []core.Record
		f.delete = func(ctx context.Context, id core.ID) error {
			r, _ := f.stored(id)
			ended = append(ended, r)
			return f.mapStore.Delete(ctx, id)
		}
		f.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			found, err := f.mapStore.Find(ctx, q, after, limit)
			found = append(found, ended...)
			sortByID(found)
			return found, err
		}
	}},
	{"orders by the text", "find-order", func(f *flawed) {
		f.find = func(_ context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			all := slices.DeleteFunc(f.all(), func(r core.Record) bool {
				return !q.Matches(&r) || !after.IsZero() && r.ID.String() <= after.String()
			})
			slices.SortFunc(all, func(x, y core.Record) int { return strings.Compare(x.ID.String(), y.ID.String()) })
			return all[:min(limit, len(all))], nil
		}
	}},
	{"limits before it filters", "find-pages", func(f *flawed) {
		f.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			found, err := f.mapStore.Find(ctx, everything, after, limit)
			return slices.DeleteFunc(found, func(r core.Record) bool { return !q.Matches(&r) }), err
		}
	}},
	{"begins behind a record that must exist", "find-changing find-order", func(f *flawed) {
		f.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			if _, there := f.stored(after); !there && !after.IsZero() {
				return nil, nil
			}
			return f.mapStore.Find(ctx, q, after, limit)
		}
	}},
	{"takes out, then puts in", "find-under-saves", func(f *flawed) {
		hidden := make(map[core.ID]bool)
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			hide := func(yes bool) {
				f.mu.Lock()
				hidden[r.ID] = yes
				f.mu.Unlock()
			}
			hide(true)
			runtime.Gosched()
			defer hide(false)
			return f.mapStore.Save(ctx, r, prev)
		}
		f.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			found, err := f.mapStore.Find(ctx, q, after, 1<<20)
			f.mu.Lock()
			defer f.mu.Unlock()
			found = slices.DeleteFunc(found, func(r core.Record) bool { return hidden[r.ID] })
			return found[:min(limit, len(found))], err
		}
	}},
	{"cuts what it finds from one buffer", "find-apart", func(f *flawed) {
		f.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			found, err := f.mapStore.Find(ctx, q, after, limit)
			var buffer buffer
			for i := range found {
				found[i].Sealed = buffer.cut(found[i].Sealed)
			}
			return found, err
		}
	}},
	{"finds in a copy that it renews now and then", "find-acknowledged find-follows-saves", func(f *flawed) {
		var copied []core.Record
		calls := 0
		f.find = func(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
			f.mu.Lock()
			again := calls%3 == 0
			calls++
			f.mu.Unlock()
			if !again {
				f.mu.Lock()
				defer f.mu.Unlock()
				return copied, nil
			}
			found, err := f.mapStore.Find(ctx, q, after, limit)
			f.mu.Lock()
			defer f.mu.Unlock()
			copied = found
			return found, err
		}
	}},
}

// buffer is memory from which answers are cut, one behind the other.
type buffer struct{ all []byte }

func (b *buffer) cut(p []byte) []byte {
	if b.all == nil {
		b.all = make([]byte, 0, 1<<20)
	}
	start := len(b.all)
	b.all = append(b.all, p...)
	return b.all[start:]
}
