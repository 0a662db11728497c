package tests

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
)

const (
	aKey     = "8f1b41207465737420206b65792c2072656164206279206e6f626f6479212121"
	patience = time.Minute
)

var dir string // of the Caddy

// built is the Caddy of ./server.
var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(dir, "caddy")
	out, err := exec.Command("go", "build", "-o", path, "./server").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "caddy-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// site is an application behind a Caddy.
type site struct {
	t      *testing.T
	url    string
	client *http.Client
	header http.Header // that the client sends
	seen   []http.Header
}

// tenantOf is how the application knows its tenants, and Caddy too.
func tenantOf(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.Host)
	return host
}

func origin(t *testing.T, s *site, store string) *httptest.Server {
	t.Helper()
	opened, closer, err := stores.Open(t.Context(), store)
	require.NoError(t, err)
	t.Cleanup(func() { closer.Close() })
	key, err := core.ParseKey(aKey)
	require.NoError(t, err)
	app, err := sessions.New(opened, sessions.Config{Key: key}, sessions.Options{Tenant: tenantOf})
	require.NoError(t, err)
	t.Cleanup(func() { app.Close() })
	mux := http.NewServeMux()
	mux.Handle("POST /login", app.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, v *sessions.Session) error {
		return v.Login(r.FormValue("user"), 0)
	}))
	mux.Handle("POST /logout", app.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, v *sessions.Session) error { return v.Destroy() }))
	var mu sync.Mutex
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		s.seen = append(s.seen, r.Header.Clone())
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// open starts both; Caddy reads the store at another address perhaps.
func open(t *testing.T, store, caddys string) *site {
	t.Helper()
	bin, err := built()
	require.NoError(t, err)
	s := &site{t: t, client: &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, header: http.Header{}}
	s.client.Jar = newJar(t)
	behind := origin(t, s, store)
	port := freePort(t)
	s.url = "http://localhost:" + port
	dir := t.TempDir()
	file := filepath.Join(dir, "Caddyfile")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(config, filepath.Join(dir, "data"), s.url, behind.Listener.Addr())), 0o600))
	run(t, bin, "localhost:"+port, file, "STORE="+caddys, "SESSION_ENCRYPTION_KEY="+aKey, "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	return s
}

const config = `{
	admin off
	auto_https off
	persist_config off
	storage file_system %q
}
%s {
	sessions /account/* {
		store {env.STORE}
		tenant {http.request.host}
		login /login
	}
	sessions /api/* {
		store {env.STORE}
		tenant {http.request.host}
	}
	sessions /open/* {
		store {env.STORE}
		tenant {http.request.host}
		optional
	}
	request_header X-User {http.auth.user.id}
	request_header X-Of-Tenant {http.auth.user.tenant}
	reverse_proxy %s
}
`

func run(t *testing.T, bin, addr, file string, env ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, bin, "run", "--adapter", "caddyfile", "--config", file)
	cmd.Env = append(os.Environ(), env...)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		stop()
		<-ended
		require.NotContains(t, log.String(), aKey)
		if t.Failed() {
			t.Log(log.String())
		}
	})
	late := time.After(patience)
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("Caddy has ended: %v\n%s", err, log.String())
		case <-late:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// ask sends a request through Caddy, and returns the answer and what the
// application has seen of it, nil for nothing.
func (s *site) ask(method, path string, form url.Values) (*http.Response, http.Header) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	for name, values := range s.header {
		r.Header[name] = values
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	s.seen = nil
	a, err := s.client.Do(r)
	require.NoError(s.t, err)
	a.Body.Close()
	if len(s.seen) == 0 {
		return a, nil
	}
	return a, s.seen[0]
}

func (s *site) login(user string) {
	s.t.Helper()
	a, _ := s.ask("POST", "/login", url.Values{"user": {user}})
	require.Equal(s.t, http.StatusOK, a.StatusCode)
	require.NotEmpty(s.t, a.Cookies())
}
