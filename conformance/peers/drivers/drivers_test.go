// Package drivers runs the stores in one program with drivers that are not ours,
// and on the pools that those open.
package drivers

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	_ "github.com/lib/pq"           // registers "postgres"
	_ "github.com/mattn/go-sqlite3" // registers "sqlite3": a second driver of that name panics before main
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // registers "sqlite"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/postgres"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

func pool(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func closing[S interface {
	hosts.Store
	Close() error
}](t *testing.T) func(s S, err error) hosts.Store {
	return func(s S, err error) hosts.Store {
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}
}

// TestSQLiteByOtherDrivers has two pools of another driver.
func TestSQLiteByOtherDrivers(t *testing.T) {
	for driver, options := range map[string]string{
		"sqlite3": "?_busy_timeout=20000&_journal_mode=WAL&_synchronous=NORMAL",
		"sqlite":  "?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)",
	} {
		t.Run(driver, func(t *testing.T) {
			conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
				path := filepath.Join(t.TempDir(), "sessions.db")
				open := func() hosts.Store {
					return closing[*dbstore.Store](t)(sqlite.New(t.Context(), pool(t, driver, "file:"+path+options), sqlite.Options{}))
				}
				return open(), open()
			}, soak.Unless(t, conformance.Brief())...)
		})
	}
}

// TestPostgresByLibPQ has lib/pq for one handle, and pgx for the other.
func TestPostgresByLibPQ(t *testing.T) {
	url := servers.Postgres(t)
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		table := fmt.Sprintf("test_%016x", rand.Uint64())
		db := pool(t, "postgres", url)
		db.SetMaxIdleConns(16)
		t.Cleanup(func() {
			_, err := db.Exec("DROP TABLE IF EXISTS " + table + ", " + table + "_schema")
			require.NoError(t, err)
		})
		a = closing[*dbstore.Store](t)(postgres.New(t.Context(), db, postgres.Options{Table: table}))
		return a, closing[*dbstore.Store](t)(postgres.Open(t.Context(), url, postgres.Options{Table: table}))
	}, append(soak.Unless(t, conformance.Brief()),
		conformance.Skip("cut-returns", "lib/pq cancels a statement over a connection of its own, and waits for it"))...)
}

// TestNothingIsRegistered by a store beside the names of the drivers it uses.
func TestNothingIsRegistered(t *testing.T) {
	names := sql.Drivers()
	slices.Sort(names)
	require.Equal(t, []string{"pgx", "pgx/v5", "postgres", "sqlite", "sqlite3"}, names)
}
