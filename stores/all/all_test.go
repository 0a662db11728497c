package all_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
	"github.com/stretchr/testify/require"
)

// aRecord that any store takes.
func aRecord() core.Record {
	return core.Record{ID: core.ID{1}, Version: 1, CreatedAt: 1, SeenAt: 1, ExpiresAt: 4e12, Sealed: []byte("x")}
}

func TestStoreByName(t *testing.T) {
	t.Chdir(t.TempDir())
	absolute := filepath.Join(t.TempDir(), "s")
	for _, c := range []struct {
		url       string
		kind      hosts.Store
		dir, file string
	}{
		{"memory:", &cachestore.Store{}, "", ""},
		{"cache", &cachestore.Store{}, "", ""},
		{"file:here", &fsstore.Store{}, "here", ""},
		{"file:" + absolute, &fsstore.Store{}, absolute, ""},
		{"file://" + absolute + "2", &fsstore.Store{}, absolute + "2", ""},
		{"file:", &fsstore.Store{}, "sessions", ""},
		{"filesystem", &fsstore.Store{}, "sessions", ""},
		{"file+shared:there", &fsstore.Store{}, "there", ""},
		{"sqlite:", &sqlite.Store{}, "", "sessions.db"},
		{"database", &sqlite.Store{}, "", "sessions.db"},
		{"", &sqlite.Store{}, "", "sessions.db"},
		{stores.Default, &sqlite.Store{}, "", "sessions.db"},
		{"sqlite:own/s.db", &sqlite.Store{}, "", "own/s.db"},
		{"sqlite://" + absolute + ".db", &sqlite.Store{}, "", absolute + ".db"},
	} {
		s, closer, err := stores.Open(t.Context(), c.url)
		require.NoError(t, err, c.url)
		require.IsType(t, c.kind, s, c.url)
		dir, isDir := stores.Dir(c.url)
		require.Equal(t, c.dir != "", isDir, c.url)
		if isDir {
			require.DirExists(t, dir)
			require.DirExists(t, c.dir)
		}
		file, isFile := stores.File(c.url)
		require.Equal(t, c.file != "", isFile, c.url)
		if isFile {
			require.FileExists(t, file)
			require.FileExists(t, c.file)
		}
		r := aRecord()
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		require.NoError(t, s.Delete(t.Context(), r.ID))
		require.NoError(t, closer.Close())
		require.ErrorIs(t, s.Save(t.Context(), r, core.NoVersion), hosts.ErrClosed, c.url)
	}
}

func TestOtherNamesAreRefusedWithTheList(t *testing.T) {
	t.Chdir(t.TempDir())
	for url, value := range map[string]string{
		"memcached://me:hush@host/1": "memcached",
		"memory":                     "memory",
		"Memory:":                    "Memory",
		"./sessions":                 "./sessions",
		"redis":                      "redis",
		"redis+ring://me:hush@host":  "redis+ring",
	} {
		s, closer, err := stores.Open(t.Context(), url)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, url)
		require.Equal(t, "store", refused.Field)
		require.Equal(t, value, refused.Value)
		require.Contains(t, err.Error(), "memory:, cache, file:, filesystem, file+shared:, sqlite:, database, postgres://, mysql://, redis://, redis+cluster://", url)
		require.NotContains(t, err.Error(), "hush")
		require.Nil(t, s)
		require.Nil(t, closer)
		_, err = stores.Scratch(t.Context(), url)
		require.ErrorAs(t, err, &refused, url)
	}
	for _, url := range []string{"memory:hush", "file://hush/dir", "file+shared://hush/dir", "sqlite://hush/f.db", "sqlite::memory:",
		"file:dir?hush=true", "file+shared:dir?hush", "file:?hush", "sqlite:x.db?table=hush", "sqlite:?hush"} {
		_, isDir := stores.Dir(url)
		require.False(t, isDir)
		_, isFile := stores.File(url)
		require.Equal(t, url == "sqlite::memory:", isFile, url)
		_, _, err := stores.Open(t.Context(), url)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, url)
		require.NotContains(t, err.Error(), "hush")
	}
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, left, "a refusal creates nothing")
}

// TestNoErrorShowsAPassword: neither of a URL that cannot be read, nor of a
// server that does not answer, nor of one that is asked in vain.
func TestNoErrorShowsAPassword(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, scheme := range strings.Fields("postgres postgresql mysql mariadb redis rediss redis+cluster rediss+cluster redis+sentinel rediss+sentinel") {
		for _, rest := range []string{
			"//me:hush@127.0.0.1:1/name", "//me:hush@127.0.0.1:1/name?x=hush", "me:hush@127.0.0.1/name", "//me:hu%sh@127.0.0.1/hush",
			"//me:hush@127.0.0.1:port/hush", "//me:hush@[::1/hush", "//me:hush@",
		} {
			for _, ctx := range []context.Context{t.Context(), gone} {
				_, _, err := stores.Open(ctx, scheme+":"+rest)
				require.ErrorContains(t, err, "open store "+scheme, rest)
				require.NotContains(t, err.Error(), "hush", rest)
			}
		}
	}
}
