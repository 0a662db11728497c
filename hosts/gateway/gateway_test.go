package gateway_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/hosts/wazero"
)

var testKey = core.NewSecret("9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53")

// site is an origin that signs in and out, a gateway before it, and the store
// that both share.
type site struct {
	t       testing.TB
	store   *cachestore.Store
	manager *hosts.Manager // the gateway's
	origin  *httptest.Server
	gateway *gateway.Gateway
	server  *httptest.Server
	seen    atomic.Pointer[http.Request] // the last that the origin got
}

func newSite(t testing.TB, o gateway.Options, c hosts.Config) *site {
	t.Helper()
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	s := &site{t: t, store: memory}
	manager := func(c hosts.Config) *hosts.Manager {
		c.Key, c.AllowInsecure = testKey, true
		m, err := hosts.New(s.store, c)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		return m
	}
	own, err := nethttp.New(manager(hosts.Config{}), nethttp.Options{})
	require.NoError(t, err)
	s.origin = httptest.NewServer(own.Handler(http.HandlerFunc(s.answer)))
	t.Cleanup(s.origin.Close)
	s.manager = manager(c)
	if o.Middleware == nil {
		o.Middleware, err = nethttp.New(s.manager, nethttp.Options{CloseEnded: true})
		require.NoError(t, err)
	}
	if o.Origin == nil {
		o.Origin, err = url.Parse(s.origin.URL)
		require.NoError(t, err)
	}
	if o.Rules == nil {
		o.Rules = []gateway.Rule{{Prefix: "/public", Access: gateway.Public}, {Prefix: "/public/not", Access: gateway.SignedIn}, {Prefix: "/secret", Access: gateway.Denied}}
	}
	o.Logger = slog.New(slog.DiscardHandler)
	s.gateway, err = gateway.New(o)
	require.NoError(t, err)
	s.server = httptest.NewServer(s.gateway)
	t.Cleanup(s.server.Close)
	return s
}

// answer is the origin.
func (s *site) answer(w http.ResponseWriter, r *http.Request) {
	s.seen.Store(r)
	switch r.URL.Path {
	case "/public/login":
		v, err := nethttp.From(r)
		if err == nil {
			err = v.Login(r.FormValue("user"), 0)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	case "/logout":
		v, err := nethttp.From(r)
		if err == nil {
			err = v.Destroy()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	case "/events":
		require.NoError(s.t, http.NewResponseController(w).EnableFullDuplex())
		w.Header().Set("Content-Type", "text/event-stream")
		for n := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", n)
			w.(http.Flusher).Flush()
			_, _ = bufio.NewReader(r.Body).ReadByte() // until the reader has sent a byte, or none comes
		}
		return
	case "/echo":
		require.NoError(s.t, http.NewResponseController(w).EnableFullDuplex())
		_, _ = io.Copy(w, r.Body)
		return
	case "/socket":
		socket(w, r)
		return
	}
	fmt.Fprintf(w, "%s user=%s id=%s tenant=%s", r.URL.Path, r.Header.Get("Session-User"), r.Header.Get("Session-Id"), r.Header.Get("Session-Tenant"))
}

// socket speaks enough of RFC 6455 to be taken for a WebSocket: it says hello.
func socket(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	rw.Flush()
	line, err := rw.ReadString('\n')
	if err == nil {
		fmt.Fprintf(rw, "hello %s", line)
		rw.Flush()
	}
}

func (s *site) do(method, path string, change func(*http.Request)) *http.Response {
	s.t.Helper()
	r, err := http.NewRequest(method, s.server.URL+path, nil)
	require.NoError(s.t, err)
	if change != nil {
		change(r)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := client.Do(r)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { a.Body.Close() })
	return a
}

func (s *site) login(user string) (cookie string) {
	s.t.Helper()
	a := s.do("GET", "/public/login?user="+url.QueryEscape(user), nil)
	require.Equal(s.t, http.StatusOK, a.StatusCode)
	cookie, _, _ = strings.Cut(a.Header.Get("Set-Cookie"), ";")
	require.NotEmpty(s.t, cookie)
	return cookie
}

func with(cookie string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Cookie", cookie) }
}

func body(t testing.TB, a *http.Response) string {
	b, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	return string(b)
}

func TestSignedInVisitorsReachTheOrigin(t *testing.T) {
	engine, err := wazero.New(t.Context(), wazero.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	for name, c := range map[string]hosts.Config{"native": {}, "wasm": {Engine: engine.Configure}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, gateway.Options{}, c)
			require.Equal(t, http.StatusUnauthorized, s.do("GET", "/account", nil).StatusCode)
			require.Nil(t, s.seen.Load(), "the origin is not asked")
			cookie := s.login("alice")
			a := s.do("GET", "/account", with(cookie))
			require.Equal(t, http.StatusOK, a.StatusCode)
			require.Regexp(t, `^/account user=alice id=[\w-]{22} tenant=$`, body(t, a))
			require.Contains(t, a.Header["Vary"], "Cookie")
			forged := "rockstar_session=" + strings.Repeat("A", 124)
			require.Equal(t, http.StatusUnauthorized, s.do("GET", "/account", with(forged)).StatusCode)
			require.Equal(t, http.StatusOK, s.do("GET", "/account", with(forged+"; "+cookie)).StatusCode)
			require.Equal(t, http.StatusOK, s.do("POST", "/logout", with(cookie)).StatusCode)
			a = s.do("GET", "/account", with(cookie))
			require.Equal(t, http.StatusUnauthorized, a.StatusCode)
			require.JSONEq(t, `{"error":"Authentication required","reason":"unknown_session"}`, body(t, a))
		})
	}
}

func TestRules(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	for path, status := range map[string]int{
		"/public": 200, "/public/": 200, "/public/x": 200, "/publicity": 401, "/public/not": 401, "/public/not/x": 401, "/public/nothing": 200,
		"/": 401, "/secret": 404, "/secret/x": 404, "/Public": 401,
		"/public/../account": 400, "/public/%2e%2e/account": 400, "/public/..%2faccount": 400, "/public%2f..%2faccount": 400, "//public": 400, "/public//x": 400,
		"/public/..;x/account": 400, "/public/;/x": 200, "/public/.": 400, "/public/%5c..%5caccount": 400, "/public/%252e%252e/account": 400, "/public/%00": 400, "/public/%0a": 400,
		"/public/a%20b": 200, "/public/100%25": 200, "/public/%25%32%65": 400, "/public/%256eot": 400,
		"/public/z%c3%b6": 200, "/public/%c0%ae%c0%ae/account": 400, "/public/%ff": 400,
	} {
		require.Equal(t, status, s.do("GET", path, nil).StatusCode, path)
	}
}

// TestParametersOpenNothing: Tomcat and Jetty read "/admin;x" as "/admin".
func TestParametersOpenNothing(t *testing.T) {
	s := newSite(t, gateway.Options{Rules: []gateway.Rule{
		{Prefix: "/", Access: gateway.Public}, {Prefix: "/admin"}, {Prefix: "/below/"}, {Prefix: "/cut"}, {Prefix: "/cut/open", Access: gateway.Public},
		{Prefix: "/secret", Access: gateway.Denied},
	}}, hosts.Config{})
	cookie := s.login("alice")
	for path, status := range map[string]int{
		"/x;y": 200, "/x;y/z": 200, "/;y": 200, "/admin;x": 401, "/admin;": 401, "/admin;x/users": 401, "/admin%3bx/users": 401, "/;x/admin": 401, "/;/admin": 401, "/x;/../admin": 400,
		"/below": 200, "/below/": 401, "/below;x/": 401, "/below;x/y": 401, "/below/;x": 401, "/cut/open": 200, "/cut;/open": 401, "/cut/open;x": 401,
		"/secret;a=1/x": 404, "/;/;/secret": 404,
	} {
		require.Equal(t, status, s.do("GET", path, nil).StatusCode, path)
		if status == 401 {
			require.Equal(t, 200, s.do("GET", path, with(cookie)).StatusCode, path)
		}
	}
}

// Nobody outside sets what tells the origin who is signed in.
func TestIdentityFromOutsideIsDropped(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	cookie := s.login("alice")
	for _, path := range []string{"/public/x", "/account"} {
		a := s.do("GET", path, func(r *http.Request) {
			r.Header.Set("Cookie", cookie)
			for _, name := range []string{"Session-User", "session-tenant", "SESSION-ID", "Session_User", "session_Id", "Session_Tenant", "Session.User", "SESSION!user", "Session~Id", "X_Forwarded_For", "x.forwarded-host"} {
				r.Header[name] = []string{"mallory", "root"}
			}
			r.Header.Set("Connection", "Session-User, Session-Id, close")
		})
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.NotContains(t, body(t, a), "mallory")
		for name, values := range s.seen.Load().Header {
			require.NotContains(t, values, "mallory", name)
		}
		want := []string(nil)
		if path == "/account" {
			want = []string{"alice"}
		}
		require.Equal(t, want, s.seen.Load().Header["Session-User"])
	}
}

func TestUserNamesAreEncoded(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	for user, want := range map[string]string{
		"ada@example.com": "ada@example.com", "zoë": "zo%C3%AB", "a b": "a%20b", "100%": "100%25", "a,b;c=\"d\"": "a,b;c=\"d\"",
	} {
		require.Equal(t, http.StatusOK, s.do("GET", "/x", with(s.login(user))).StatusCode)
		require.Equal(t, []string{want}, s.seen.Load().Header["Session-User"])
		back, err := url.PathUnescape(want)
		require.NoError(t, err)
		require.Equal(t, user, back)
	}
}

func TestLoginPage(t *testing.T) {
	s := newSite(t, gateway.Options{LoginURL: "/public/login?from=gateway"}, hosts.Config{})
	html := func(r *http.Request) { r.Header.Set("Accept", "text/html,*/*") }
	a := s.do("GET", "/account?a=1&b=%2f%2fevil", html)
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	to, err := url.Parse(a.Header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "/public/login", to.Path)
	require.Equal(t, "/account?a=1&b=%2f%2fevil", to.Query().Get("return_to"))
	require.Equal(t, "gateway", to.Query().Get("from"))
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Equal(t, http.StatusUnauthorized, s.do("POST", "/account", html).StatusCode)
	require.Equal(t, http.StatusUnauthorized, s.do("GET", "/account", nil).StatusCode)
	require.Equal(t, http.StatusBadRequest, s.do("GET", "//evil.example/x", html).StatusCode)
}

func TestCookieAndForwarding(t *testing.T) {
	s := newSite(t, gateway.Options{StripCookie: true}, hosts.Config{})
	cookie := s.login("alice")
	s.do("GET", "/x", func(r *http.Request) {
		r.Header["Cookie"] = []string{"a=1; " + cookie + "; b=2", cookie}
		r.Header.Set("X-Forwarded-For", "6.6.6.6")
		r.Header.Set("Forwarded", "for=6.6.6.6")
	})
	got := s.seen.Load()
	require.Equal(t, []string{"a=1; b=2"}, got.Header["Cookie"])
	require.Equal(t, "127.0.0.1", got.Header.Get("X-Forwarded-For"), "a stranger's own claim is dropped")
	require.Empty(t, got.Header.Get("Forwarded"))
	require.Equal(t, "http", got.Header.Get("X-Forwarded-Proto"))

	proxied, err := nethttp.New(s.manager, nethttp.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	require.NoError(t, err)
	s = newSite(t, gateway.Options{Middleware: proxied, KeepHost: true}, hosts.Config{})
	s.do("GET", "/public/x", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7"); r.Host = "shop.example" })
	require.Equal(t, "192.0.2.7, 127.0.0.1", s.seen.Load().Header.Get("X-Forwarded-For"))
	require.Equal(t, []string{"http"}, s.seen.Load().Header["X-Forwarded-Proto"], "the proxy tells none")
	require.Equal(t, []string{"shop.example"}, s.seen.Load().Header["X-Forwarded-Host"])
	require.Equal(t, "shop.example", s.seen.Load().Host)
	told := http.Header{"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"www.shop.example"}}
	s.do("GET", "/public/x", func(r *http.Request) { r.Header = told })
	require.Equal(t, []string{"https"}, s.seen.Load().Header["X-Forwarded-Proto"])
	require.Equal(t, []string{"www.shop.example"}, s.seen.Load().Header["X-Forwarded-Host"])
	s = newSite(t, gateway.Options{}, hosts.Config{})
	s.do("GET", "/public/x", func(r *http.Request) { r.Header = told; r.Host = "shop.example" })
	require.Equal(t, []string{"http"}, s.seen.Load().Header["X-Forwarded-Proto"], "a stranger's own claim is dropped")
	require.Equal(t, []string{"shop.example"}, s.seen.Load().Header["X-Forwarded-Host"])
}

func TestStreams(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	cookie := s.login("alice")

	in, out := io.Pipe()
	r, err := http.NewRequest("POST", s.server.URL+"/events", in)
	require.NoError(t, err)
	r.Header.Set("Cookie", cookie)
	type answer struct {
		a   *http.Response
		err error
	}
	got := make(chan answer, 1)
	go func() { a, err := http.DefaultClient.Do(r); got <- answer{a, err} }()
	a := <-got
	require.NoError(t, a.err)
	events := bufio.NewReader(a.a.Body)
	line, err := events.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "data: 0\n", line, "the first event comes while the request is still being sent")
	require.NoError(t, out.Close())
	rest, err := io.ReadAll(events)
	require.NoError(t, err)
	require.Contains(t, string(rest), "data: 2")
	require.NoError(t, a.a.Body.Close())

	const size = 8 << 20
	upload, err := http.NewRequest("POST", s.server.URL+"/echo", io.LimitReader(zeros{}, size))
	require.NoError(t, err)
	upload.Header.Set("Cookie", cookie)
	back, err := http.DefaultClient.Do(upload)
	require.NoError(t, err)
	defer back.Body.Close()
	n, err := io.Copy(io.Discard, back.Body)
	require.NoError(t, err)
	require.EqualValues(t, size, n)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
