package core

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMergedValues(t *testing.T) {
	m := testMachine(t, Policy{Merge: map[string]MergeKind{"n": MergeCounter, "s": MergeSet}})
	type list = []any
	type text = []string
	for _, c := range []struct {
		what                      string
		name                      string
		base, first, second, want any // nil: there is none
	}{
		{"both add", "n", 10, 13, 15, 18},
		{"one takes away", "n", 10, 7, 15, 12},
		{"below zero", "n", 0, -3, -4, -7},
		{"no one began it", "n", nil, 2, 3, 5},
		{"int64", "n", int64(1), int64(2), int64(3), int64(4)},
		{"int64 from nothing", "n", nil, int64(2), int64(3), int64(5)},
		{"to the very end", "n", int64(0), int64(math.MaxInt64 - 1), int64(1), int64(math.MaxInt64)},
		{"overflow: the later wins", "n", int64(0), int64(math.MaxInt64), int64(1), int64(1)},
		{"underflow: the later wins", "n", int64(0), int64(math.MinInt64), int64(-1), int64(-1)},
		{"from end to end", "n", int64(math.MinInt64), int64(math.MinInt64 + 5), int64(math.MaxInt64), int64(math.MaxInt64)},
		{"other widths: the later wins", "n", 1, int64(2), 3, 3},
		{"width changed: the later wins", "n", 1, int64(2), int64(3), int64(3)},
		{"no number: the later wins", "n", "one", 2, 3, 3},
		{"made text: the later wins", "n", 1, 2, "three", "three"},
		{"deleted, then counted: a deleted counter is 0", "n", 5, nil, 7, 2},
		{"counted, then deleted", "n", 5, 7, nil, 2}, {"added to a set, then deleted: what came since stays", "s", text{"a"}, text{"a", "b"}, nil, text{"b"}}, {"deleted, then added to", "s", text{"a"}, nil, text{"a", "b"}, text{"b"}}, {"both deleted a set", "s", text{"a"}, nil, nil, nil},
		{"both add elements", "s", text{"a"}, text{"a", "b"}, text{"a", "c"}, text{"a", "b", "c"}},
		{"both add the same", "s", text{"a"}, text{"a", "b"}, text{"b", "a"}, text{"a", "b"}},
		{"one removes", "s", text{"a", "b"}, text{"a", "b", "c"}, text{"b"}, text{"b", "c"}},
		{"the other removes", "s", text{"a", "b"}, text{"b"}, text{"a", "b", "c"}, text{"b", "c"}},
		{"removed and re-added", "s", text{"a"}, text{}, text{"a", "b"}, text{"b"}},
		{"set of no one", "s", nil, text{"a"}, text{"b"}, text{"a", "b"}},
		{"all removed", "s", text{"a", "b"}, text{"a"}, text{"b"}, text{}},
		{"any kind of element", "s", list{1}, list{1, "1"}, list{1, nil, 2.5}, list{1, "1", nil, 2.5}},
		{"nested elements", "s", list{list{1}}, list{list{1}, list{2}}, list{}, list{list{2}}},
		{"empty lists", "s", list{}, list{1}, list{2}, list{1, 2}},
		{"other types: the later wins", "s", text{"a"}, list{"b"}, text{"c"}, text{"c"}},
		{"no set: the later wins", "s", text{"a"}, 1, text{"c"}, text{"c"}},
	} {
		of := func(v any) doings {
			if v == nil {
				return doings{c.name: gone}
			}
			return doings{c.name: v}
		}
		base := of(c.base)
		if c.base == nil {
			base = nil
		}
		want := map[string]any{}
		if c.want != nil {
			want[c.name] = c.want
		}
		got, err := race(t, m, base, of(c.first), of(c.second))
		require.NoError(t, err, c.what)
		require.Equal(t, want, got, c.what)
	}
}

// TestManyCounters: fifty requests add one each, in any order, and none is lost.
func TestManyCounters(t *testing.T) {
	m := testMachine(t, Policy{Merge: map[string]MergeKind{"n": MergeCounter}})
	g := anonymous(t, m, testNow)
	var waiting []*Session
	for range 50 {
		s := g.resume(t, m, testNow)
		put(t, s, "n", 1)
		waiting = append(waiting, s)
	}
	for i, s := range waiting {
		rebased, err := m.Rebase(s, &g.rec, testNow)
		require.NoError(t, err)
		g.rec = *commit(t, m, rebased, testNow, uint64(i)+2).Save
	}
	require.Equal(t, 50, all(t, g.resume(t, m, testNow))["n"])
}

// TestMergeTooLarge: what fits twice alone and not together is refused, and
// the error names the value.
func TestMergeTooLarge(t *testing.T) {
	m := testMachine(t, Policy{SessionSize: 1 << 10, Merge: map[string]MergeKind{"s": MergeSet}})
	half := func(c byte) []string { return []string{string(make([]byte, 600)) + string(c)} }
	_, err := race(t, m, nil, doings{"s": half('a')}, doings{"s": half('b')})
	var size *SizeError
	require.ErrorAs(t, err, &size)
	require.ErrorIs(t, err, ErrTooLarge)
	require.Equal(t, "s", size.Name)
	require.Equal(t, 1<<10, size.Limit)
}
