package forward

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

const aKeyText = "8f1b41207465737420206b65792c2072656164206279206e6f626f6479212121"

var aKey = core.NewSecret(aKeyText)

var rules = []gateway.Rule{{Prefix: "/login", Access: gateway.Public}, {Prefix: "/public", Access: gateway.Public}, {Prefix: "/secret", Access: gateway.Denied}}

// site is an application behind a proxy that asks a check. Only its login and its
// logout know of sessions.
type site struct {
	t           testing.TB
	store       *cachestore.Store
	app         *nethttp.Middleware
	application *httptest.Server
	check       *httptest.Server
	addr        string // of the proxy

	mu    sync.Mutex
	seen  []*http.Request // by the plain part of the application
	asked []*http.Request // of the check
}

// open starts an application, a check in this process and the proxy.
func open(t testing.TB, p proxy, c hosts.Config, check gateway.Check) *site {
	t.Helper()
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	s := newSite(t, memory, c)
	s.store = memory
	check.AuthRequest = p.authRequest
	judge, err := gateway.New(gateway.Options{Middleware: s.app, Check: &check, Rules: rules, LoginURL: "/login", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	s.check = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r)
		s.mu.Unlock()
		judge.ServeHTTP(w, r)
	}))
	t.Cleanup(s.check.Close)
	s.addr = p.run(t, s.check.Listener.Addr().String(), s.application.Listener.Addr().String())
	return s
}

// newSite is an application alone.
func newSite(t testing.TB, store hosts.Store, c hosts.Config) *site {
	t.Helper()
	s := &site{t: t}
	c.Key, c.AllowInsecure, c.Logger = aKey, true, slog.New(slog.DiscardHandler)
	m, err := hosts.New(store, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	s.app, err = nethttp.New(m, nethttp.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	require.NoError(t, err)
	s.application = httptest.NewServer(s.pages())
	t.Cleanup(s.application.Close)
	return s
}

func (s *site) pages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/login", s.app.HandlerFunc(func(w http.ResponseWriter, r *http.Request, v *nethttp.Session) error {
		if user := r.FormValue("user"); user != "" {
			return v.Login(user, 0)
		}
		_, err := io.WriteString(w, "the login page")
		return err
	}))
	mux.Handle("POST /logout", s.app.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, v *nethttp.Session) error { return v.Destroy() }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" || r.URL.Path == "/logout" {
			mux.ServeHTTP(w, r)
			return
		}
		s.mu.Lock()
		s.seen = append(s.seen, r)
		s.mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		w.Header().Set("Cache-Control", "max-age=60")
		_, _ = io.WriteString(w, "the page")
	})
}

// raw sends a request as it is written, with fields as lines, and returns the answer
// and what the application has seen of it, nil for nothing.
func (s *site) raw(method, target string, lines ...string) (*http.Response, *http.Request) {
	s.t.Helper()
	s.mu.Lock()
	s.seen, s.asked = nil, nil
	s.mu.Unlock()
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(s.t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, target, s.addr, strings.Join(append(lines, ""), "\r\n"))
	require.NoError(s.t, err)
	a, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	require.NoError(s.t, err, target)
	text, err := io.ReadAll(a.Body)
	require.NoError(s.t, err)
	a.Body = io.NopCloser(strings.NewReader(string(text)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 {
		return a, nil
	}
	require.Len(s.t, s.seen, 1)
	return a, s.seen[0]
}

// login signs a user in and returns the field with the cookie.
func (s *site) login(user string) string {
	s.t.Helper()
	a, _ := s.raw("GET", "/login?user="+user)
	require.Equal(s.t, http.StatusOK, a.StatusCode)
	return "Cookie: " + sessionCookie(s.t, a)
}

func sessionCookie(t testing.TB, a *http.Response) string {
	t.Helper()
	for _, c := range a.Cookies() {
		if c.Name == core.DefaultCookieName {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("no session cookie in %v", a.Header["Set-Cookie"])
	return ""
}

func body(a *http.Response) string {
	text, _ := io.ReadAll(a.Body)
	return string(text)
}
