// Package readme runs the handlers of README.md over every store.
package readme

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
	"github.com/stretchr/testify/require"
)

// TestHandlersAreThoseOfTheReadme, to the letter.
func TestHandlersAreThoseOfTheReadme(t *testing.T) {
	text, err := os.ReadFile("handlers_test.go")
	require.NoError(t, err)
	_, handlers, ok := strings.Cut(string(text), "\n)\n\n")
	require.True(t, ok)
	readme, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), handlers)
}

func at(server func(testing.TB) string) func(testing.TB, string) string {
	return func(t testing.TB, _ string) string { t.Helper(); return server(t) }
}

func beneath(scheme string) func(testing.TB, string) string {
	return func(_ testing.TB, dir string) string { return scheme + filepath.Join(dir, "sessions") }
}

// backends are all stores; two servers share one, and where that is for one
// process, they do so within it.
var backends = []struct {
	name   string
	shared bool // by several processes: each server opens it for itself
	url    func(t testing.TB, dir string) string
}{
	{"memory", false, func(testing.TB, string) string { return "memory:" }},
	{"file", false, beneath("file:")},
	{"file+shared", true, beneath("file+shared:")},
	{"sqlite", true, beneath("sqlite:")},
	{"postgres", true, at(servers.Postgres)},
	{"mysql", true, at(servers.MySQL)},
	{"redis", true, at(servers.Redis)},
	{"redis+cluster", true, at(servers.RedisCluster)},
}

// TestVisitsAndACartOverEveryStore: two servers, one visitor, many requests at once. All
// of them count, each is answered with a success, and none is sent again.
func TestVisitsAndACartOverEveryStore(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			n, err := stores.Scratch(t.Context(), b.url(t, t.TempDir()))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, n.Drop(context.Background())) })
			one := openStore(t, n)
			two := one
			if b.shared {
				two = openStore(t, n)
			}
			v := visitor{t: t, urls: []string{serve(t, one), serve(t, two)}}
			jar, err := cookiejar.New(nil) // of 127.0.0.1, whatever the port
			require.NoError(t, err)
			v.http.Jar = jar
			v.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

			require.Equal(t, `200 visit 1 of "", in the cart: []`, v.do("GET", "/", 0))
			v.atOnce(50, func(i int) { v.is("200 visit ", v.do("GET", "/", i)) })
			require.Contains(t, v.do("GET", "/", 1), "200 visit 52 of")
			v.atOnce(20, func(i int) {
				v.is("303", v.do("POST", "/cart?item="+fmt.Sprint(i), i))
			})
			for i := range 2 {
				require.Equal(t, 40, strings.Count(v.do("GET", "/", i), `"`)-2)
			}
			require.EqualValues(t, 1+50+1+20+2, served.Swap(0), "no request is sent again")
		})
	}
}

func openStore(t *testing.T, n *stores.Namespace) hosts.Store {
	s, closer, err := n.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closer.Close()) })
	return s
}

// served are the requests that came.
var served atomic.Int64

func serve(t *testing.T, s hosts.Store) (address string) {
	key, err := hex.DecodeString("8d1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15")
	require.NoError(t, err)
	app, err := sessions.New(s, sessions.Config{Key: core.NewSecret(key), AllowInsecure: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Close()) })
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", app.HandlerFunc(home))
	mux.Handle("POST /cart", app.HandlerFunc(add))
	mux.Handle("POST /login", app.HandlerFunc(login))
	mux.Handle("POST /logout", app.HandlerFunc(logout))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A visitor goes to the servers in turn, with one browser.
type visitor struct {
	t    *testing.T
	http http.Client
	urls []string
}

func (v *visitor) do(method, path string, i int) string {
	q, err := http.NewRequest(method, v.urls[i%len(v.urls)]+path, nil)
	if err != nil {
		return err.Error()
	}
	a, err := v.http.Do(q)
	if err != nil {
		return err.Error()
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(a.StatusCode, " ", strings.TrimSpace(string(body)))
}

func (v *visitor) atOnce(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

func (v *visitor) is(want, got string) {
	if !strings.HasPrefix(got, want) {
		v.t.Errorf("want %s, got %s", want, got)
	}
}
