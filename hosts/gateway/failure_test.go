package gateway_test

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func TestFailuresAreNotTakenForSignedOut(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	cookie := s.login("alice")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	dead := &url.URL{Scheme: "http", Host: closed.Addr().String()}
	mw, err := nethttp.New(s.manager, nethttp.Options{})
	require.NoError(t, err)
	g, err := gateway.New(gateway.Options{Origin: dead, Middleware: mw, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ask := func(h http.Handler) int {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil)
		r.Header.Set("Cookie", cookie)
		h.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusBadGateway, ask(g))
	require.NoError(t, s.store.Close())
	require.Equal(t, http.StatusServiceUnavailable, ask(s.gateway))
	require.Equal(t, http.StatusServiceUnavailable, ask(g), "the store is asked before the origin")

	s.server.Close() // and with it the last request over the network
	w := httptest.NewRecorder()
	s.gateway.Metrics().ServeHTTP(w, nil)
	require.Contains(t, w.Body.String(), `sessions_gateway_requests_total{outcome="store_failed"} 1`)
	require.Contains(t, w.Body.String(), "sessions_gateway_requests_in_flight 0")
}

func TestSlowOrigin(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	origin, err := url.Parse(slow.URL)
	require.NoError(t, err)
	s := newSite(t, gateway.Options{Origin: origin, Timeout: 50 * time.Millisecond}, hosts.Config{})
	require.Equal(t, http.StatusGatewayTimeout, s.do("GET", "/public/x", nil).StatusCode)
}

func TestOptionsThatAreRefused(t *testing.T) {
	s := newSite(t, gateway.Options{}, hosts.Config{})
	mw, err := nethttp.New(s.manager, nethttp.Options{})
	require.NoError(t, err)
	origin := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	other, err := nethttp.New(s.manager, nethttp.Options{ForwardedHeader: "Forwarded"})
	require.NoError(t, err)
	_, err = gateway.New(gateway.Options{Middleware: other, Origin: origin})
	require.ErrorContains(t, err, "Forwarded")
	public := []gateway.Rule{{Prefix: "/p", Access: gateway.Public}}
	for field, o := range map[string]gateway.Options{
		"Middleware":   {Origin: origin},
		"Origin":       {Middleware: mw, Origin: &url.URL{Scheme: "ftp", Host: "x"}},
		"Timeout":      {Middleware: mw, Origin: origin, Timeout: -1},
		"BodyTimeout":  {Middleware: mw, Origin: origin, BodyTimeout: -1},
		"Grace":        {Middleware: mw, Origin: origin, Grace: -1},
		"Rules.Prefix": {Middleware: mw, Origin: origin, Rules: []gateway.Rule{{Prefix: "/a/../b"}}},
		"Rules.Access": {Middleware: mw, Origin: origin, Rules: []gateway.Rule{{Prefix: "/a", Access: 9}}},
		"LoginURL":     {Middleware: mw, Origin: origin, LoginURL: "/login", Rules: public},
	} {
		_, err := gateway.New(o)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, field)
		require.Equal(t, field, refused.Field)
	}
	for _, bad := range []string{"javascript:alert(1)", "//evil.example", "login", "https://me:pw@x/", "ftp://x/"} {
		_, err := gateway.New(gateway.Options{Middleware: mw, Origin: origin, LoginURL: bad, Rules: public})
		require.Error(t, err, bad)
	}
	_, err = gateway.New(gateway.Options{Middleware: mw, Origin: origin, LoginURL: "/p/login", Rules: public})
	require.NoError(t, err)
}
