package mission

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
	"github.com/stretchr/testify/require"
)

// backend is a kind of storage, a column of the table. Where sessions last, two
// stores of one directory have the same sessions: so it is after a restart, and
// for a second server.
type backend struct {
	name    string
	lasts   bool
	single  bool // one process alone may have it open: several servers share the store
	forgets bool // by itself what has run out, so that there is nothing to sweep
	wasm    bool // the manager decides by the core as WebAssembly
	url     func(t testing.TB, dir string) string
}

// Another backend is another line.
var backends = []backend{
	{name: "cache"},
	{name: "filesystem", lasts: true, single: true, url: beneath("file:")},
	{name: "file+shared", lasts: true, url: beneath("file+shared:")},
	{name: "sqlite", lasts: true, url: beneath("sqlite:")},
	{name: "postgres", lasts: true, url: at(servers.Postgres)},
	{name: "mysql", lasts: true, url: at(servers.MySQL)},
	{name: "redis", lasts: true, forgets: true, url: at(servers.Redis)},
	{name: "sqlite+cache", lasts: true, url: cached(beneath("sqlite:"))},
	{name: "cluster", lasts: true, forgets: true, url: at(servers.RedisCluster)},
}

func beneath(scheme string) func(testing.TB, string) string {
	return func(_ testing.TB, dir string) string { return scheme + filepath.Join(dir, "sessions") }
}

// Every row over a cache on a server, too, in make soak.
func init() {
	if soak.On() {
		backends = append(backends,
			backend{name: "postgres+cache", lasts: true, url: cached(at(servers.Postgres))},
			backend{name: "mysql+cache", lasts: true, url: cached(at(servers.MySQL))},
			backend{name: "redis+cache", lasts: true, forgets: true, url: cached(at(servers.Redis))})
	}
}

// cached has a cache before the store.
func cached(url func(testing.TB, string) string) func(testing.TB, string) string {
	return func(t testing.TB, dir string) string {
		t.Helper()
		name := url(t, dir)
		if strings.Contains(name, "?") {
			return name + "&cache=8MiB"
		}
		return name + "?cache=8MiB"
	}
}

func at(server func(testing.TB) string) func(testing.TB, string) string {
	return func(t testing.TB, _ string) string { t.Helper(); return server(t) }
}

// open returns a store of its own on what belongs to dir.
func (b backend) open(t *testing.T, dir string) hosts.Store {
	t.Helper()
	s, _ := b.handle(t, dir)
	return s
}

// handle is open, and what closes the store before the test ends.
func (b backend) handle(t *testing.T, dir string) (s hosts.Store, free func()) {
	t.Helper()
	if b.url == nil {
		return openCache(t)
	}
	s, closer, err := b.namespace(t, dir).Open(t.Context())
	require.NoError(t, err)
	free = sync.OnceFunc(func() { require.NoError(t, closer.Close()) })
	t.Cleanup(free)
	return s, free
}

func openCache(t *testing.T) (hosts.Store, func()) {
	s, err := cachestore.Open(cachestore.Options{MaxBytes: cachestore.LeastMaxBytes})
	require.NoError(t, err)
	free := func() { require.NoError(t, s.Close()) }
	t.Cleanup(free)
	return s, free
}

// namespaces are those of the directories that tests have at the moment: on a
// server that all share, each test has a table or a prefix of its own.
var namespaces sync.Map

func (b backend) namespace(t *testing.T, dir string) *stores.Namespace {
	t.Helper()
	if n, ok := namespaces.Load(dir); ok {
		return n.(*stores.Namespace)
	}
	n, err := stores.Scratch(t.Context(), b.url(t, dir))
	require.NoError(t, err)
	namespaces.Store(dir, n)
	t.Cleanup(func() {
		namespaces.Delete(dir)
		require.NoError(t, n.Drop(context.Background()))
	})
	return n
}

// able returns what does for a store what T says.
func able[T any](t testing.TB, s hosts.Store) T {
	t.Helper()
	a, ok := hosts.As[T](s)
	require.True(t, ok)
	return a
}
