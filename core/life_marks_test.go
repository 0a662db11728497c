package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Steps of a request, for tables: what its program does to its session.
type step func(t *testing.T, s *Session)

func gets(name string) step { return func(_ *testing.T, s *Session) { s.Read(name) } }

func sets(name string, v any) step { return func(t *testing.T, s *Session) { put(t, s, name, v) } }

func deletes(name string) step {
	return func(t *testing.T, s *Session) { require.NoError(t, s.DeleteValue(name)) }
}

func adds(name string, n int64) step {
	return func(t *testing.T, s *Session) {
		_, err := s.AddValue(name, n)
		require.NoError(t, err)
	}
}

// updates runs the function of an update once.
func updates(name string, v any) step {
	return func(t *testing.T, s *Session) {
		data, err := AppendValue(nil, v)
		require.NoError(t, err)
		require.NoError(t, s.UpdateValue(name, data))
	}
}

func clears(t *testing.T, s *Session) { require.NoError(t, s.ClearValues()) }

func logsIn(user string) step {
	return func(t *testing.T, s *Session) { require.NoError(t, s.Login(user, 0)) }
}

type steps []step

func (list steps) do(t *testing.T, s *Session) {
	t.Helper()
	for _, f := range list {
		f(t, s)
	}
}

// meet has two requests load one session: the first commits, the second meets
// the conflict. It returns the second as it is rebased.
func meet(t *testing.T, m *Machine, base doings, first, second steps) (*Session, given, error) {
	t.Helper()
	s := m.New(Request{})
	require.NoError(t, s.Login("alice", 0))
	do(t, s, base)
	g := received(commit(t, m, s, testNow, 1))
	a, b := g.resume(t, m, testNow), g.resume(t, m, testNow)
	first.do(t, a)
	second.do(t, b)
	won := received(commit(t, m, a, testNow+Second, 2))
	// It may be a guest that rebases.
	b, rest, err := m.ReadSession(b.AppendBytes(nil))
	require.NoError(t, err)
	require.Empty(t, rest)
	rebased, err := m.Rebase(b, &won.rec, testNow+Second)
	return rebased, g, err
}

// readings are requests that meet: what the second read, and wrote.
var readings = []struct {
	what          string
	first, second steps
	want          doings
	conflict      string
}{
	{"read, then set", steps{sets("cart", "b")}, steps{gets("cart"), sets("cart", "c")}, nil, "cart"},
	{"read, then deleted", steps{sets("cart", "b")}, steps{gets("cart"), deletes("cart")}, nil, "cart"},
	{"read, then cleared", steps{sets("cart", "b")}, steps{gets("cart"), clears}, nil, "cart"},
	{"missing, then set", steps{sets("new", "b")}, steps{gets("new"), sets("new", "c")}, nil, "new"},
	{"read, and deleted underneath", steps{deletes("cart")}, steps{gets("cart"), sets("cart", "c")}, nil, "cart"},
	{"set without a read", steps{sets("cart", "b")}, steps{sets("cart", "c")}, doings{"cart": "c"}, ""},
	{"set, then read, then set", steps{sets("cart", "b")}, steps{sets("cart", "c"), gets("cart"), sets("cart", "d")}, doings{"cart": "d"}, ""},
	{"read only", steps{sets("cart", "b")}, steps{gets("cart"), sets("text", "y")}, doings{"cart": "b", "text": "y"}, ""},
	{"both wrote the same", steps{sets("cart", "b")}, steps{gets("cart"), sets("cart", "b")}, doings{"cart": "b"}, ""},
	{"both deleted", steps{deletes("cart")}, steps{gets("cart"), deletes("cart")}, doings{"cart": gone}, ""},
	{"another name changed", steps{sets("text", "y")}, steps{gets("cart"), gets("text"), sets("cart", "c")}, doings{"cart": "c", "text": "y"}, ""},
	{"read and put back beside a change", steps{sets("cart", "b")}, steps{gets("cart"), sets("cart", "a"), sets("text", "y")}, nil, "cart"},
	{"the later may win", steps{sets("theme", "red")}, steps{gets("theme"), sets("theme", "blue")}, doings{"theme": "blue"}, ""},
	{"exclusive, without a read", steps{sets("balance", 9)}, steps{sets("balance", 8)}, nil, "balance"},
	{"exclusive, the same", steps{sets("balance", 9)}, steps{sets("balance", 9)}, nil, "balance"},
	{"exclusive, added", steps{sets("balance", 9)}, steps{adds("balance", 1)}, nil, "balance"},
	{"a merged name is not refused for a read", steps{sets("n", 7)}, steps{gets("n"), sets("n", 6)}, doings{"n": 8}, ""},
	{"where it cannot be merged it is", steps{sets("n", "many")}, steps{gets("n"), sets("n", 6)}, nil, "n"},

	{"added by both", steps{adds("n", 2)}, steps{adds("n", 3)}, doings{"n": 10}, ""},
	{"added beside a set", steps{sets("n", 100)}, steps{adds("n", 3)}, doings{"n": 103}, ""},
	{"added, read and added", steps{adds("n", 2)}, steps{adds("n", 3), gets("n"), adds("n", 1)}, doings{"n": 11}, ""},
	{"read, then added", steps{adds("n", 2)}, steps{gets("n"), adds("n", 1)}, doings{"n": 8}, ""},
	{"added to what is missing by now", steps{deletes("n")}, steps{adds("n", 3)}, doings{"n": 3}, ""},
	{"added to what was missing", steps{adds("new", 1)}, steps{adds("new", 1)}, doings{"new": 2}, ""},
	{"added to a text by now", steps{sets("n", "many")}, steps{adds("n", 1)}, nil, "n"},
	{"added, then set from the sum", steps{sets("n", "many")}, steps{adds("n", 1), sets("n", 6)}, nil, "n"},
	{"set, then added", steps{sets("text", "y")}, steps{sets("text", 5), adds("text", 1)}, doings{"text": 6}, ""},

	{"updated, and nobody else did", steps{sets("text", "y")}, steps{updates("cart", "a+")}, doings{"cart": "a+", "text": "y"}, ""},
	{"updated, then set", steps{sets("cart", "b")}, steps{updates("cart", "a+"), sets("cart", "c")}, nil, "cart"},
	{"set, then updated", steps{sets("cart", "b")}, steps{sets("cart", "c"), updates("cart", "c+")}, doings{"cart": "c+"}, ""},

	{"a login drops what it cannot put", steps{sets("cart", "b")}, steps{gets("cart"), sets("cart", "c"), sets("text", "y"), logsIn("alice")}, doings{"cart": "b", "text": "y"}, "cart"},
	{"a login drops an exclusive one", steps{sets("balance", 9)}, steps{sets("balance", 8), logsIn("alice")}, doings{"balance": 9}, "balance"},
}

// TestWhatWasRead: a value that was read and then written must still be what
// was read, or be what is written already.
func TestWhatWasRead(t *testing.T) {
	policy := Policy{LastWins: []string{"theme"}, Exclusive: []string{"balance"}, Merge: map[string]MergeKind{"n": MergeCounter}}
	base := doings{"cart": "a", "theme": "dark", "balance": 10, "n": 5, "text": "x"}
	with := func(change doings) map[string]any {
		out := map[string]any{}
		for k, v := range base {
			out[k] = v
		}
		for k, v := range change {
			if v == gone {
				delete(out, k)
			} else {
				out[k] = v
			}
		}
		return out
	}
	for _, c := range readings {
		t.Run(c.what, func(t *testing.T) {
			m := testMachine(t, policy)
			rebased, g, err := meet(t, m, base, c.first, c.second)
			if c.conflict != "" && c.want == nil {
				require.ErrorIs(t, err, ErrConflict)
				require.Equal(t, &ConflictError{c.conflict}, err)
				require.Contains(t, err.Error(), c.conflict)
				return
			}
			require.NoError(t, err)
			require.Empty(t, rebased.Again())
			require.Equal(t, rebased.Size(), sizeOf(&rebased.cur))
			e := commit(t, m, rebased, testNow+Second, 4)
			if c.conflict != "" {
				require.Equal(t, []string{c.conflict}, e.Dropped)
				require.NotZero(t, e.Did&DidLogin)
				g = received(e)
			} else {
				g.rec = e.Next.rec
			}
			require.Equal(t, with(c.want), all(t, g.resume(t, m, testNow+Second)))
		})
	}
}

// TestUpdatedAgain: what was computed from a value that has changed is computed
// anew, on what is there now.
func TestUpdatedAgain(t *testing.T) {
	m := testMachine(t, Policy{})
	for _, c := range []struct {
		what   string
		second steps
		shown  any
	}{
		{"an update", steps{updates("n", 50)}, 7},
		{"an update of what was read", steps{gets("n"), updates("n", 50)}, 7},
		{"an update behind an addition", steps{adds("n", 2), updates("n", 50)}, 9},
		{"two updates", steps{updates("n", 20), updates("n", 50)}, 7},
	} {
		rebased, g, err := meet(t, m, doings{"n": 5}, steps{sets("n", 7)}, c.second)
		require.NoError(t, err, c.what)
		require.Equal(t, []string{"n"}, rebased.Again(), c.what)
		require.Equal(t, map[string]any{"n": c.shown}, all(t, rebased), c.what)
		_, err = m.Commit(rebased, testNow+Second, numbered(4))
		require.ErrorIs(t, err, ErrAgain, c.what)
		updates("n", 70)(t, rebased)
		require.Empty(t, rebased.Again())
		e := commit(t, m, rebased, testNow+Second, 4)
		require.Equal(t, map[string]any{"n": 70}, all(t, given{g.cookie, *e.Save}.resume(t, m, testNow+Second)))
		put(t, e.Next, "n", 71) // from what the program knew before
		_, err = m.Commit(e.Next, testNow+Second, numbered(5))
		require.ErrorIs(t, err, ErrConflict, c.what)
	}
}

// TestReadBeforeTheCommit: a handler reads, answers, and writes in the second
// commit. What came in between is not lost.
func TestReadBeforeTheCommit(t *testing.T) {
	m := testMachine(t, Policy{})
	for _, c := range []struct {
		what     string
		second   steps // up to the first commit
		then     steps
		conflict bool
	}{
		{"read, then set", steps{gets("n"), sets("own", 1)}, steps{sets("n", 6)}, true},
		{"read, then read anew", steps{gets("n"), sets("own", 1)}, steps{gets("n"), sets("n", 6)}, false},
		{"read, then added", steps{gets("n"), sets("own", 1)}, steps{adds("n", 1)}, false},
		{"read, then updated", steps{gets("n"), sets("own", 1)}, steps{updates("n", 8), sets("n", 9)}, false},
		{"never read", steps{sets("own", 1)}, steps{sets("n", 6)}, false},
		{"added, then set from the sum", steps{adds("n", 1)}, steps{sets("n", 7)}, true},
		{"read another", steps{gets("z"), sets("own", 1)}, steps{sets("z", 1)}, false},
		{"already what is written", steps{gets("n"), sets("own", 1)}, steps{sets("n", 7)}, false},
	} {
		rebased, _, err := meet(t, m, doings{"n": 5}, steps{sets("n", 7)}, c.second)
		require.NoError(t, err, c.what)
		next := commit(t, m, rebased, testNow+Second, 4).Next
		c.then.do(t, next)
		_, err = m.Commit(next, testNow+Second, numbered(5))
		if c.conflict {
			require.Equal(t, &ConflictError{"n"}, err, c.what)
		} else {
			require.NoError(t, err, c.what)
		}
	}
}

// TestAddValue: what can be added to, and what cannot.
func TestAddValue(t *testing.T) {
	m := testMachine(t, Policy{})
	for _, c := range []struct {
		base any
		n    int64
		want any
	}{
		{nil, 1, 1}, {nil, 0, 0}, {5, -7, -2}, {int64(5), 1, int64(6)}, {"text", 1, nil}, {2.0, 1, nil}, {uint64(1), 1, nil},
		{int64(1<<63 - 1), 1, nil}, {int64(-1 << 63), -1, nil}, {int64(-1 << 63), 1<<63 - 1, int64(-1)}, {[]int{1}, 1, nil}, {true, 1, nil},
	} {
		s := m.New(Request{})
		if c.base != nil {
			put(t, s, "n", c.base)
		}
		sum, err := s.AddValue("n", c.n)
		if c.want == nil {
			require.ErrorIs(t, err, ErrCounter, "%v + %d", c.base, c.n)
			require.Equal(t, c.base, all(t, s)["n"])
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, all(t, s)["n"])
		require.EqualValues(t, c.want, sum)
	}
	_, err := m.New(Request{}).AddValue("", 1)
	require.ErrorIs(t, err, ErrValueName)
}

// TestManyOfAll: fifty requests load one session, and whoever comes first, all
// additions count, folded into one save or one by one.
func TestManyOfAll(t *testing.T) {
	m := testMachine(t, Policy{})
	g := anonymous(t, m, testNow)
	var waiting []*Session
	for range 50 {
		s := g.resume(t, m, testNow)
		adds("n", 2)(t, s)
		waiting = append(waiting, s)
	}
	lead, err := m.Rebase(waiting[0], &g.rec, testNow)
	require.NoError(t, err)
	for _, w := range waiting[1:] {
		require.True(t, w.FoldsPlainly())
		require.NoError(t, m.Fold(lead, w))
	}
	e := commit(t, m, lead, testNow, 2)
	require.Equal(t, map[string]any{"cart": "apple", "n": 100}, all(t, e.Next))
	view := e.Next.For(waiting[7])
	put(t, view, "n", 3) // from the sum that it was given
	_, err = m.Commit(view, testNow, numbered(3))
	require.Equal(t, &ConflictError{"n"}, err)
}

// TestFoldedReads: the reads of one request are not another's.
func TestFoldedReads(t *testing.T) {
	m := testMachine(t, Policy{})
	g := anonymous(t, m, testNow)
	a, b := g.resume(t, m, testNow), g.resume(t, m, testNow)
	steps{gets("x"), sets("a", 1)}.do(t, a)
	steps{sets("x", 2), gets("y"), sets("b", 1)}.do(t, b)
	first := g.resume(t, m, testNow)
	put(t, first, "x", 9)
	stored := received(commit(t, m, first, testNow, 2)).rec
	lead, err := m.Rebase(a, &stored, testNow)
	require.NoError(t, err)
	require.NoError(t, m.Fold(lead, b))
	e := commit(t, m, lead, testNow, 3)
	require.Equal(t, map[string]any{"cart": "apple", "x": 2, "a": 1, "b": 1}, all(t, e.Next))
	for who, c := range map[*Session]bool{a: true, b: false} {
		view := e.Next.Knowing(who)
		put(t, view, "x", 3)
		_, err := m.Commit(view, testNow, numbered(4))
		require.Equal(t, c, err != nil, "only who has read x conflicts")
	}
}
