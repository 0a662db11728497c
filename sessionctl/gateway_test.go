package sessionctl

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/stores"
)

const gatewayKey = "9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53"

// TestGateway runs the command before a real origin, over one file store that
// both share, with either engine, and stops it.
func TestGateway(t *testing.T) {
	for _, engine := range []string{"native", "wasm"} {
		t.Run(engine, func(t *testing.T) {
			if t.Setenv(hosts.DefaultKeyVariable, gatewayKey); engine == "wasm" { // and in the middle of a rotation
				t.Setenv(hosts.DefaultKeyVariable, "")
				t.Setenv(hosts.DefaultKeysVariable, gatewayKey+"@..2099-01-01T00:00:00Z,"+testKey+"@2098-01-01T00:00:00Z")
			}
			name := "file+shared:" + t.TempDir()
			store, closer, err := stores.Open(t.Context(), name)
			require.NoError(t, err)
			defer closer.Close()
			manager, err := hosts.New(store, hosts.Config{Key: core.NewSecret(gatewayKey), AllowInsecure: true})
			require.NoError(t, err)
			defer manager.Close()
			mw, err := nethttp.New(manager, nethttp.Options{})
			require.NoError(t, err)
			origin := httptest.NewServer(mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/login" {
					v, err := nethttp.From(r)
					if err == nil {
						err = v.Login("alice", 0)
					}
					if err != nil {
						http.Error(w, err.Error(), http.StatusInternalServerError)
					}
				}
				_, _ = io.WriteString(w, "user="+r.Header.Get("Session-User"))
			})))
			defer origin.Close()

			ctx, stop := context.WithCancel(t.Context())
			lines, done := startGateway(ctx, "--origin", origin.URL, "--addr", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--store", name, "--engine", engine, "--public", "/login")
			url := strings.TrimSuffix(<-lines, "/\n")
			get := func(path, cookie string) (*http.Response, string) {
				r, err := http.NewRequest("GET", url+path, nil)
				require.NoError(t, err)
				r.Header.Set("Cookie", cookie)
				a, err := http.DefaultClient.Do(r)
				require.NoError(t, err)
				defer a.Body.Close()
				b, err := io.ReadAll(a.Body)
				require.NoError(t, err)
				return a, string(b)
			}
			a, _ := get("/me", "")
			require.Equal(t, http.StatusUnauthorized, a.StatusCode)
			a, _ = get("/login", "")
			require.Equal(t, http.StatusOK, a.StatusCode)
			cookie, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
			a, text := get("/me", cookie)
			require.Equal(t, http.StatusOK, a.StatusCode)
			require.Equal(t, "user=alice", text)
			stop()
			require.Equal(t, exitFine, <-done)
		})
	}
}

// said is a writer whose lines can be awaited.
type said struct {
	mu    sync.Mutex
	lines chan string
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines <- string(p)
	return len(p), nil
}

func startGateway(ctx context.Context, args ...string) (lines chan string, done chan int) {
	out := &said{lines: make(chan string, 10)}
	done = make(chan int, 1)
	p := &Program{In: strings.NewReader(""), Out: out, Err: io.Discard}
	go func() { done <- p.Run(ctx, append([]string{"gateway"}, args...)) }()
	return out.lines, done
}

// newSharedStore names a store that was made.
func newSharedStore(t *testing.T) string {
	name := "file+shared:" + t.TempDir()
	_, closer, err := stores.Open(t.Context(), name)
	require.NoError(t, err)
	require.NoError(t, closer.Close())
	return name
}

func TestGatewayRefusesItsFlags(t *testing.T) {
	for _, c := range []struct {
		key, want string
		args      []string
	}{
		{gatewayKey, "--origin is required", nil},
		{gatewayKey, `--engine is "v8"; allowed: native, wasm`, []string{"--engine", "v8"}},
		{gatewayKey, "--cert and --key go together", []string{"--cert", "x"}},
		{gatewayKey, "the store is memory, which only one process can use; allowed: the one of the application: file+shared:", []string{"--store", "memory:"}},
		{gatewayKey, "the store is file, which only one process can use", []string{"--store", "file:" + t.TempDir()}},
		{gatewayKey, "no store is named; allowed: --store STORE or SESSION_STORE", nil},
		{"", "SESSION_ENCRYPTION_KEY is not set", nil},
		{"", "allowed: the key of the application", nil},
		{"5ec4e7", "give it the key of the application", nil},
		{gatewayKey, `gateway: --public is "x"; allowed: a path`, []string{"--public", "x", "--store", newSharedStore(t)}},
		{gatewayKey, `gateway: --deny and --signed-in are "/x"; allowed: one rule for each prefix`, []string{"--deny", "/x", "--signed-in", "/x", "--store", newSharedStore(t)}},
		{gatewayKey, `gateway: --idle is "-1s"; allowed: 0s to 9600h0m0s`, []string{"--idle", "-1s", "--store", newSharedStore(t)}},
		{gatewayKey, `gateway: --renew-grace is "-90s"; allowed: 1s to 5m0s`, []string{"--renew-grace", "-90s", "--store", newSharedStore(t)}},
		{gatewayKey, `gateway: --timeout is "-1s"; allowed: `, []string{"--timeout", "-1s", "--store", newSharedStore(t)}},
		{gatewayKey, `gateway: --name is "a b"; allowed: `, []string{"--name", "a b", "--store", newSharedStore(t)}},
		{gatewayKey, `gateway: --addr is "foo"; allowed: HOST:PORT, such as 127.0.0.1:8081`, []string{"--addr", "foo"}},
		{gatewayKey, `gateway: --admin is "foo"; allowed: HOST:PORT`, []string{"--admin", "foo"}},
		{gatewayKey, `gateway: --cert /no/file: no such file`, []string{"--cert", "/no/file", "--key", "/no/key", "--store", newSharedStore(t)}},
		{gatewayKey, `gateway: --cert /dev/null and --key /dev/null: `, []string{"--cert", "/dev/null", "--key", "/dev/null", "--store", newSharedStore(t)}},
		{gatewayKey, `--origin is "http://..."; allowed: http://host:port`, []string{"--origin", "http://u:hunter2@127.0.0.1:zz"}},
		{gatewayKey, `--login is "/login"`, []string{"--login", "/login", "--store", newSharedStore(t)}},
	} {
		t.Setenv(hosts.DefaultKeyVariable, c.key)
		var out, errs bytes.Buffer
		p := &Program{In: strings.NewReader(""), Out: &out, Err: &errs}
		args := append([]string{"gateway"}, c.args...)
		if !strings.Contains(c.want, "--origin") {
			args = append(args, "--origin", "http://127.0.0.1:1")
		}
		require.Equal(t, exitUsage, p.Run(t.Context(), args), errs.String())
		require.Contains(t, errs.String(), c.want)
		require.Empty(t, out.String(), "no address is said before all is examined")
		require.NotContains(t, errs.String(), "hunter2")
	}
}

// TestGatewayTakesTheStoreOfTheEnvironment, as the other commands do, and makes
// none where the name is likely wrong.
func TestGatewayTakesTheStoreOfTheEnvironment(t *testing.T) {
	t.Setenv(hosts.DefaultKeyVariable, gatewayKey)
	t.Setenv(storeVariable, newSharedStore(t))
	ctx, stop := context.WithCancel(t.Context())
	lines, done := startGateway(ctx, "--origin", "http://127.0.0.1:1", "--addr", "127.0.0.1:0")
	var url string
	select {
	case url = <-lines:
	case code := <-done:
		require.Fail(t, "the gateway ended", "exit code %d", code)
	}
	a, err := http.Get(strings.TrimSuffix(url, "\n"))
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	require.Equal(t, http.StatusUnauthorized, a.StatusCode)
	stop()
	require.Equal(t, exitFine, <-done)

	file := filepath.Join(t.TempDir(), "sessions.db")
	t.Setenv(storeVariable, "file+shared:"+file)
	var errs bytes.Buffer
	p := &Program{In: strings.NewReader(""), Out: io.Discard, Err: &errs}
	require.Equal(t, exitFindings, p.Run(t.Context(), []string{"gateway", "--origin", "http://127.0.0.1:1"}))
	require.Contains(t, errs.String(), "name the right one with --store")
	require.NoDirExists(t, file)
}

func TestGatewayHelpListsTheStoresThatItTakes(t *testing.T) {
	set := flag.NewFlagSet("gateway", flag.ContinueOnError)
	gatewayFlags(set)
	usage := set.Lookup("store").Usage
	require.Contains(t, usage, "file+shared:")
	for _, alone := range []string{"memory:", " file:", "filesystem", "cache"} {
		require.NotContains(t, usage, alone)
	}
}
