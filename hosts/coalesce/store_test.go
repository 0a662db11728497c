package coalesce_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

func coalescer(t *testing.T, b coalesce.Backend, o coalesce.Options) *coalesce.Store {
	t.Helper()
	c, err := coalesce.New(b, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func TestStoreKeepsTheContract(t *testing.T) {
	for name, o := range map[string]coalesce.Options{
		"as it comes":    {},
		"never directly": {Direct: -1},
		"in small steps": {Direct: -1, BatchCalls: 3, BatchBytes: 700, Workers: 2},
		"in many hands":  {Direct: 8, Workers: 4, BatchCalls: 5},
	} {
		t.Run(name, func(t *testing.T) {
			open := func(t *testing.T) hosts.Store {
				m := memory(t)
				return coalescer(t, &batcher{Store: m}, o)
			}
			var short []conformance.Option
			if name != "never directly" {
				short = soak.Unless(t, conformance.Brief())
			}
			conformance.TestStore(t, open, short...)
			if o.Direct == -1 {
				conformance.TestModel(t, open)
			}
		})
	}
	t.Run("beside another", func(t *testing.T) {
		conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
			m := memory(t)
			shared := &batcher{Store: m}
			return coalescer(t, shared, coalesce.Options{Direct: -1}), coalescer(t, shared, coalesce.Options{})
		})
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for _, c := range []struct {
		field string
		o     coalesce.Options
	}{
		{"Direct", coalesce.Options{Direct: -2}},
		{"Workers", coalesce.Options{Workers: -1}},
		{"BatchCalls", coalesce.Options{BatchCalls: -1}},
		{"BatchBytes", coalesce.Options{BatchBytes: -1}},
		{"WaitingCalls", coalesce.Options{WaitingCalls: -1}},
		{"WaitingBytes", coalesce.Options{WaitingBytes: core.MaxSealed - 1}},
		{"Timeout", coalesce.Options{Timeout: -time.Second}},
	} {
		_, err := coalesce.New(newBatcher(t), c.o)
		var bad *hosts.ConfigError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, "coalesce.Options."+c.field, bad.Field)
	}
}

func TestFewCallsGoDirectly(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: 2}, func(d *desk) {
		first := d.insert(0, 2)
		require.Equal(d, []int{1, 1}, d.backend.sizes(), "both are under way")
		third := d.insert(2, 1)
		require.Equal(d, []int{1, 1, 1}, d.backend.sizes(), "a worker took it")
		rest := d.insert(3, 5)
		require.Equal(d, []int{1, 1, 1}, d.backend.sizes(), "no more goes while it works")
		d.release(3)
		require.Equal(d, []int{1, 1, 1, 5}, d.backend.sizes(), "all that waited in one")
		d.release(1)
		for _, answer := range append(append(first, third...), rest...) {
			require.NoError(d, d.answered(answer))
		}
		d.insert(8, 1)
		d.release(1)
		require.Equal(d, []int{1, 1, 1, 5, 1}, d.backend.sizes())
		require.False(d, d.backend.seen()[4].many)
	})
}

// Those who wait are few again when a batch is answered, counting those of the
// batch, who come back: then they go directly, each in its caller's hands.
func TestFewThatWaitAreSentDirectly(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: 4}, func(d *desk) {
		d.insert(0, 5) // the last is a worker's
		d.insert(5, 4)
		d.release(5)
		require.Equal(d, []int{1, 1, 1, 1, 1, 4}, d.backend.sizes())
		d.insert(9, 2)
		d.release(1)
		require.Equal(d, []int{1, 1, 1, 1, 1, 4, 2}, d.backend.sizes(), "four come back: too many")
		ctx, cancel := context.WithCancel(d.Context())
		last := d.save(ctx, record(11, 0), core.NoVersion)
		d.insert(12, 1)
		d.release(1)
		require.Equal(d, []int{1, 1, 1, 1, 1, 4, 2, 1, 1}, d.backend.sizes())
		cancel()
		err := d.answered(last)
		require.ErrorIs(d, err, context.Canceled)
		require.NotErrorIs(d, err, hosts.ErrUnknown, "the backend itself had the caller's context, and says what it did")
		require.False(d, d.stored(11))
	})
}

// order returns which sessions the commands saved, by number, one after another.
func (b *batcher) order() string {
	var all strings.Builder
	for _, c := range b.seen() {
		for _, id := range c.ids {
			all.WriteByte('a' + id[15])
		}
		all.WriteByte(' ')
	}
	return all.String()
}

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		name    string
		bounds  coalesce.Options
		waiting string // saves of these sessions wait, behind one of z
		want    string
	}{
		{"first come, first served", coalesce.Options{}, "abcde", "z abcde "},
		{"batches are bounded by calls", coalesce.Options{BatchCalls: 2}, "abcde", "z ab cd e "},
		{"and by bytes", coalesce.Options{BatchBytes: 45}, "abcde", "z ab cd e "},
		{"one that is larger goes alone", coalesce.Options{BatchBytes: 1}, "abc", "z a b c "},
		{"a session is never twice in one", coalesce.Options{}, "aabab", "z ab ab a "},
		{"nor twice under way", coalesce.Options{Workers: 2}, "zzaz", "z a z z z "},
		{"sessions whose saves repeat take turns", coalesce.Options{BatchCalls: 1}, "aaabbbc", "z a b c a b a b "},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.bounds.Direct = -1
			atDesk(t, c.bounds, func(d *desk) {
				answers := d.insert('z'-'a', 1)
				version := map[rune]int{'z': 1}
				for _, s := range c.waiting {
					v := version[s]
					version[s]++
					r := record(int(s-'a'), v)
					prev := core.NoVersion
					if v > 0 {
						prev = record(int(s-'a'), v-1).Version
					}
					answers = append(answers, d.save(d.Context(), r, prev))
				}
				d.release(strings.Count(c.want, " "))
				require.Equal(d, c.want, d.backend.order())
				for i, answer := range answers {
					require.NoError(d, d.answered(answer), "each replaces the version that the one before it of its session left: call %d", i)
				}
			})
		})
	}
}

func TestLoadsAndSavesDoNotWaitForEachOther(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: -1}, func(d *desk) {
		d.insert(0, 1)
		loaded := make(chan error, 1)
		go func() {
			_, err := d.Load(d.Context(), record(9, 0).ID)
			loaded <- err
		}()
		deleted := make(chan error, 1)
		go func() { deleted <- d.Delete(d.Context(), record(9, 0).ID) }()
		require.NoError(d, d.answered(deleted), "the save is still held, and deletes go directly")
		d.waits(loaded)
		require.Len(d, d.backend.seen(), 2, "both commands are under way")
		d.release(2)
		require.ErrorIs(d, d.answered(loaded), core.ErrNotFound)
	})
}

func TestTouchesAreMarked(t *testing.T) {
	atDesk(t, coalesce.Options{Direct: 1}, func(d *desk) {
		touch := hosts.TouchContext(d.Context())
		d.save(touch, record(0, 0), core.NoVersion) // directly
		d.save(touch, record(1, 0), core.NoVersion) // alone, by a worker
		d.save(touch, record(2, 0), core.NoVersion) // with the next
		d.save(d.Context(), record(3, 0), core.NoVersion)
		d.release(3)
		seen := d.backend.seen()
		require.Len(d, seen, 3)
		require.True(d, seen[0].touch)
		require.True(d, seen[1].touch)
		require.True(d, seen[2].saves[0].Touch)
		require.False(d, seen[2].saves[1].Touch)
	})
}

func TestStoreIsBounded(t *testing.T) {
	for _, c := range []struct {
		name   string
		bounds coalesce.Options
		large  bool
	}{
		{"by calls", coalesce.Options{Direct: -1, WaitingCalls: 3}, false},
		{"by bytes", coalesce.Options{Direct: -1, WaitingBytes: core.MaxSealed}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			atDesk(t, c.bounds, func(d *desk) {
				answers := d.insert(0, 4) // one is under way, three wait
				more := record(4, 0)
				if c.large {
					more.Sealed = make([]byte, core.MaxSealed)
				}
				err := d.Save(d.Context(), more, core.NoVersion)
				require.ErrorIs(d, err, hosts.ErrBusy)
				require.NotErrorIs(d, err, hosts.ErrUnknown)
				d.release(2)
				for _, answer := range answers {
					require.NoError(d, d.answered(answer))
				}
				require.False(d, d.stored(4))
				again := d.save(d.Context(), more, core.NoVersion)
				d.release(1)
				require.NoError(d, d.answered(again), "there is room again")
			})
		})
	}
}

func TestBadRecordsReachNoBatch(t *testing.T) {
	b := newBatcher(t)
	c := coalescer(t, b, coalesce.Options{})
	require.ErrorIs(t, c.Save(t.Context(), core.Record{Version: 1}, core.NoVersion), core.ErrBadID)
	require.Empty(t, b.seen())
}
