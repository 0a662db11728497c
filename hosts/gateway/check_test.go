package gateway_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// newCheck is a site whose visitors a check judges.
func newCheck(t testing.TB, o gateway.Options, c hosts.Config, n nethttp.Options) (*site, *gateway.Gateway) {
	t.Helper()
	s := newSite(t, gateway.Options{}, c)
	var err error
	n.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // that of httptest.NewRequest
	o.Middleware, err = nethttp.New(s.manager, n)
	require.NoError(t, err)
	if o.Rules == nil {
		o.Rules = []gateway.Rule{{Prefix: "/public", Access: gateway.Public}, {Prefix: "/secret", Access: gateway.Denied}}
	}
	o.Logger = slog.New(slog.DiscardHandler)
	g, err := gateway.New(o)
	require.NoError(t, err)
	return s, g
}

// question is one that a proxy asks, with header fields as name, value, ...
func question(target string, fields ...string) *http.Request {
	r := httptest.NewRequest("GET", target, nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

func judge(g http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

const uri = gateway.DefaultURIField

func TestCheck(t *testing.T) {
	s, g := newCheck(t, gateway.Options{Check: &gateway.Check{}, LoginURL: "/public/login"}, hosts.Config{}, nethttp.Options{})
	cookie := s.login("zoë")
	w := judge(g, question("/", uri, "/account?a=b", "Cookie", cookie, "Session-Tenant", "root"))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, []string{"zo%C3%AB"}, w.Header()["Session-User"])
	require.Equal(t, []string{""}, w.Header()["Session-Tenant"], "it overwrites what a visitor sent")
	require.Len(t, w.Header().Get("Session-Id"), 22)
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Empty(t, w.Body.String())

	w = judge(g, question("/", uri, "/public/x", "Cookie", cookie))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, []string{""}, w.Header()["Session-User"], "nobody is named where everybody may go")

	w = judge(g, question("/", uri, "/account"))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.NotContains(t, w.Header(), "Session-User")
	require.JSONEq(t, `{"error":"Authentication required","reason":"none"}`, w.Body.String())
	w = judge(g, question("/", uri, "/account?a=b", "Sec-Fetch-Mode", "navigate"))
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "/public/login?return_to=%2Faccount%3Fa%3Db", w.Header().Get("Location"))
	w = judge(g, question("/", uri, "/order", "X-Forwarded-Method", "POST", "X-Forwarded-Host", "shop.example", "Sec-Fetch-Mode", "navigate", "Referer", "https://shop.example/cart"))
	require.Equal(t, "/public/login?return_to=%2Fcart", w.Header().Get("Location"), "a form is not sent twice")
	w = judge(g, question("/", uri, "/part", "HX-Request", "true", "X-Forwarded-Host", "shop.example", "HX-Current-URL", "https://shop.example/inbox"))
	require.Equal(t, http.StatusUnauthorized, w.Code, "204 would let the request pass")
	require.Equal(t, "/public/login?return_to=%2Finbox", w.Header().Get("HX-Redirect"))

	require.Equal(t, http.StatusOK, s.do("POST", "/logout", with(cookie)).StatusCode)
	w = judge(g, question("/", uri, "/account", "Cookie", cookie))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.JSONEq(t, `{"error":"Authentication required","reason":"unknown_session"}`, w.Body.String())

	cookie = s.login("alice")
	require.NoError(t, s.store.Close())
	w = judge(g, question("/", uri, "/account", "Cookie", cookie, "Sec-Fetch-Mode", "navigate"))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	require.NotContains(t, w.Header(), "Session-User")
}

// TestAuthRequest: nginx takes 401 and 403 for answers, and all else for a failure.
func TestAuthRequest(t *testing.T) {
	s, g := newCheck(t, gateway.Options{Check: &gateway.Check{AuthRequest: true}, LoginURL: "/public/login"}, hosts.Config{}, nethttp.Options{})
	cookie := s.login("alice")
	require.Equal(t, http.StatusOK, judge(g, question("/", uri, "/x", "Cookie", cookie)).Code)
	require.Equal(t, http.StatusUnauthorized, judge(g, question("/", uri, "/x")).Code)
	w := judge(g, question("/", uri, "/x", "Sec-Fetch-Mode", "navigate"))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Equal(t, "/public/login?return_to=%2Fx", w.Header().Get("Location"))
	require.NotEmpty(t, judge(g, question("/", uri, "/x", "HX-Request", "true")).Header().Get("HX-Redirect"))
	for _, r := range []*http.Request{question("/", uri, "/a/../b"), question("/", uri, "/secret"), question("/")} {
		require.Equal(t, http.StatusForbidden, judge(g, r).Code)
	}
	require.NoError(t, s.store.Close())
	require.Equal(t, http.StatusServiceUnavailable, judge(g, question("/", uri, "/x", "Cookie", cookie)).Code)
}

// TestWhoMayAskAndHow: a question that is none lets nobody pass, signed in or not.
func TestWhoMayAskAndHow(t *testing.T) {
	s, g := newCheck(t, gateway.Options{Check: &gateway.Check{}, Rules: []gateway.Rule{{Prefix: "/", Access: gateway.Public}}}, hosts.Config{}, nethttp.Options{})
	cookie := s.login("alice")
	for name, fields := range map[string][]string{
		"nothing":          {},
		"empty":            {uri, ""},
		"twice":            {uri, "/a", uri, "/a"},
		"another field":    {"X-Original-Uri", "/a"},
		"another spelling": {"X_Forwarded_Uri", "/a"},
		"two in one":       {uri, "/a, /b"},
		"a URL":            {uri, "http://shop.example/a"},
		"no slash":         {uri, "a"},
		"asterisk":         {uri, "*"},
		"fragment":         {uri, "/a#/../admin"},
		"no encoding":      {uri, "/a%zz"},
		"control":          {uri, "/a\x01"},
		"two methods":      {uri, "/a", "X-Forwarded-Method", "GET", "X-Forwarded-Method", "POST"},
		"two hosts":        {uri, "/a", "X-Forwarded-Host", "a.example", "X-Forwarded-Host", "b.example"},
		"CONNECT":          {uri, "/a", "X-Forwarded-Method", "CONNECT"},
	} {
		w := judge(g, question("/a", append(fields, "Cookie", cookie)...))
		require.Equal(t, http.StatusBadRequest, w.Code, name)
		require.NotContains(t, w.Header(), "Session-User", name)
	}
	stranger := question("/", uri, "/a", "Cookie", cookie)
	stranger.RemoteAddr = "203.0.113.9:1"
	require.Equal(t, http.StatusForbidden, judge(g, stranger).Code)
	require.Equal(t, http.StatusOK, judge(g, question("/", uri, "/a")).Code)
	w := httptest.NewRecorder()
	g.Metrics().ServeHTTP(w, nil)
	require.Contains(t, w.Body.String(), `sessions_gateway_requests_total{outcome="bad_check"} 15`)
}

// TestAnotherField, and a visitor with a session in which nobody is signed in.
func TestAnotherField(t *testing.T) {
	s, g := newCheck(t, gateway.Options{Check: &gateway.Check{URIField: "x-original-uri"}}, hosts.Config{}, nethttp.Options{})
	mw, err := nethttp.New(s.manager, nethttp.Options{})
	require.NoError(t, err)
	w := judge(mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, v *nethttp.Session) error { return v.Put("cart", "book") }), question("/"))
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	require.NotEmpty(t, cookie)
	require.Equal(t, http.StatusOK, judge(g, question("/", "X-Original-Uri", "/public", "Cookie", cookie)).Code)
	require.Equal(t, http.StatusUnauthorized, judge(g, question("/", "X-Original-Uri", "/x", "Cookie", cookie)).Code)
	require.Equal(t, http.StatusBadRequest, judge(g, question("/", uri, "/public", "Cookie", cookie)).Code)
}

// TestPrefix: Envoy puts a path before what was asked for.
func TestPrefix(t *testing.T) {
	s, g := newCheck(t, gateway.Options{Check: &gateway.Check{URIPrefix: "/check"}, LoginURL: "/public/login"}, hosts.Config{}, nethttp.Options{})
	cookie := s.login("alice")
	for target, status := range map[string]int{
		"/check/account": 200, "/check/": 200, "/check/public": 200, "/check": 400, "/checkmate": 400, "/account": 400, "/check/a/../b": 400, "/check//a": 400, "/check/secret": 404,
	} {
		require.Equal(t, status, judge(g, question(target, "Cookie", cookie, uri, "/public")).Code, target)
	}
	w := judge(g, question("/check/account?a=b", uri, "/public", "X-Forwarded-Method", "POST", "Sec-Fetch-Mode", "navigate"))
	require.Equal(t, "/public/login?return_to=%2Faccount%3Fa%3Db", w.Header().Get("Location"), "the method is the request's own")
}

// TestTheTenantIsOfWhatIsAskedAbout, not of the question.
func TestTheTenantIsOfWhatIsAskedAbout(t *testing.T) {
	tenant := func(r *http.Request) string {
		if r.Host == "acme.example" {
			return strings.TrimPrefix(r.URL.Path, "/")
		}
		return ""
	}
	s, g := newCheck(t, gateway.Options{Check: &gateway.Check{}}, hosts.Config{}, nethttp.Options{Tenant: tenant})
	cookie := s.login("alice")
	require.Equal(t, http.StatusOK, judge(g, question("/", uri, "/anvils", "Cookie", cookie)).Code)
	require.Equal(t, http.StatusUnauthorized, judge(g, question("/", uri, "/anvils", "Cookie", cookie, "X-Forwarded-Host", "acme.example")).Code)
}

// TestCheckNotesUse as the gateway does: only as long as the origin lets a session live.
func TestCheckNotesUse(t *testing.T) {
	for idle, lives := range map[time.Duration]bool{10 * time.Minute: true, 0: false} {
		c := &clock{1_800_000_000_000}
		s, g := newCheck(t, gateway.Options{Check: &gateway.Check{}}, hosts.Config{IdleTimeout: idle, Clock: c}, nethttp.Options{})
		origin, err := hosts.New(s.store, hosts.Config{Key: testKey, AllowInsecure: true, IdleTimeout: 10 * time.Minute, Clock: c})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, origin.Close()) })
		mw, err := nethttp.New(origin, nethttp.Options{})
		require.NoError(t, err)
		w := judge(mw.Handler(http.HandlerFunc(s.answer)), question("/public/login?user=alice"))
		cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		for range 3 {
			c.pass(9 * time.Minute)
			w = judge(g, question("/", uri, "/x", "Cookie", cookie))
			require.Empty(t, w.Header()["Set-Cookie"])
		}
		require.Equal(t, lives, w.Code == http.StatusOK, idle)
	}
}

// TestRenew: the check renews only where it is said that cookies reach the browser.
func TestRenew(t *testing.T) {
	for _, renew := range []bool{true, false} {
		c := &clock{1_800_000_000_000}
		s, g := newCheck(t, gateway.Options{Check: &gateway.Check{Renew: renew}}, hosts.Config{RenewAfter: 10 * time.Minute, RenewGrace: time.Minute, IdleTimeout: time.Hour, Clock: c}, nethttp.Options{})
		login, err := nethttp.New(s.manager, nethttp.Options{})
		require.NoError(t, err)
		w := judge(login.Handler(http.HandlerFunc(s.answer)), question("/public/login?user=alice"))
		old, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		c.pass(11 * time.Minute)
		w = judge(g, question("/", uri, "/x", "X-Forwarded-Method", "HEAD", "Cookie", old))
		require.Empty(t, w.Header()["Set-Cookie"], "where it cannot travel")
		w = judge(g, question("/", uri, "/x", "Cookie", old))
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, renew, len(w.Header()["Set-Cookie"]) == 1)
		if !renew {
			continue
		}
		fresh, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		require.NotEqual(t, old, fresh)
		c.pass(2 * time.Second)
		w = judge(g, question("/", uri, "/x", "Cookie", old))
		require.Len(t, w.Header()["Set-Cookie"], 1, "a request that was under way gets the same secret")
		require.Equal(t, http.StatusOK, judge(g, question("/", uri, "/x", "Cookie", fresh)).Code)
		c.pass(2 * time.Minute)
		require.Equal(t, http.StatusUnauthorized, judge(g, question("/", uri, "/x", "Cookie", old)).Code)
		w = judge(g, question("/", uri, "/x", "Cookie", fresh))
		require.Equal(t, http.StatusUnauthorized, w.Code, "the old cookie was used twice")
		require.Empty(t, w.Header()["Set-Cookie"])
	}
}

// TestCheckWithinAHandler: an application may have its whole mux in one.
func TestCheckWithinAHandler(t *testing.T) {
	c := &clock{1_800_000_000_000}
	s, g := newCheck(t, gateway.Options{Check: &gateway.Check{Renew: true}}, hosts.Config{RenewAfter: 10 * time.Minute, RenewGrace: time.Minute, Clock: c}, nethttp.Options{})
	mw, err := nethttp.New(s.manager, nethttp.Options{})
	require.NoError(t, err)
	w := judge(mw.Handler(http.HandlerFunc(s.answer)), question("/public/login?user=alice"))
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	w = judge(mw.Handler(g), question("/", uri, "/x", "Cookie", cookie))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, []string{"alice"}, w.Header()["Session-User"])
	require.Equal(t, http.StatusUnauthorized, judge(mw.Handler(g), question("/", uri, "/x")).Code)
	c.pass(11 * time.Minute)
	require.Len(t, judge(mw.Handler(g), question("/", uri, "/x", "Cookie", cookie)).Header()["Set-Cookie"], 1)
}

func TestChecksThatAreRefused(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	open, err := nethttp.New(s.manager, nethttp.Options{})
	require.NoError(t, err)
	mw, err := nethttp.New(s.manager, nethttp.Options{TrustUnixSocket: true})
	require.NoError(t, err)
	for field, o := range map[string]gateway.Options{
		"Middleware":                         {Check: &gateway.Check{}},
		"TrustedProxies":                     {Middleware: open, Check: &gateway.Check{}},
		"Origin":                             {Middleware: mw, Check: &gateway.Check{}, Origin: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}},
		"StripCookie, KeepHost or Transport": {Middleware: mw, Check: &gateway.Check{}, StripCookie: true},
		"URIField":                           {Middleware: mw, Check: &gateway.Check{URIField: "X_Forwarded_Uri"}},
		"URIPrefix":                          {Middleware: mw, Check: &gateway.Check{URIField: uri, URIPrefix: "/check"}},
		"LoginURL":                           {Middleware: mw, Check: &gateway.Check{}, LoginURL: "/login"},
	} {
		_, err := gateway.New(o)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, field)
		require.Equal(t, field, refused.Field)
	}
	for _, prefix := range []string{"check", "/", "/check/", "/a/../b", "/a%2fb", "/a?b", "/a b"} {
		_, err := gateway.New(gateway.Options{Middleware: mw, Check: &gateway.Check{URIPrefix: prefix}})
		require.Error(t, err, prefix)
	}
}
