package mysql

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/dbstore"
)

// TestOpenNumbers looks at what a follower believes to be open, while transactions write
// entries, commit them late and undo them; and at one that begins meanwhile.
func TestOpenNumbers(t *testing.T) {
	name := newTable(t)
	s := openStore(t, Options{Table: name})
	require.NoError(t, s.EnableCaching(t.Context()))
	db := admin(t)
	table, err := dbstore.ParseTable(name, dialect{}.Syntax())
	require.NoError(t, err)
	follow := func() *follower {
		f, err := dialect{}.Follow(t.Context(), dbstore.DB{Read: db, Write: db}, table)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
		return f.(*follower)
	}
	enter := func() *sql.Tx {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec("INSERT INTO " + name + "_feed (id, version, prev) VALUES ('0123456789abcdef', 2, 1)")
		require.NoError(t, err)
		return tx
	}
	reports := func(f *follower, n int, open ...int64) {
		t.Helper()
		c, err := f.Changes(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Gap)
		require.Len(t, c.Entries, n)
		var pending, missing []int64
		for n := int64(0); n <= f.highest; n++ {
			switch since, is := f.open[n]; {
			case is && since.IsZero():
				pending = append(pending, n)
			case is:
				missing = append(missing, n)
			}
		}
		require.Equal(t, open, pending)
		require.Empty(t, missing)
	}
	f := follow()
	reports(f, 0)
	late, undone := enter(), enter() // 2 and 3
	reports(f, 0, 2, 3)
	require.NoError(t, enter().Commit()) // 4
	reports(f, 1, 2, 3)
	second := follow()
	reports(second, 0, 2, 3)
	require.EqualValues(t, 2, second.Seen())
	require.NoError(t, undone.Rollback())
	reports(f, 0, 2)
	reports(second, 0, 2)
	require.NoError(t, late.Commit())
	reports(f, 1)
	reports(second, 1)
	require.EqualValues(t, 5, f.Seen())
	require.NoError(t, enter().Rollback()) // 5, which nobody has seen
	require.NoError(t, enter().Commit())   // 6
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.Len(t, c.Entries, 1)
	require.Len(t, f.open, 1)
	f.settle(nil, nil, time.Now().Add(keepMissing-time.Second))
	require.Contains(t, f.open, int64(5), "it may be written yet")
	f.settle(nil, nil, time.Now().Add(keepMissing+time.Second))
	require.Empty(t, f.open)
}

// TestMuchThatIsOpenIsAGap rather than a longer and longer question.
func TestMuchThatIsOpenIsAGap(t *testing.T) {
	name := newTable(t)
	s := openStore(t, Options{Table: name})
	f, err := s.Follow(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	tx, err := admin(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.Exec("INSERT INTO " + name + "_feed (id, version, prev) VALUES ('0123456789abcdef', 2, 1)")
	require.NoError(t, err)
	_, err = admin(t).Exec(fmt.Sprintf("INSERT INTO %s_feed (seq, id, version, prev) VALUES (%d, '0123456789abcdef', 2, 1)", name, 10*maxOpen))
	require.NoError(t, err)
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, c.Gap, "are open")
	g, err := s.Follow(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, g.Close()) }()
	c, err = g.Changes(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Gap, "who begins anew looks back less far")
	require.NoError(t, tx.Commit())
	c, err = g.Changes(t.Context())
	require.NoError(t, err)
	require.Len(t, c.Entries, 1, "and knows all that is written")
}

// TestAnotherConnectionIsAGap: behind a proxy the connection may become one to another
// server.
func TestAnotherConnectionIsAGap(t *testing.T) {
	name := newTable(t)
	require.NoError(t, openStore(t, Options{Table: name}).EnableCaching(t.Context()))
	table, err := dbstore.ParseTable(name, dialect{}.Syntax())
	require.NoError(t, err)
	f, err := dialect{}.Follow(t.Context(), dbstore.DB{Write: admin(t)}, table)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	one := f.(*follower)
	_, err = one.conn.ExecContext(t.Context(), "SET @sessions_feed = NULL")
	require.NoError(t, err)
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, c.Gap, "another one")
}
