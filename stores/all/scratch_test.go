package all_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	"github.com/stretchr/testify/require"
)

// scratchable are names of stores in a directory, or on a server.
func scratchable(table string) map[string]func(t testing.TB, dir string) string {
	return map[string]func(t testing.TB, dir string) string{
		"memory":      func(testing.TB, string) string { return "memory:" },
		"file":        func(_ testing.TB, dir string) string { return "file:" + dir },
		"file+shared": func(_ testing.TB, dir string) string { return "file+shared:" + dir },
		"sqlite":      func(_ testing.TB, dir string) string { return "sqlite:" + filepath.Join(dir, "own.db") },
		"postgres":    func(t testing.TB, _ string) string { return withQuery(servers.Postgres(t), "fast=true&table="+table) },
		"postgres, schema": func(t testing.TB, _ string) string {
			return withQuery(servers.Postgres(t), "table=public."+table)
		},
		"mysql": func(t testing.TB, _ string) string { return withQuery(servers.MySQL(t), "table="+table) },
		"mariadb": func(t testing.TB, _ string) string {
			return withQuery(strings.Replace(servers.MySQL(t), "mysql:", "mariadb:", 1), "table="+table)
		},
		"redis":               func(t testing.TB, _ string) string { return servers.Redis(t) },
		"redis, prefix":       func(t testing.TB, _ string) string { return servers.Redis(t) + "?prefix=own:" },
		"redis, prefix of 42": func(t testing.TB, _ string) string { return servers.Redis(t) + "?prefix=" + strings.Repeat("p", 42) },
		"redis, prefix of 64": func(t testing.TB, _ string) string { return servers.Redis(t) + "?prefix=" + strings.Repeat("p", 64) },
		"redis+cluster":       func(t testing.TB, _ string) string { return servers.RedisCluster(t) },
	}
}

func TestScratch(t *testing.T) {
	for name, url := range scratchable(uniqueTable()) {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			name := url(t, filepath.Join(parent, "sessions"))
			real := ownStore(t, name)
			mine := aRecord()
			rand.Read(mine.ID[:])
			require.NoError(t, real.Save(t.Context(), mine, core.NoVersion))
			before := beside(t, parent)
			if strings.Contains(name, "table=") {
				name += "&migrate=false" // as where an administrator has made the table
			}
			first, second := scratch(t, name), scratch(t, name)
			require.NotEqual(t, first.Name(), second.Name())

			a, closeA := opened(t, first)
			b, closeB := opened(t, first)
			other, closeOther := opened(t, second)
			r := aRecord()
			require.NoError(t, a.Save(t.Context(), r, core.NoVersion))
			got, err := b.Load(t.Context(), r.ID)
			require.NoError(t, err, "every handle is on the same namespace")
			require.Equal(t, r.Version, got.Version)
			for _, elsewhere := range []hosts.Store{real, other} {
				_, err := elsewhere.Load(t.Context(), r.ID)
				require.ErrorIs(t, err, core.ErrNotFound)
			}
			closeA()
			closeA()
			_, err = b.Load(t.Context(), r.ID)
			require.NoError(t, err, "one handle outlives the other")
			closeB()
			again, closeAgain := opened(t, first)
			_, err = again.Load(t.Context(), r.ID)
			require.NoError(t, err, "what is there stays until Drop")
			closeAgain()
			closeOther()
			require.NoError(t, first.Drop(t.Context()))
			require.NoError(t, second.Drop(t.Context()))
			require.Equal(t, before, beside(t, parent))
			_, err = real.Load(t.Context(), mine.ID)
			require.NoError(t, err, "the sessions themselves are not touched")
			require.NoError(t, real.Delete(t.Context(), mine.ID))

			empty, closeEmpty := opened(t, first)
			_, err = empty.Load(t.Context(), r.ID)
			require.ErrorIs(t, err, core.ErrNotFound)
			closeEmpty()
		})
	}
}

// TestScratchMakesNoDirectories but its own, which it can remove again.
func TestScratchMakesNoDirectories(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"file:" + dir + "/no/such/s", "file+shared:" + dir + "/no/s", "sqlite:" + dir + "/no/such/x.db"} {
		_, err := stores.Scratch(t.Context(), name)
		require.ErrorIs(t, err, stores.ErrNoStore)
		require.ErrorContains(t, err, "for the store")
		require.Empty(t, beside(t, dir))
	}
}

func uniqueTable() string { return "own_" + strings.ToLower(rand.Text()) }

// ownStore opens the sessions themselves, and drops the table that they have in
// a database.
func ownStore(t *testing.T, name string) hosts.Store {
	s, closer, err := stores.Open(t.Context(), name)
	require.NoError(t, err)
	t.Cleanup(func() {
		if db, ok := s.(*dbstore.Store); ok {
			require.NoError(t, db.Drop(context.Background()))
		}
		require.NoError(t, closer.Close())
	})
	return s
}

func scratch(t *testing.T, url string) *stores.Namespace {
	n, err := stores.Scratch(t.Context(), url)
	require.NoError(t, err)
	require.Regexp(t, "^check_[0-9a-f]{16}$", n.Name())
	t.Cleanup(func() { require.NoError(t, n.Drop(context.Background())) })
	return n
}

func opened(t *testing.T, n *stores.Namespace) (s hosts.Store, done func()) {
	s, closer, err := n.Open(t.Context())
	require.NoError(t, err)
	done = func() { require.NoError(t, closer.Close()) }
	t.Cleanup(done)
	return s, done
}

// beside lists what lies next to the sessions.
func beside(t *testing.T, dir string) (names []string) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			names = append(names, path)
		}
		return err
	}))
	return names
}

func withQuery(url, query string) string {
	if strings.Contains(url, "?") {
		return url + "&" + query
	}
	return url + "?" + query
}
