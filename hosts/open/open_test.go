package open_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/open"
	"github.com/stretchr/testify/require"
)

func TestStoreByName(t *testing.T) {
	t.Chdir(t.TempDir())
	absolute := filepath.Join(t.TempDir(), "s")
	for _, c := range []struct {
		url  string
		kind hosts.Store
		dir  string
	}{
		{"memory:", &cachestore.Store{}, ""},
		{"cache", &cachestore.Store{}, ""},
		{"file:here", &fsstore.Store{}, "here"},
		{"file:" + absolute, &fsstore.Store{}, absolute},
		{"file://" + absolute + "2", &fsstore.Store{}, absolute + "2"},
		{"file:", &fsstore.Store{}, "sessions"},
		{"filesystem", &fsstore.Store{}, "sessions"},
	} {
		s, closer, err := open.Store(t.Context(), c.url)
		require.NoError(t, err, c.url)
		require.IsType(t, c.kind, s, c.url)
		dir, ok := open.Dir(c.url)
		require.Equal(t, c.dir != "", ok, c.url)
		if ok {
			require.DirExists(t, dir)
			require.DirExists(t, c.dir)
		}
		r := core.Record{ID: core.ID{1}, Version: 1, Sealed: []byte("x")}
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		require.NoError(t, s.Delete(t.Context(), r.ID))
		require.NoError(t, closer.Close())
		require.ErrorIs(t, s.Save(t.Context(), r, core.NoVersion), hosts.ErrClosed, c.url)
	}
}

func TestOtherNamesAreRefusedWithTheList(t *testing.T) {
	t.Chdir(t.TempDir())
	for url, value := range map[string]string{
		"database":               "database",
		"redis://me:hush@host/1": "redis",
		"":                       "",
		"memory":                 "memory",
		"Memory:":                "Memory",
		"./sessions":             "./sessions",
	} {
		s, closer, err := open.Store(t.Context(), url)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, url)
		require.Equal(t, "store", refused.Field)
		require.Equal(t, value, refused.Value)
		require.Contains(t, err.Error(), "memory:, cache, file:DIR, filesystem", url)
		require.NotContains(t, err.Error(), "hush")
		require.Nil(t, s)
		require.Nil(t, closer)
	}
	_, _, err := open.Store(t.Context(), "database")
	require.ErrorContains(t, err, "databases are not among them yet")
	for _, url := range []string{"memory:hush", "file://hush/dir"} {
		_, isFile := open.Dir(url)
		require.False(t, isFile)
		_, _, err := open.Store(t.Context(), url)
		require.ErrorContains(t, err, "allowed: "+url[:4], url)
		require.NotContains(t, err.Error(), "hush")
	}
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, left, "a refusal creates nothing")
}
