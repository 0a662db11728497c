package core

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFoldOfNothingKeepsTheRest: a change that comes to nothing on the newer
// record does not take along the changes that the same save carries for others.
func TestFoldOfNothingKeepsTheRest(t *testing.T) {
	m := testMachine(t, Policy{})
	s := m.New(Request{})
	require.NoError(t, s.Login("alice", 0))
	do(t, s, doings{"old": 1, "same": 1})
	g := received(commit(t, m, s, testNow, 1))
	for what, nothing := range map[string]doings{
		"deletes what is gone": {"old": gone}, "puts what is there": {"same": 1},
	} {
		first, leads, along := g.resume(t, m, testNow), g.resume(t, m, testNow), g.resume(t, m, testNow)
		do(t, first, doings{"old": gone})
		do(t, leads, doings{"new": 2})
		do(t, along, nothing)
		won := received(commit(t, m, first, testNow, 2))
		lead, err := m.Rebase(leads, &won.rec, testNow)
		require.NoError(t, err)
		require.True(t, along.FoldsPlainly())
		require.NoError(t, m.Fold(lead, along))
		e := commit(t, m, lead, testNow, 3)
		require.NotNil(t, e.Save, what)
		require.Equal(t, map[string]any{"new": 2, "same": 1}, all(t, e.Next), what)
	}
}

// TestLoginByIDOverAnotherLogin: a program signs bob in on a session that alice
// signs in to meanwhile. Her values are not his.
func TestLoginByIDOverAnotherLogin(t *testing.T) {
	m := testMachine(t, Policy{})
	g := anonymous(t, m, testNow)
	program, err := m.Resume(ByID(g.rec.ID), g.rec, Request{AnyTenant: true}, testNow)
	require.NoError(t, err)
	require.NoError(t, program.Login("bob", 0))
	put(t, program, "role", "guest")

	visitor := g.resume(t, m, testNow)
	require.NoError(t, visitor.Login("alice", 0))
	put(t, visitor, "secret", "of alice")
	won := received(commit(t, m, visitor, testNow, 2))

	s, err := m.Rebase(program, &won.rec, testNow)
	require.NoError(t, err)
	e := commit(t, m, s, testNow, 3)
	require.Equal(t, won.rec.ID, e.Delete)
	require.NotEqual(t, won.rec.ID, e.Save.ID)
	require.Equal(t, "bob", e.Next.User())
	require.Equal(t, map[string]any{"role": "guest"}, all(t, e.Next))
}

func TestMillisecondsRoundAwayFromZero(t *testing.T) {
	for d, want := range map[time.Duration]Time{
		0: 0, 1: 1, -1: -1, time.Millisecond: 1, time.Millisecond + 1: 2, -time.Millisecond: -1, -time.Second: -1000,
		math.MaxInt64: math.MaxInt64/1_000_000 + 1,
	} {
		require.Equal(t, want, Milliseconds(d), d)
	}
}
