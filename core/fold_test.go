package core

import (
	"testing"

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
