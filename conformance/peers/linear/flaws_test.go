package linear_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/peers/linear"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func isNotFound(err error) bool { return errors.Is(err, core.ErrNotFound) }

// flawed is memory with some of its methods replaced.
type flawed struct {
	hosts.Store
	load   func(context.Context, core.ID) (core.Record, error)
	save   func(context.Context, core.Record, core.Version) error
	delete func(context.Context, core.ID) error
}

func (f *flawed) Load(ctx context.Context, id core.ID) (core.Record, error) { return f.load(ctx, id) }
func (f *flawed) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return f.save(ctx, r, prev)
}
func (f *flawed) Delete(ctx context.Context, id core.ID) error { return f.delete(ctx, id) }

func memory(t *testing.T) *flawed {
	s, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &flawed{s, s.Load, s.Save, s.Delete}
}

// flaws are what a judge must see.
var flaws = map[string]func(f *flawed){
	"puts blindly": func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, _ core.Version) error {
			for {
				was, err := f.Store.Load(ctx, r.ID)
				if err != nil && !isNotFound(err) {
					return err
				}
				if err := f.Store.Save(ctx, r, was.Version); !errors.Is(err, core.ErrConflict) {
					return err
				}
			}
		}
	},
	"resurrects": func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			err := f.Store.Save(ctx, r, prev)
			if errors.Is(err, core.ErrConflict) {
				if _, there := f.Store.Load(ctx, r.ID); isNotFound(there) {
					return f.Store.Save(ctx, r, core.NoVersion)
				}
			}
			return err
		}
	},
	"answers from a cache": func(f *flawed) {
		var cache sync.Map
		var calls atomic.Int64
		f.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			if was, ok := cache.Load(id); ok && calls.Add(1)%2 == 0 {
				return was.(core.Record), nil
			}
			r, err := f.Store.Load(ctx, id)
			if err == nil {
				cache.Store(id, r)
			}
			return r, err
		}
	},
	"forgets what it acknowledged": func(f *flawed) {
		var calls atomic.Int64
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if _, err := f.Store.Load(ctx, r.ID); err == nil && calls.Add(1)%10 == 0 {
				return nil
			}
			return f.Store.Save(ctx, r, prev)
		}
	},
	"ends what it says it does not": func(f *flawed) {
		f.delete = func(ctx context.Context, id core.ID) error {
			return errors.Join(f.Store.Delete(ctx, id), hosts.ErrBusy)
		}
	},
	"refuses a repetition": func(f *flawed) {
		f.save = func(ctx context.Context, r core.Record, prev core.Version) error {
			if was, err := f.Store.Load(ctx, r.ID); err == nil && was.Version == r.Version {
				return core.ErrConflict
			}
			return f.Store.Save(ctx, r, prev)
		}
	},
	"spoils bytes": func(f *flawed) {
		f.load = func(ctx context.Context, id core.ID) (core.Record, error) {
			r, err := f.Store.Load(ctx, id)
			if len(r.Sealed)%7 == 0 {
				r.Sealed = nil
			}
			return r, err
		}
	},
}

func TestFlawsAreSeen(t *testing.T) {
	for name, spoil := range flaws {
		t.Run(name, func(t *testing.T) {
			f := memory(t)
			spoil(f)
			err := judged(t, f, f, false)
			require.ErrorIs(t, err, linear.ErrNotLinear)
			require.Contains(t, err.Error(), "µs")
		})
	}
	t.Run("none", func(t *testing.T) {
		f := memory(t)
		require.NoError(t, judged(t, f, f, false))
	})
}

// Small histories, by hand. Times are calls and returns.
func TestCheck(t *testing.T) {
	a, b := linear.State{Version: 1}, linear.State{Version: 2}
	id := core.ID{1}
	op := func(call, ret int64, verb linear.Verb, s linear.State, prev core.Version, answer linear.Answer) linear.Op {
		return linear.Op{Client: "c", Call: call, Return: ret, Verb: verb, ID: id, State: s, Prev: prev, Answer: answer}
	}
	insert := op(0, 1, linear.Save, a, 0, linear.Done)
	for _, c := range []struct {
		name  string
		ops   []linear.Op
		right bool
	}{
		{"seen", []linear.Op{insert, op(2, 3, linear.Load, a, 0, linear.Done)}, true},
		{"not seen", []linear.Op{insert, op(2, 3, linear.Load, b, 0, linear.Missing)}, false},
		{"seen too early", []linear.Op{op(2, 3, linear.Save, a, 0, linear.Done), op(0, 1, linear.Load, a, 0, linear.Done)}, false},
		{"seen meanwhile", []linear.Op{op(0, 3, linear.Save, a, 0, linear.Done), op(1, 2, linear.Load, a, 0, linear.Done)}, true},
		{"sent again", []linear.Op{insert, op(2, 3, linear.Save, a, 0, linear.Done)}, true},
		{"taken", []linear.Op{insert, op(2, 3, linear.Save, b, 0, linear.Done)}, false},
		{"conflict for no reason", []linear.Op{insert, op(2, 3, linear.Save, b, 1, linear.Conflict)}, false},
		{"conflict with itself", []linear.Op{insert, op(2, 3, linear.Save, a, 0, linear.Conflict)}, false},
		{"lost, and done later", []linear.Op{insert, op(2, math.MaxInt64, linear.Save, b, 1, linear.Unknown),
			op(4, 5, linear.Load, a, 0, linear.Done), op(6, 7, linear.Load, b, 0, linear.Done)}, true},
		{"lost, and not done", []linear.Op{insert, op(2, math.MaxInt64, linear.Save, b, 1, linear.Unknown), op(4, 5, linear.Load, a, 0, linear.Done)}, true},
		{"lost, done, and undone", []linear.Op{insert, op(2, math.MaxInt64, linear.Save, b, 1, linear.Unknown),
			op(4, 5, linear.Load, b, 0, linear.Done), op(6, 7, linear.Load, a, 0, linear.Done)}, false},
		{"an end that is lost", []linear.Op{insert, op(2, math.MaxInt64, linear.Delete, a, 0, linear.Unknown), op(4, 5, linear.Load, a, 0, linear.Missing)}, true},
		{"an end that does not last", []linear.Op{insert, op(2, 3, linear.Delete, a, 0, linear.Done), op(4, 5, linear.Save, b, 1, linear.Done)}, false},
		{"a late save after the end", []linear.Op{insert, op(1, math.MaxInt64, linear.Save, b, 1, linear.Unknown),
			op(2, 3, linear.Delete, a, 0, linear.Done), op(4, 5, linear.Load, b, 0, linear.Done)}, false},
		{"refused, and done", []linear.Op{op(0, 1, linear.Save, a, 0, linear.Refused), op(2, 3, linear.Load, a, 0, linear.Done)}, false},
		{"other bytes", []linear.Op{insert, op(2, 3, linear.Load, linear.State{Version: 1, Sum: 9}, 0, linear.Done)}, false},
	} {
		err := linear.Check(c.ops)
		if c.right {
			require.NoError(t, err, c.name)
		} else {
			require.ErrorIs(t, err, linear.ErrNotLinear, c.name)
		}
	}
}

func TestReadForgivesTheLastLineOnly(t *testing.T) {
	whole := `{"N":0,"Op":{"Client":"c","Call":5,"Return":9,"Verb":"load"}}` + "\n"
	ops, err := linear.Read(strings.NewReader(whole + whole[:20]))
	require.NoError(t, err)
	require.Len(t, ops, 1)
	_, err = linear.Read(strings.NewReader(whole[:20] + "\n" + whole))
	require.Error(t, err)
}
