package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/hosts/wazero"
)

type clock struct{ now core.Time }

func (c *clock) Now() core.Time       { return c.now }
func (c *clock) pass(d time.Duration) { c.now += core.Milliseconds(d) }

// town is an origin of one policy before which stands a gateway of another.
// Only /login and /read at the origin ask for the session.
type town struct {
	*site
	clock  *clock
	origin *nethttp.Middleware
}

func newTown(t *testing.T, origin, gate hosts.Config) *town {
	c := &clock{1_800_000_000_000}
	origin.Clock, gate.Clock = c, c
	w := &town{site: newSite(t, gateway.Options{}, gate), clock: c}
	origin.Key = testKey
	m, err := hosts.New(w.store, origin)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	w.origin, err = nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	server := httptest.NewServer(w.origin.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/public/login" && r.URL.Path != "/read" {
			return
		}
		v, err := nethttp.From(r)
		if err == nil && r.URL.Path == "/public/login" {
			err = v.Login("alice", 0)
		}
		if err != nil {
			t.Error(err)
		}
	})))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	mw, err := nethttp.New(w.manager, nethttp.Options{})
	require.NoError(t, err)
	g, err := gateway.New(gateway.Options{Origin: u, Middleware: mw, Rules: []gateway.Rule{{Prefix: "/public", Access: gateway.Public}}})
	require.NoError(t, err)
	w.server.Config.Handler = g
	return w
}

func (w *town) ask(path, cookie string) int { return w.do("GET", path, with(cookie)).StatusCode }

// askOrigin asks the origin itself.
func (w *town) askOrigin(cookie string) int {
	a, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", cookie)
	w.origin.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(a, r)
	return a.Code
}

// TestTheGatewayLengthensNoSession: the origin ends sessions after two hours
// without use, and each step is some use, or the end.
func TestTheGatewayLengthensNoSession(t *testing.T) {
	engine, err := wazero.New(t.Context(), wazero.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	const in, out = http.StatusOK, http.StatusUnauthorized
	type step struct {
		after  time.Duration
		path   string
		status int
	}
	for _, c := range []struct {
		name         string
		origin, gate time.Duration
		steps        []step
	}{
		{"none at the gateway", 2 * time.Hour, 0, []step{{65 * time.Minute, "/static", in}, {60 * time.Minute, "/static", out}}},
		{"none at the gateway, the origin reads", 2 * time.Hour, 0, []step{{65 * time.Minute, "/read", in}, {115 * time.Minute, "/read", in}, {2 * time.Hour, "/read", out}}},
		{"the same", 2 * time.Hour, 2 * time.Hour, []step{{65 * time.Minute, "/static", in}, {115 * time.Minute, "/static", in}, {119 * time.Minute, "/read", in}, {2 * time.Hour, "/static", out}}},
		{"longer at the gateway", 2 * time.Hour, 8 * time.Hour, []step{{65 * time.Minute, "/static", in}, {60 * time.Minute, "/static", out}}},
		{"shorter at the gateway", 2 * time.Hour, time.Hour, []step{{59 * time.Minute, "/static", in}, {59 * time.Minute, "/static", in}, {time.Hour, "/static", out}}},
		{"none at the origin", 0, time.Hour, []step{{59 * time.Minute, "/static", in}, {59 * time.Minute, "/static", in}, {time.Hour, "/static", out}}},
		{"the deadline is near", 2 * time.Hour, 2 * time.Hour, append(steady(step{100 * time.Minute, "/static", in}, 14), step{40 * time.Minute, "/static", out})},
	} {
		for name, configure := range map[string]func(core.Policy, core.KeyRing) (hosts.Engine, error){"native": nil, "wasm": engine.Configure} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				w := newTown(t, hosts.Config{IdleTimeout: c.origin, AllowInsecure: true}, hosts.Config{IdleTimeout: c.gate, Engine: configure})
				cookie := w.login("alice")
				for _, s := range c.steps {
					w.clock.pass(s.after)
					require.Equal(t, s.status, w.ask(s.path, cookie), s)
				}
				require.Equal(t, out, w.askOrigin(cookie))
			})
		}
	}
}

func steady[T any](s T, times int) (all []T) {
	for range times {
		all = append(all, s)
	}
	return all
}

// TestOnlyTheOriginSetsCookies: the gateway does not know their attributes.
func TestOnlyTheOriginSetsCookies(t *testing.T) {
	for _, idle := range []time.Duration{0, 2 * time.Hour} {
		w := newTown(t, hosts.Config{RenewAfter: 10 * time.Minute, CookieDomain: "example.com", IdleTimeout: 2 * time.Hour, AllowInsecure: true},
			hosts.Config{RenewAfter: 10 * time.Minute, IdleTimeout: idle})
		cookie := w.login("alice")
		w.clock.pass(11 * time.Minute)
		require.Empty(t, w.do("GET", "/static", with(cookie)).Header["Set-Cookie"], "the gateway does not renew")
		renewed := w.do("GET", "/read", with(cookie)).Header["Set-Cookie"]
		require.Len(t, renewed, 1, "the origin does")
		require.Contains(t, renewed[0], "Domain=example.com")
		require.Empty(t, w.do("GET", "/static", with(cookie)).Header["Set-Cookie"], "nor is who shows the previous cookie given the current by the gateway")
		again := w.do("GET", "/read", with(cookie)).Header["Set-Cookie"]
		require.Len(t, again, 1, "the origin gives it")
		require.Contains(t, again[0], "Domain=example.com")

		current, _, _ := strings.Cut(renewed[0], ";")
		require.Equal(t, http.StatusOK, w.ask("/read", current))
		w.clock.pass(time.Minute)
		stolen := w.do("GET", "/static", with(cookie))
		require.Equal(t, http.StatusUnauthorized, stolen.StatusCode)
		require.Empty(t, stolen.Header["Set-Cookie"])
	}
}
