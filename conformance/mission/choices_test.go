package mission

import (
	"net/http"
	"os"
	"testing"

	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	"github.com/stretchr/testify/require"
)

var choices = []row{{"02", kindsByName}, {"16", namedOrRefused}}

// kindsByName signs in on each of the guide's kinds, chosen by its word.
func kindsByName(t *testing.T, b backend) {
	t.Chdir(t.TempDir())
	for word, leaves := range map[string]string{"database": "sessions.db", "cache": "", "filesystem": "sessions"} {
		for _, style := range styles {
			store, closer, err := stores.Open(t.Context(), word)
			require.NoError(t, err, word)
			s := open(t, b, setup{store: store})
			ann := s.browser()
			id := ann.login(style, "ann")
			_, err = s.stored(id)
			require.NoError(t, err)
			ann.post(style + "/logout").is(http.StatusOK)
			s.stop()
			require.NoError(t, closer.Close())
		}
		if leaves != "" {
			_, err := os.Stat(leaves)
			require.NoError(t, err)
		}
	}
}

func namedOrRefused(t *testing.T, _ backend) {
	t.Chdir(t.TempDir())
	store, closer, err := stores.Open(t.Context(), "")
	require.NoError(t, err)
	require.IsType(t, &sqlite.Store{}, store)
	require.FileExists(t, "sessions.db")
	require.NoError(t, closer.Close())
	for _, bad := range []string{"memcache", "Database", "files", "sqlite", "tape:deck", "database:x"} {
		_, _, err := stores.Open(t.Context(), bad)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, bad)
		for _, allowed := range []string{"database", "cache", "filesystem", "sqlite:", "postgres://", "mysql://", "redis://"} {
			require.Contains(t, refused.Allowed, allowed)
		}
	}
}
