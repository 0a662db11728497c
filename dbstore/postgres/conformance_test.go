package postgres

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
	"github.com/rockstar-web/sessions/internal/soak"
)

// admin is a plain connection to the server of the tests.
func admin(t testing.TB) *sql.DB {
	db, err := sql.Open("pgx", servers.Postgres(t))
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
	s, err := Open(t.Context(), servers.Postgres(t), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestConformance(t *testing.T) {
	for name, fast := range map[string]bool{"durable": false, "fast": true} {
		t.Run(name, func(t *testing.T) {
			var short []conformance.Option
			if fast {
				short = soak.Unless(t, conformance.Brief())
			}
			conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) { return pair(t, fast) }, short...)
		})
	}
}

func TestModel(t *testing.T) {
	conformance.TestModelShared(t, func(t *testing.T) (a, b hosts.Store) { return pair(t, false) })
}

// pair opens a fresh table twice, as two servers do.
func pair(t *testing.T, fast bool) (a, b hosts.Store) {
	o := Options{Table: newTable(t), Fast: fast, MaxConns: 8}
	return openStore(t, o), openStore(t, o)
}

// TestATableInASchema is named app.sessions, whatever the search path.
func TestATableInASchema(t *testing.T) {
	db, schema := admin(t), newTable(t)
	_, err := db.Exec("CREATE SCHEMA " + schema)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := db.Exec("DROP SCHEMA " + schema + " CASCADE")
		require.NoError(t, err)
	})
	o := Options{Table: schema + ".sessions", Fast: true}
	require.NoError(t, useOnce(t.Context(), openStore(t, o)))
	require.NoError(t, useOnce(t.Context(), openStore(t, o)))
	var indexes int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM pg_indexes WHERE schemaname = $1", schema).Scan(&indexes))
	require.Equal(t, 5, indexes)
	_, err = Open(t.Context(), servers.Postgres(t), Options{Table: "no_such_schema.sessions"})
	require.ErrorContains(t, err, "create the schema")
}
