package mysql

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// TestABatchKeepsToThePacketOfTheServer in several statements; what is too large
// for one goes by itself.
func TestABatchKeepsToThePacketOfTheServer(t *testing.T) {
	name, db := newTable(t), admin(t)
	s, err := New(t.Context(), db, Options{Table: name})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	table, err := dbstore.ParseTable(name, dialect{}.Syntax())
	require.NoError(t, err)
	for i, rows := range rowForms {
		if _, err := db.Exec(rows.trial); err != nil {
			t.Logf("the server does not understand %q", rows.trial)
			continue
		}
		c := &commands{db: dbstore.DB{Read: db, Write: db}, name: table.String(), room: 6000, rows: rowForms[i]}
		saveInPackets(t, s, c)
	}
}

func saveInPackets(t *testing.T, s *dbstore.Store, c *commands) {
	var saves, nexts []hosts.Saving
	for i := range 9 {
		r := core.Record{ID: randomID(), Version: randomVersion(), Sealed: sealedBytes(1000)}
		if i == 4 {
			r.Sealed = sealedBytes(3000)
		}
		is, prev := next(&r)
		saves, nexts = append(saves, hosts.Saving{Record: r}), append(nexts, hosts.Saving{Record: is, Prev: prev})
	}
	for part := range c.parts(saves) {
		require.LessOrEqual(t, len(part), 2)
	}
	for _, batch := range [][]hosts.Saving{saves, nexts} {
		answers, err := c.SaveMany(t.Context(), batch)
		require.NoError(t, err)
		for i, one := range batch {
			if i == 4 {
				require.ErrorIs(t, answers[i], dbstore.ErrAlone)
				require.NoError(t, s.Save(t.Context(), one.Record, one.Prev))
			} else {
				require.NoError(t, answers[i])
			}
			got, err := s.Load(t.Context(), one.Record.ID)
			require.NoError(t, err)
			require.Equal(t, one.Record, got)
		}
	}
}

// TestASessionThatExpiresEarlierIsFoundInTime: its hour moves back, whether it is
// saved by itself or in a batch with others.
func TestASessionThatExpiresEarlierIsFoundInTime(t *testing.T) {
	s := openStore(t, Options{Table: newTable(t)})
	var saves []hosts.Saving
	for i := range 10 {
		r := core.Record{ID: randomID(), Version: randomVersion(), ExpiresAt: 2 * core.Day, Sealed: []byte{}}
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		is, prev := next(&r)
		if i%2 == 0 {
			is.ExpiresAt = core.Day
		}
		saves = append(saves, hosts.Saving{Record: is, Prev: prev})
	}
	for _, err := range s.SaveMany(t.Context(), saves) {
		require.NoError(t, err)
	}
	n, err := s.Sweep(t.Context(), core.Day+1, 100)
	require.NoError(t, err)
	require.Equal(t, 5, n)
}
