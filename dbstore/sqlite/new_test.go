package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// pool is one of a program, set up by a query of its URI.
func pool(t *testing.T, path, query string) *sql.DB {
	t.Helper()
	db, err := driver.Open("file:" + path + "?" + query)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

const wal = "_pragma=busy_timeout(20000)&_pragma=journal_mode(wal)"

func on(t *testing.T, db *sql.DB) *dbstore.Store {
	t.Helper()
	s, err := sqlite.New(t.Context(), db, sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// TestConformanceOfNew has a pool of the program for one handle, and Open for the
// other.
func TestConformanceOfNew(t *testing.T) {
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		path := filepath.Join(t.TempDir(), "sessions.db")
		return on(t, pool(t, path, wal)), open(t, path, sqlite.Options{})
	}, soak.Unless(t, conformance.Brief())...)
}

func TestNewRefusesWhatLosesSessions(t *testing.T) {
	for query, says := range map[string]string{
		"_pragma=busy_timeout(0)&_pragma=journal_mode(wal)":   "busy_timeout",
		wal + "&_pragma=synchronous(off)":                     "synchronous",
		"_pragma=busy_timeout(9)&_pragma=synchronous(normal)": "synchronous",
		"mode=memory&_pragma=busy_timeout(9)":                 "memory",
	} {
		path := filepath.Join(t.TempDir(), "sessions.db")
		_, err := sqlite.New(t.Context(), pool(t, path, query), sqlite.Options{})
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, query)
		require.ErrorContains(t, err, says, query)
	}
	for _, o := range []sqlite.Options{{Fast: true}, {BusyTimeout: 1}} {
		_, err := sqlite.New(t.Context(), pool(t, filepath.Join(t.TempDir(), "sessions.db"), wal), o)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused)
	}
	_, err := sqlite.New(t.Context(), nil, sqlite.Options{})
	var refused *hosts.ConfigError
	require.ErrorAs(t, err, &refused)
}

func TestNewOfAnOlderSchema(t *testing.T) {
	path := formerly(t)
	s := on(t, pool(t, path, wal))
	require.Equal(t, 2, version(t, path))
	require.NoError(t, s.Migrate(t.Context()))
}

func version(t *testing.T, path string) (n int) {
	t.Helper()
	require.NoError(t, raw(t, path).QueryRow("SELECT max(version) FROM sessions_schema").Scan(&n))
	return n
}
