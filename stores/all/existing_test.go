package all_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/stores"
)

// state is all that is in a directory: names, modes, times and bytes.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		text := ""
		if !d.IsDir() {
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			text = string(b)
		}
		found[path] = info.Mode().String() + info.ModTime().Format(time.RFC3339Nano) + text
		return nil
	}))
	return found
}

// others is a directory of other programs' things.
func others(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"empty", "etc", "etc/ab", "shop"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	for name, text := range map[string]string{"etc/passwd": "root:x:0:0", "text": "no database, but a file of some bytes", "nothing.db": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for name, mode := range map[string]string{"shop/delete.db": "DELETE", "shop/wal.db": "WAL", "shop/sessions.db": "WAL"} {
		db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, name))
		require.NoError(t, err)
		table := "orders"
		if name == "shop/sessions.db" {
			table = "sessions" // that mean something else
		}
		_, err = db.Exec("PRAGMA journal_mode=" + mode + "; CREATE TABLE " + table + " (id INTEGER PRIMARY KEY)")
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
	return dir
}

func TestOpenExistingWritesNothingToWhatIsNoStore(t *testing.T) {
	dir := others(t)
	before := state(t, dir)
	for rest, want := range map[string]string{
		"file:none":               "/none",
		"file:none/deeper":        "/deeper",
		"file:empty":              "has no sessions: neither the file segment-log nor file-per-session is in it",
		"file:etc":                "has no sessions",
		"file+shared:etc":         "has no sessions",
		"file+shared:empty":       "has no sessions",
		"file:shop":               "has no sessions",
		"sqlite:none.db":          "/none.db",
		"sqlite:none/deeper.db":   "/deeper.db",
		"sqlite:shop/delete.db":   "has no sessions: the table sessions_schema is not in it",
		"sqlite:shop/wal.db":      "has no sessions",
		"sqlite:shop/sessions.db": "has no sessions",
		"sqlite:nothing.db":       "has no sessions",
		"sqlite:text":             "cannot be read as a database",
		"sqlite:etc":              "cannot be read as a database",
		"sqlite:etc/passwd":       "cannot be read as a database",
	} {
		scheme, path, _ := strings.Cut(rest, ":")
		s, closer, err := stores.OpenExisting(t.Context(), scheme+":"+filepath.Join(dir, path))
		require.ErrorIs(t, err, stores.ErrNoStore, rest)
		require.ErrorContains(t, err, want, rest)
		require.Nil(t, s)
		require.Nil(t, closer)
		require.Equal(t, before, state(t, dir), rest)
	}
}

// TestOpenExistingLooksIntoADatabaseInUse: another program's log and its index stay
// as they are, and our tables are found while they are in the log alone.
func TestOpenExistingLooksIntoADatabaseInUse(t *testing.T) {
	dir := others(t)
	path := filepath.Join(dir, "shop/wal.db")
	db, err := sql.Open("sqlite3", "file:"+path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("INSERT INTO orders VALUES (1)")
	require.NoError(t, err)
	before := state(t, dir)
	require.NotEmpty(t, before[path+"-wal"])
	_, _, err = stores.OpenExisting(t.Context(), "sqlite:"+path)
	require.ErrorIs(t, err, stores.ErrNoStore)
	require.Equal(t, before, state(t, dir))

	name := "sqlite:" + filepath.Join(dir, "young +1% #.db")
	server, closer, err := stores.Open(t.Context(), name)
	require.NoError(t, err)
	defer closer.Close()
	require.NoError(t, server.Save(t.Context(), aRecord(), core.NoVersion))
	s, second, err := stores.OpenExisting(t.Context(), name)
	require.NoError(t, err)
	_, err = s.Load(t.Context(), aRecord().ID)
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

func TestOpenExistingOpensStores(t *testing.T) {
	dir := t.TempDir()
	for _, rest := range []string{"memory:", "file:" + dir + "/log", "file+shared:" + dir + "/slots", "sqlite:" + dir + "/s.db"} {
		_, closer, err := stores.OpenMigrated(t.Context(), rest)
		require.NoError(t, err, rest)
		require.NoError(t, closer.Close())
		_, closer, err = stores.OpenExisting(t.Context(), rest)
		require.NoError(t, err, rest)
		require.NoError(t, closer.Close())
	}
	_, _, err := stores.OpenExisting(t.Context(), "pigeon:")
	require.ErrorContains(t, err, "allowed: ")
	_, _, err = stores.OpenMigrated(t.Context(), "pigeon:")
	require.ErrorContains(t, err, "allowed: ")
}

// TestOpenExistingLeavesADatabaseAlone, whatever its name says of migrate, and
// Migrated does not.
func TestOpenExistingLeavesADatabaseAlone(t *testing.T) {
	for name, server := range map[string]func(testing.TB) string{"postgres": servers.Postgres, "mysql": servers.MySQL} {
		t.Run(name, func(t *testing.T) {
			url := withQuery(server(t), "table="+uniqueTable())
			for _, more := range []string{"", "&migrate=true", "&migrate=false"} {
				_, _, err := stores.OpenExisting(t.Context(), url+more)
				require.ErrorIs(t, err, stores.ErrNoStore)
				require.ErrorContains(t, err, "schema version 0", "what a call before has not made")
			}
			_, _, err := stores.OpenExisting(t.Context(), strings.Replace(url, "127.0.0.1:", "127.0.0.1:1", 1))
			require.Error(t, err)
			require.NotErrorIs(t, err, stores.ErrNoStore, "that cannot be told")

			_, closer, err := stores.OpenMigrated(t.Context(), url+"&migrate=false")
			require.NoError(t, err)
			require.NoError(t, closer.Close())
			_, closer, err = stores.OpenExisting(t.Context(), url+"&migrate=true")
			require.NoError(t, err)
			require.NoError(t, closer.Close())
			ownStore(t, url) // drops it
		})
	}
}
