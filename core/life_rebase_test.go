package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type doings map[string]any // a value to set; gone deletes, everything clears

type deleted struct{}

var gone, everything = deleted{}, "*"

func do(t *testing.T, s *Session, d doings) {
	t.Helper()
	if _, ok := d[everything]; ok {
		require.NoError(t, s.ClearValues())
	}
	for name, v := range d {
		switch {
		case name == everything:
		case v == gone:
			require.NoError(t, s.DeleteValue(name))
		default:
			put(t, s, name, v)
		}
	}
}

// race has two requests load one session and change it; the first commits,
// the second meets the conflict and is rebased and committed. It returns what
// is stored at last.
func race(t *testing.T, m *Machine, base, first, second doings) (map[string]any, error) {
	t.Helper()
	s := m.New(Request{})
	require.NoError(t, s.Login("alice", 0))
	do(t, s, base)
	g := received(commit(t, m, s, testNow, 1))
	a, b := g.resume(t, m, testNow), g.resume(t, m, testNow)
	do(t, a, first)
	do(t, b, second)
	won := received(commit(t, m, a, testNow, 2))
	e := commit(t, m, b, testNow, 3)
	require.NotEqual(t, won.rec.Version, e.Prev, "a store sees the conflict")
	require.False(t, e.Touch)
	rebased, err := m.Rebase(b, &won.rec, testNow)
	if err != nil {
		return nil, err
	}
	e = commit(t, m, rebased, testNow, 4)
	rec := won.rec
	if e.Save != nil {
		require.Equal(t, won.rec.Version, e.Prev)
		rec = *e.Save
	}
	last := given{g.cookie, rec}.resume(t, m, testNow)
	require.Equal(t, last.Size(), sizeOf(&last.cur))
	require.Equal(t, rebased.Size(), sizeOf(&rebased.cur), "the count goes with the values")
	return all(t, last), nil
}

func TestTwoWriters(t *testing.T) {
	m := testMachine(t, Policy{})
	for _, c := range []struct {
		what                string
		base, first, second doings
		want                map[string]any
	}{
		{"different names survive", doings{"z": 0}, doings{"a": 1}, doings{"b": 2}, map[string]any{"z": 0, "a": 1, "b": 2}},
		{"the later wins a name", doings{"a": 0}, doings{"a": 1}, doings{"a": 2}, map[string]any{"a": 2}},
		{"the same twice", nil, doings{"a": 1}, doings{"a": 1}, map[string]any{"a": 1}},
		{"delete beside set", doings{"a": 0, "b": 0}, doings{"a": gone}, doings{"b": 2}, map[string]any{"b": 2}},
		{"delete, then set", doings{"a": 0}, doings{"a": gone}, doings{"a": 2}, map[string]any{"a": 2}},
		{"set, then delete", doings{"a": 0}, doings{"a": 1}, doings{"a": gone}, map[string]any{}},
		{"both delete", doings{"a": 0, "b": 1}, doings{"a": gone}, doings{"a": gone}, map[string]any{"b": 1}},
		{"a clear takes what it saw", doings{"a": 0, "b": 0}, doings{"new": 1}, doings{everything: gone}, map[string]any{"new": 1}},
		{"clear, then set", doings{"a": 0, "b": 0}, doings{everything: gone}, doings{"a": 2}, map[string]any{"a": 2}},
		{"clear and set in one", doings{"a": 0, "b": 0}, doings{"a": 1}, doings{everything: gone, "c": 3}, map[string]any{"c": 3}},
		{"many names keep their order", doings{"b": 0, "aa": 0}, doings{"a": 1, "ab": 1, "ccc": 1}, doings{"c": 2, "b": gone, "": "x"}, nil},
	} {
		if _, ok := c.second[""]; ok {
			delete(c.second, "")
			c.want = map[string]any{"aa": 0, "a": 1, "ab": 1, "ccc": 1, "c": 2}
		}
		got, err := race(t, m, c.base, c.first, c.second)
		require.NoError(t, err, c.what)
		require.Equal(t, c.want, got, c.what)
	}
}

func TestExclusive(t *testing.T) {
	m := testMachine(t, Policy{Exclusive: []string{"balance"}})
	_, err := race(t, m, doings{"balance": 10}, doings{"balance": 5}, doings{"balance": 6})
	require.ErrorIs(t, err, ErrConflict)
	_, err = race(t, m, nil, doings{"balance": 5}, doings{"balance": 6})
	require.ErrorIs(t, err, ErrConflict)
	_, err = race(t, m, doings{"balance": 10}, doings{"balance": gone}, doings{"balance": 6})
	require.ErrorIs(t, err, ErrConflict)
	got, err := race(t, m, doings{"balance": 10}, doings{"a": 5}, doings{"balance": 6})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": 5, "balance": 6}, got)
	got, err = race(t, m, doings{"balance": 10}, doings{"balance": 5}, doings{"a": 6})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": 6, "balance": 5}, got)
}

// TestFoldLeavesNothingHalf: where one name cannot be replayed, none is.
func TestFoldLeavesNothingHalf(t *testing.T) {
	m := testMachine(t, Policy{Exclusive: []string{"zz"}})
	g := anonymous(t, m, testNow)
	lead, other := g.resume(t, m, testNow), g.resume(t, m, testNow)
	do(t, lead, doings{"zz": 1, "k": 1})
	do(t, other, doings{"a": 2, "b": 2, "k": 2, "zz": 2})
	before, size := all(t, lead), lead.Size()
	require.ErrorIs(t, m.Fold(lead, other), ErrConflict)
	require.Equal(t, before, all(t, lead))
	require.Equal(t, size, lead.Size())
	require.Equal(t, map[string]any{"cart": "apple", "a": 2, "b": 2, "k": 2, "zz": 2}, all(t, other))
}

// TestFolding: one save carries the plain changes of several requests, and
// each goes on with its own view of what is stored.
func TestFolding(t *testing.T) {
	m := testMachine(t, Policy{})
	g := anonymous(t, m, testNow)
	lead, other, reader := g.resume(t, m, testNow), g.resume(t, m, testNow), g.resume(t, m, testNow)
	do(t, lead, doings{"a": 1, "cart": gone})
	do(t, other, doings{"b": 2})
	require.False(t, reader.FoldsPlainly())
	require.True(t, lead.FoldsPlainly())
	require.True(t, other.FoldsPlainly())
	require.NoError(t, m.Fold(lead, other))
	e := commit(t, m, lead, testNow, 2)
	view := e.Next.For(other)
	require.Equal(t, map[string]any{"a": 1, "b": 2}, all(t, view))
	put(t, view, "c", 3)
	require.Equal(t, map[string]any{"a": 1, "b": 2}, all(t, e.Next), "views are their own")
	for _, not := range []func(*Session) error{
		(*Session).Renew, (*Session).Refresh,
		func(s *Session) error { return s.Login("alice", 0) },
		func(s *Session) error { return s.SetLifetime(Hour) },
	} {
		s := g.resume(t, m, testNow)
		put(t, s, "a", 1)
		require.NoError(t, not(s))
		require.False(t, s.FoldsPlainly())
	}
}

// TestMeanwhile: what a request hears whose session ended, or whose secret was
// superseded, between its load and its save.
func TestMeanwhile(t *testing.T) {
	m := testMachine(t, Policy{})
	reads := func(*Session) error { return nil }
	writes := func(s *Session) error { put(t, s, "own", 1); return nil }
	refreshes := (*Session).Refresh
	signsIn := func(s *Session) error { put(t, s, "own", 1); return s.Login("alice", 0) }
	for _, c := range []struct {
		what string
		does func(*Session) error
		want error // when ended; superseded is told in its place
		next bool  // a fresh session
	}{
		{"reads", reads, nil, false},
		{"writes", writes, ErrEnded, false},
		{"refreshes", refreshes, ErrEnded, false},
		{"signs in", signsIn, nil, true},
	} {
		g := anonymous(t, m, testNow)
		other := g.resume(t, m, testNow)
		require.NoError(t, other.Login("alice", 0))
		put(t, other, "private", "of the login")
		superseded := received(commit(t, m, other, testNow, 2)).rec
		expired := g.rec
		for why, theirs := range map[error]*Record{ErrEnded: nil, ErrSuperseded: &superseded, ErrExpired: &expired} {
			now, want := testNow+30*Minute, c.want
			switch {
			case why == ErrExpired:
				now = testNow + 2*Hour
			case why == ErrSuperseded && want != nil:
				want = ErrSuperseded
			}
			s := g.resume(t, m, testNow+30*Minute)
			require.NoError(t, c.does(s))
			next, err := m.Rebase(s, theirs, now)
			require.ErrorIs(t, err, want, "%s: %v", c.what, why)
			require.Equal(t, c.next, next != nil, "%s: %v", c.what, why)
			if !c.next {
				continue
			}
			e := commit(t, m, next, now, 5)
			require.Equal(t, NoVersion, e.Prev)
			require.True(t, e.Delete.IsZero())
			require.NotEqual(t, g.rec.ID, e.Save.ID, "a fresh session has a fresh ID")
			kept := map[string]any{"own": 1}
			if why == ErrSuperseded { // by a login of the same user
				kept["cart"] = "apple"
			}
			require.Equal(t, kept, all(t, e.Next), "nothing of what others stored")
			require.Equal(t, "alice", received(e).resume(t, m, now).User())
		}
	}
}

// TestEndIsNeverRefused: a logout needs no version and meets no conflict.
func TestEndIsNeverRefused(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{}, 0, testNow)
	s := g.resume(t, m, testNow)
	put(t, s, "k", 1)
	s.End()
	s.End()
	e := commit(t, m, s, testNow, 2)
	require.Equal(t, g.rec.ID, e.Delete)
	require.Nil(t, e.Save)
	require.Equal(t, m.ClearCookie(true), e.Cookies)
	require.Equal(t, DidEnd, e.Did)
	for _, verb := range []func(*Session) error{
		(*Session).Renew, (*Session).Refresh, (*Session).ClearValues,
		func(s *Session) error { return s.Login("alice", 0) },
		func(s *Session) error { return s.SetLifetime(Hour) },
		func(s *Session) error { return s.SetValue("k", []byte{0}) },
		func(s *Session) error { return s.DeleteValue("k") },
	} {
		require.ErrorIs(t, verb(e.Next), ErrEnded)
	}
	fresh := m.New(Request{})
	fresh.End()
	e = commit(t, m, fresh, testNow, 3)
	require.True(t, e.Delete.IsZero(), "nothing was stored")
	require.NotEmpty(t, e.Cookies, "the browser's is cleared all the same")
}
