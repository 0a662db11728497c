package open_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/open"
	"github.com/stretchr/testify/require"
)

func TestScratch(t *testing.T) {
	for name, url := range map[string]func(t testing.TB, dir string) string{
		"memory":      func(testing.TB, string) string { return "memory:" },
		"file":        func(_ testing.TB, dir string) string { return "file:" + dir },
		"file+shared": func(_ testing.TB, dir string) string { return "file+shared:" + dir },
		"sqlite":      func(_ testing.TB, dir string) string { return "sqlite:" + filepath.Join(dir, "own.db") },
		"postgres":    func(t testing.TB, _ string) string { return servers.Postgres(t) },
		"postgres, table": func(t testing.TB, _ string) string {
			return withQuery(servers.Postgres(t), "table=public.own_sessions&fast=true")
		},
		"mysql, table":  func(t testing.TB, _ string) string { return withQuery(servers.MySQL(t), "table=own_sessions") },
		"mysql":         func(t testing.TB, _ string) string { return servers.MySQL(t) },
		"mariadb":       func(t testing.TB, _ string) string { return strings.Replace(servers.MySQL(t), "mysql:", "mariadb:", 1) },
		"redis":         func(t testing.TB, _ string) string { return servers.Redis(t) },
		"redis, prefix": func(t testing.TB, _ string) string { return servers.Redis(t) + "?prefix=own:" },
		"redis+cluster": func(t testing.TB, _ string) string { return servers.RedisCluster(t) },
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			real, closeReal, err := open.Store(t.Context(), url(t, filepath.Join(parent, "sessions")))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, closeReal.Close()) })
			before := beside(t, parent)
			first, second := scratch(t, url(t, filepath.Join(parent, "sessions"))), scratch(t, url(t, filepath.Join(parent, "sessions")))
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

			empty, closeEmpty := opened(t, first)
			_, err = empty.Load(t.Context(), r.ID)
			require.ErrorIs(t, err, core.ErrNotFound)
			closeEmpty()
		})
	}
}

func scratch(t *testing.T, url string) *open.Namespace {
	n, err := open.Scratch(t.Context(), url)
	require.NoError(t, err)
	require.Regexp(t, "^check_[0-9a-f]{16}$", n.Name())
	t.Cleanup(func() { require.NoError(t, n.Drop(context.Background())) })
	return n
}

func opened(t *testing.T, n *open.Namespace) (s hosts.Store, done func()) {
	s, closer, err := n.Open(t.Context())
	require.NoError(t, err)
	done = func() { require.NoError(t, closer.Close()) }
	t.Cleanup(done)
	return s, done
}

// beside lists what lies next to the sessions.
func beside(t *testing.T, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func withQuery(url, query string) string {
	if strings.Contains(url, "?") {
		return url + "&" + query
	}
	return url + "?" + query
}
