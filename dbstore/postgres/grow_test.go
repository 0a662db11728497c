package postgres

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// TestATableThatGrowsIsReadByItsIndex: the server keeps the plans of when a
// table was small, until it has counted its rows again, minutes later.
func TestATableThatGrowsIsReadByItsIndex(t *testing.T) {
	name, db := newTable(t), admin(t)
	s, err := New(t.Context(), db, Options{Table: name})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = db.Exec("ALTER TABLE " + name + " SET (autovacuum_enabled = false)") // it never counts them
	require.NoError(t, err)
	table, err := dbstore.ParseTable(name, dialect{}.Syntax())
	require.NoError(t, err)
	db.SetMaxOpenConns(1) // for the plans are a connection's
	c := &commands{db: dbstore.DB{Read: db, Write: db}, table: table, opened: time.Now()}
	var ids []core.ID
	var saves []hosts.Saving
	for range 64 {
		r := core.Record{ID: randomID(), Version: randomVersion(), Sealed: sealedBytes(sealedLen)}
		ids, saves = append(ids, r.ID), append(saves, hosts.Saving{Record: r})
	}
	use := func() {
		for range 10 {
			answers, err := c.SaveMany(t.Context(), saves)
			require.NoError(t, err)
			for i := range saves {
				require.NoError(t, answers[i])
				saves[i].Record, saves[i].Prev = next(&saves[i].Record)
			}
			found, err := c.LoadMany(t.Context(), ids)
			require.NoError(t, err)
			require.Len(t, found, len(ids))
		}
	}
	use()
	require.NotZero(t, wholeReads(t, db, name), "a small table is read whole")
	_, err = db.Exec(fmt.Sprintf(`INSERT INTO %s (id, tenant_id, user_id, created_at, expiry_hour, version, seen_at, expires_at, data) SELECT decode(md5(i::text), 'hex'), '', '', 0, 0, 1, 0, 0, decode(repeat(md5(i::text), 18), 'hex')
		FROM generate_series(1, 50000) AS i`, name))
	require.NoError(t, err)
	c.opened = c.opened.Add(-time.Hour)
	before := wholeReads(t, db, name)
	use()
	require.Equal(t, before, wholeReads(t, db, name))
}

// wholeReads counts how often the server has read the table from end to end.
func wholeReads(t *testing.T, db *sql.DB, table string) (n int) {
	if _, err := db.Exec("SELECT pg_stat_force_next_flush()"); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: plans of a table that grows: the server is older than PostgreSQL 15: %v", err)
	}
	require.NoError(t, db.QueryRow("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = $1", table).Scan(&n))
	return n
}
