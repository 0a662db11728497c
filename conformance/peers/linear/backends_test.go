package linear_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
	"github.com/stretchr/testify/require"
)

// backend is a store by its URL, on a namespace of the test's own.
type backend struct {
	name string
	url  func(t *testing.T) string
	// processes that may have it open at once; zero: it does not outlive one.
	processes int
}

var backends = []backend{
	{"memory", func(*testing.T) string { return "memory:" }, 0},
	{"file", func(t *testing.T) string { return "file:" + filepath.Join(t.TempDir(), "log") }, 1},
	{"file+shared", func(t *testing.T) string { return "file+shared:" + filepath.Join(t.TempDir(), "sessions") }, 3},
	{"sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "sessions.db") }, 3},
	{"postgres", func(t *testing.T) string { return with(servers.Postgres(t), "table", "linear_"+fresh()) }, 3},
	{"mysql", func(t *testing.T) string { return with(servers.MySQL(t), "table", "linear_"+fresh()) }, 3},
	{"redis", func(t *testing.T) string { return with(servers.Redis(t), "prefix", "linear-"+fresh()+":") }, 3},
	{"redis+cluster", func(t *testing.T) string { return with(servers.RedisCluster(t), "prefix", "linear-"+fresh()+":") }, 3},
}

func with(url, option, value string) string {
	sep := "?"
	if strings.Contains(url, "?") {
		sep = "&"
	}
	return url + sep + option + "=" + value
}

func fresh() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// each runs a test for every backend, and leaves nothing of it behind.
func each(t *testing.T, test func(t *testing.T, b backend, url string)) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			url := b.url(t)
			if strings.Contains(url, "//") { // a server, which others use, too
				t.Cleanup(func() { drop(t, url) })
			}
			test(t, b, url)
		})
	}
}

func opened(t *testing.T, url string) hosts.Store {
	t.Helper()
	s, closer, err := stores.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closer.Close()) })
	return s
}

func drop(t *testing.T, url string) {
	ctx := context.Background() // the test's has ended
	s, closer, err := stores.Open(ctx, url)
	require.NoError(t, err)
	defer func(c io.Closer) { require.NoError(t, c.Close()) }(closer)
	if table, ok := s.(interface{ Drop(context.Context) error }); ok {
		require.NoError(t, table.Drop(ctx))
		return
	}
	for {
		page, err := s.(hosts.Finder).Find(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1000)
		require.NoError(t, err)
		for _, r := range page {
			require.NoError(t, s.Delete(ctx, r.ID))
		}
		if len(page) == 0 {
			return
		}
	}
}

// seed differs from run to run; a failure shows the history.
func seed(t *testing.T) uint64 {
	t.Helper()
	var b [8]byte
	_, _ = rand.Read(b[:])
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	t.Log("seed", fmt.Sprint(n))
	return n
}
