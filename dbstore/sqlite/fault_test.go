package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// stored is a store with sessionOne, the session that faults must spare.
func stored(t *testing.T, o sqlite.Options) (*sqlite.Store, string) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, o)
	require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
	return s, path
}

// execute runs SQL beside the store, as an administrator would.
func execute(t *testing.T, path, text string) {
	t.Helper()
	c, err := sqlite3.Open(path)
	require.NoError(t, err)
	require.NoError(t, c.Exec(text))
	require.NoError(t, c.Close())
}

func requireHas(t *testing.T, s hosts.Store, r core.Record) {
	t.Helper()
	got, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, r, got)
}

func requireGone(t *testing.T, s hosts.Store, id core.ID) {
	t.Helper()
	_, err := s.Load(t.Context(), id)
	require.ErrorIs(t, err, core.ErrNotFound)
}

// everyVerb returns the error of each verb.
func everyVerb(t *testing.T, s *sqlite.Store) map[string]error {
	all := hosts.Query{AnyTenant: true, AnyUser: true}
	_, load := s.Load(t.Context(), sessionOne.ID)
	_, find := s.Find(t.Context(), all, core.ID{}, 10)
	_, sweep := s.Sweep(t.Context(), 1, 10)
	return map[string]error{
		"load": load, "find": find, "sweep": sweep,
		"save":   s.Save(t.Context(), sessionTwo, sessionOne.Version),
		"delete": s.Delete(t.Context(), sessionOne.ID),
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, path := range []string{"", ":memory:", "file:sessions.db?mode=ro"} {
		_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		var config *hosts.ConfigError
		require.ErrorAs(t, err, &config, path)
		require.Equal(t, "path", config.Field)
	}
	path := filepath.Join(t.TempDir(), "sessions.db")
	for field, o := range map[string]sqlite.Options{
		"BusyTimeout":                 {BusyTimeout: -1},
		"Table":                       {Table: "sessions; DROP TABLE users"},
		"coalesce.Options.Workers":    {Saves: coalesce.Options{Workers: -1}},
		"coalesce.Options.BatchCalls": {Loads: coalesce.Options{BatchCalls: -1}},
	} {
		_, err := sqlite.Open(t.Context(), path, o)
		var config *hosts.ConfigError
		require.ErrorAs(t, err, &config, field)
		require.Equal(t, field, config.Field)
	}
}

func TestNotADatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "notes.txt")
	text := []byte(strings.Repeat("These are not sessions.\n", 1000))
	for _, content := range [][]byte{text, text[:5]} {
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, "name another path")
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, content, after)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is left beside it")
	_, err = sqlite.Open(t.Context(), dir, sqlite.Options{})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, dir)
}

// A database whose pages were overwritten behind its header.
func TestDamagedFile(t *testing.T) {
	s, path := stored(t, sqlite.Options{})
	require.NoError(t, s.Close())
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	_, err = f.WriteAt([]byte(strings.Repeat("damage ", int(info.Size()-100)/7)), 100)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = sqlite.Open(t.Context(), path, sqlite.Options{})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "restore a backup")
}

// Pages that are damaged while in use: an error in every verb that meets them.
// Not "no such session", which would log the visitor out.
func TestDamagedWhileInUse(t *testing.T) {
	s, path := stored(t, sqlite.Options{})
	execute(t, path, "PRAGMA wal_checkpoint(TRUNCATE)")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, info.Size()-4096), 4096) // spares the schema
	require.NoError(t, err)
	require.NoError(t, f.Close())
	execute(t, path, "PRAGMA user_version=1") // so that all read anew
	for verb, err := range everyVerb(t, s) {
		require.ErrorIs(t, err, hosts.ErrUnavailable, verb)
		require.ErrorContains(t, err, path, verb)
		require.ErrorContains(t, err, "restore a backup", verb)
	}
}

func TestNewerSchema(t *testing.T) {
	s, path := stored(t, sqlite.Options{})
	require.NoError(t, s.Close())
	execute(t, path, "INSERT INTO sessions_schema (version) VALUES (99)")
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	var config *hosts.ConfigError
	require.ErrorAs(t, err, &config)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "version 99")
}

func TestNoMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{NoMigrate: true})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	_, script, ok := strings.Cut(err.Error(), "run:\n")
	require.True(t, ok, err)
	execute(t, path, script)
	s := open(t, path, sqlite.Options{NoMigrate: true})
	require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
}

// Two tables in one file have nothing to do with each other.
func TestTables(t *testing.T) {
	s, path := stored(t, sqlite.Options{})
	other := open(t, path, sqlite.Options{Table: "other"})
	requireGone(t, other, sessionOne.ID)
	require.NoError(t, other.Delete(t.Context(), sessionOne.ID))
	requireHas(t, s, sessionOne)
}

// Files that are removed or replaced while in use: an error in every verb.
func TestFileRemoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, NOT TESTED: Windows removes no open file")
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		s, path := stored(t, sqlite.Options{})
		name := path + suffix
		refused := func(remedy string) {
			t.Helper()
			require.Eventually(t, func() bool { // it is not looked for at each call
				answers := make(chan error)
				for range 16 {
					go func() { _, err := s.Load(t.Context(), sessionOne.ID); answers <- err }()
				}
				var err error
				for range 16 {
					err = errors.Join(err, <-answers)
				}
				return errors.Is(err, hosts.ErrUnavailable)
			}, 10*time.Second, 10*time.Millisecond)
			for verb, err := range everyVerb(t, s) {
				require.ErrorIs(t, err, hosts.ErrUnavailable, verb)
				require.NotErrorIs(t, err, core.ErrNotFound, verb)
				require.ErrorContains(t, err, name, verb)
				require.ErrorContains(t, err, remedy, verb)
			}
		}
		require.NoError(t, os.Rename(name, name+".old"))
		refused("restore it, or restart")
		require.NoFileExists(t, name)
		require.NoError(t, os.WriteFile(name, nil, 0o600))
		refused("restart the program")
		require.NoError(t, os.Rename(name+".old", name))
		requireHas(t, s, sessionOne) // restored
	}
}

// A save that SQLite undoes, by a trigger for instance, has certainly changed
// nothing, and says so.
func TestARefusedSaveChangesNothing(t *testing.T) {
	s, path := stored(t, sqlite.Options{})
	execute(t, path, `CREATE TRIGGER frozen BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'frozen'); END`)
	err := s.Save(t.Context(), sessionTwo, sessionOne.Version)
	require.ErrorIs(t, err, hosts.ErrRefused)
	require.ErrorContains(t, err, "triggers")
	requireHas(t, s, sessionOne)
}

// raw opens the file as another program would.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := driver.Open("file:" + path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
