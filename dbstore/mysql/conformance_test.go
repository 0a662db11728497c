package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// admin is a plain connection to the server of the tests.
func admin(t testing.TB) *sql.DB {
	config, err := parse(servers.MySQL(t), &Options{})
	require.NoError(t, err)
	db, err := sql.Open("mysql", config.FormatDSN())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// newTable returns the name of a table that is dropped at the end.
func newTable(t testing.TB) string {
	name := fmt.Sprintf("test_%016x", rand.Uint64())
	db := admin(t)
	t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), "DROP TABLE IF EXISTS "+name+", "+name+"_schema, "+name+"_feed")
		require.NoError(t, err)
	})
	return name
}

func openStore(t testing.TB, o Options) *dbstore.Store {
	s, err := Open(t.Context(), servers.MySQL(t), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestConformance(t *testing.T) { conformance.TestShared(t, pair) }

func TestModel(t *testing.T) { conformance.TestModelShared(t, pair) }

// pair opens a fresh table twice, as two servers do.
func pair(t *testing.T) (a, b hosts.Store) {
	o := Options{Table: newTable(t), MaxConns: 8}
	return openStore(t, o), openStore(t, o)
}
