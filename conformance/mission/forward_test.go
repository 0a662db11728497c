package mission

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// What a proxy asks about requests that it holds. conformance/forward has real ones.
var forwarding = []row{{"E52", proxiesAskWhoIsSignedIn}}

func proxiesAskWhoIsSignedIn(t *testing.T, b backend) {
	faulty := newFault(b.open(t, t.TempDir()))
	s := open(t, b, setup{store: faulty.store})
	ann := s.browser()
	ann.login("/middleware", "ann")
	mw, err := nethttp.New(s.manager, nethttp.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	require.NoError(t, err)
	check, err := gateway.New(gateway.Options{Middleware: mw, Check: &gateway.Check{}, LoginURL: "/login", Logger: slog.New(slog.DiscardHandler),
		Rules: []gateway.Rule{{Prefix: "/login", Access: gateway.Public}}})
	require.NoError(t, err)
	ask := func(uri, peer string, fields ...string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = peer + ":1"
		r.Header.Set("User-Agent", "Mission/1.0")
		r.Header.Set("X-Forwarded-Uri", uri)
		for i := 0; i < len(fields); i += 2 {
			r.Header.Add(fields[i], fields[i+1])
		}
		check.ServeHTTP(w, r)
		return w
	}
	const proxy = "192.0.2.1"
	cookie := core.DefaultCookieName + "=" + ann.cookie()
	w := ask("/account", proxy, "Cookie", cookie, "Session-User", "root", "Session-Tenant", "root")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, []string{"ann"}, w.Header()[gateway.HeaderUser])
	require.Equal(t, []string{""}, w.Header()[gateway.HeaderTenant])
	require.Equal(t, http.StatusUnauthorized, ask("/account", proxy).Code)
	require.Equal(t, http.StatusSeeOther, ask("/account", proxy, "Sec-Fetch-Mode", "navigate").Code)
	require.Equal(t, http.StatusBadRequest, ask("/login/../account", proxy, "Cookie", cookie).Code)
	require.Equal(t, http.StatusBadRequest, ask("/account", proxy, "Cookie", cookie, "X-Forwarded-Uri", "/login").Code)
	require.Equal(t, http.StatusForbidden, ask("/account", "203.0.113.1", "Cookie", cookie).Code)
	faulty.fail.Store(true)
	require.Equal(t, http.StatusServiceUnavailable, ask("/account", proxy, "Cookie", cookie, "Sec-Fetch-Mode", "navigate").Code)
	faulty.fail.Store(false)
	ann.post("/middleware/logout").is(http.StatusOK)
	require.Equal(t, http.StatusUnauthorized, ask("/account", proxy, "Cookie", cookie).Code)
}
