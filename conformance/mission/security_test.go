package mission

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var security = []row{
	{"61", strictCookie}, {"62", oldCookieIsWorthless}, {"63", addressIsValidated}, {"64", agentIsValidated},
	{"65", tenantComesFromRequest}, {"66", tenantIsOnSession}, {"67", tenantsCannotReachEachOther},
	{"68", cleanupAtEveryInterval}, {"69", cleanupCounts},
}

// byHost takes the first label of the host name for the tenant.
var byHost = nethttp.Options{Tenant: func(r *http.Request) string {
	tenant, _, _ := strings.Cut(r.Host, ".")
	return tenant
}}

func strictCookie(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{SameSite: core.SameSiteStrict}})
	for _, style := range styles {
		c := s.browser().post(style + "/login?user=ann").is(http.StatusOK).cookie()
		require.True(t, c.Secure)
		require.True(t, c.HttpOnly)
		require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	}
}

func oldCookieIsWorthless(t *testing.T, b backend) {
	s := open(t, b, setup{})
	for _, style := range styles {
		ann := s.browser()
		ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Put("cart", "book")) }).is(http.StatusOK)
		eve := ann.thief() // who planted the cookie, or stole it
		eve.get("/verbs/me").is(http.StatusOK)
		before := ann.cookie()
		if style == "/middleware" {
			ann.post("/middleware/login?user=ann").is(http.StatusOK)
		} else {
			ann.during(func(x *hosts.Request, w http.ResponseWriter) {
				_, err := s.manager.Login(x, "ann", 0)
				require.NoError(t, err)
			}).is(http.StatusOK)
		}
		require.NotEqual(t, before, ann.cookie())
		ann.during(func(x *hosts.Request, w http.ResponseWriter) {
			session := s.session(x)
			require.Equal(t, "ann", session.UserID)
			require.Equal(t, "book", session.Data["cart"])
		}).is(http.StatusOK)
		for _, other := range styles {
			eve.get(other + "/me").refused(core.ReasonSuperseded)
		}
	}
	ann := s.browser() // as the guide does it: destroy the old, create another
	ann.post("/verbs/count").is(http.StatusOK)
	eve := ann.thief()
	ann.post("/verbs/login?user=ann").is(http.StatusOK)
	eve.get("/verbs/me").refused(core.ReasonUnknown)
	ann.get("/verbs/me").is(http.StatusOK)
}

func addressIsValidated(t *testing.T, b backend) {
	whole := hosts.Config{BindIPv4Bits: 32, BindIPv6Bits: 64}
	proxies := nethttp.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	s := open(t, b, setup{Config: whole, Options: proxies})
	for _, c := range []struct {
		name, from, to           string
		forwardedBy, forwardedTo string
		stays                    bool
	}{
		{"another port", "203.0.113.7:1000", "203.0.113.7:2000", "", "", true},
		{"another address", "203.0.113.7:1000", "203.0.113.8:1000", "", "", false},
		{"IPv4 in IPv6", "203.0.113.7:1000", "[::ffff:203.0.113.7]:1000", "", "", true},
		{"same IPv6 network", "[2001:db8:0:1::1]:1000", "[2001:db8:0:1:ffff::2]:1000", "", "", true},
		{"another IPv6 network", "[2001:db8:0:1::1]:1000", "[2001:db8:0:2::1]:1000", "", "", false},
		{"another trusted proxy", "10.0.0.1:1", "10.0.0.2:1", "203.0.113.7", "203.0.113.7", true},
		{"another client behind the proxy", "10.0.0.1:1", "10.0.0.1:1", "203.0.113.7", "203.0.113.8", false},
		{"what a client says before the proxy", "10.0.0.1:1", "10.0.0.1:1", "203.0.113.7", "198.51.100.1, 203.0.113.7", true},
		{"a client that claims another's address", "203.0.113.7:1", "203.0.113.8:1", "", "203.0.113.7", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, style := range styles {
				ann := s.browser().from(c.from)
				ann.headers["X-Forwarded-For"] = c.forwardedBy
				id := ann.login(style, "ann")
				ann.from(c.to).headers["X-Forwarded-For"] = c.forwardedTo
				if c.stays {
					ann.get(style + "/me").is(http.StatusOK)
					continue
				}
				a := ann.get(style + "/me").refused(core.ReasonIP)
				require.Equal(t, "Session invalid - IP address changed", a.field("error"))
				require.Negative(t, a.cookie().MaxAge, "the cookie is cleared")
				_, err := s.stored(id)
				require.ErrorIs(t, err, core.ErrNotFound, "the session has ended for its owner too")
			}
		})
	}
	bothFamilies(t, s)
	ann := s.browser() // on real connections, from real ports
	ann.login("/verbs", "ann")
	ann.reconnect()
	ann.get("/verbs/me").is(http.StatusOK)

	free := open(t, b, setup{}).browser().from("203.0.113.7:1")
	free.login("/verbs", "ann")
	free.from("203.0.113.8:1").get("/verbs/me").is(http.StatusOK)
}

// A client with addresses of both families signs in once over each, and nobody
// else gets to its session by that.
func bothFamilies(t *testing.T, s *site) {
	const v4, v6 = "203.0.113.7:1000", "[2001:db8::1]:1000"
	for _, style := range styles {
		ann := s.browser().from(v4)
		id := ann.login(style, "ann")
		eve := ann.thief().from("[2001:db8:e::e]:1000")
		a := eve.get(style + "/me").refused(core.ReasonIPFamily)
		require.Equal(t, "Session not open to this IP address - sign in once more", a.field("error"))
		require.NotEqual(t, id, eve.login(style, "eve"))
		ann.get(style + "/me").is(http.StatusOK)

		if style == "/verbs" {
			continue // there a login is another session, of one address
		}
		require.Equal(t, id, ann.from(v6).login(style, "ann"), "the session goes on")
		ann.get(style + "/me").is(http.StatusOK)
		ann.from(v4).get(style + "/me").is(http.StatusOK)
		ann.thief().from("[2001:db8:e::e]:1000").get(style + "/me").refused(core.ReasonIP)
		_, err := s.stored(id)
		require.ErrorIs(t, err, core.ErrNotFound)
	}
}

func agentIsValidated(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{BindUserAgent: true}})
	for _, style := range styles {
		ann := s.browser()
		id := ann.login(style, "ann")
		ann.get(style + "/me").is(http.StatusOK)
		eve := ann.thief()
		eve.headers["User-Agent"] = "Mission/1.1"
		a := eve.get(style + "/me").refused(core.ReasonUserAgent)
		require.Equal(t, "Session invalid - user agent changed", a.field("error"))
		_, err := s.stored(id)
		require.ErrorIs(t, err, core.ErrNotFound)
		ann.get(style + "/me").refused(core.ReasonUnknown)
	}
	free := open(t, b, setup{}).browser()
	free.login("/verbs", "ann")
	free.headers["User-Agent"] = "Other/2"
	free.get("/verbs/me").is(http.StatusOK)
}

func tenantComesFromRequest(t *testing.T, b backend) {
	s := open(t, b, setup{Options: byHost})
	for _, tenant := range []string{"red", "blue"} {
		ann := s.browser()
		ann.host = tenant + ".example.com"
		ann.during(func(x *hosts.Request, w http.ResponseWriter) {
			session, err := s.manager.Create(x)
			require.NoError(t, err)
			require.Equal(t, tenant, session.TenantID)
		}).is(http.StatusOK)
		ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.Equal(t, tenant, v.Tenant()) }).is(http.StatusOK)
	}
	open(t, b, setup{}).browser().during(func(x *hosts.Request, w http.ResponseWriter) {
		session, err := x.Manager().Create(x)
		require.NoError(t, err)
		require.Empty(t, session.TenantID, "without a resolver")
	}).is(http.StatusOK)
}

func tenantIsOnSession(t *testing.T, b backend) {
	s := open(t, b, setup{Options: byHost})
	ann := s.browser()
	ann.host = "red.example.com"
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session, err := s.manager.Create(x)
		require.NoError(t, err)
		session.Data["tenant_settings"] = map[string]any{"of": session.TenantID}
		require.NoError(t, s.manager.Save(x, session))
		require.NoError(t, s.manager.SetCookie(x, session))
	}).is(http.StatusOK)
	id := ann.get("/verbs/me").is(http.StatusOK).id()
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		require.Equal(t, "red", session.TenantID)
		require.Equal(t, map[string]any{"of": "red"}, session.Data["tenant_settings"])
	}).is(http.StatusOK)
	r, err := s.stored(id)
	require.NoError(t, err)
	require.Equal(t, "red", r.Tenant)
}

func tenantsCannotReachEachOther(t *testing.T, b backend) {
	s := open(t, b, setup{Options: byHost})
	ann := s.browser()
	ann.host = "red.example.com"
	id := ann.login("/verbs", "ann")
	eve := ann.thief()
	eve.host = "blue.example.com"
	eve.give(ann.cookie())
	for _, style := range styles {
		eve.get(style + "/me").refused(core.ReasonNotAuthentic)
		eve.post(style + "/logout").is(http.StatusOK)
		eve.give(ann.cookie())
	}
	blue := func(m *hosts.Manager, ctx context.Context) {
		for name, do := range map[string]func() error{
			"Load":    func() error { _, err := m.Load(ctx, id); return err },
			"Get":     func() error { _, err := m.Get(ctx, id, "user_id"); return err },
			"Set":     func() error { return m.Set(ctx, id, "user_id", "eve") },
			"Delete":  func() error { return m.Delete(ctx, id, "user_id") },
			"Clear":   func() error { return m.Clear(ctx, id) },
			"Refresh": func() error { return m.Refresh(ctx, id) },
			"Destroy": func() error { return m.Destroy(ctx, id) },
		} {
			require.ErrorIs(t, do(), core.ErrWrongTenant, name)
		}
		valid, err := m.IsValid(ctx, id)
		require.NoError(t, err)
		require.False(t, valid)
		page, _, err := m.Sessions(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 0)
		require.NoError(t, err)
		require.Empty(t, page)
		ended, err := m.Revoke(ctx, hosts.Query{Tenant: "red", AnyUser: true})
		require.NoError(t, err)
		require.Zero(t, ended)
	}
	eve.during(func(x *hosts.Request, w http.ResponseWriter) { blue(x.Manager(), x) }).is(http.StatusOK)
	eve.call("/call", s.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		blue(s.manager, r.Context()) // a handler's context alone is confined, too
	})).ServeHTTP).is(http.StatusOK)
	require.Equal(t, id, ann.get("/verbs/me").is(http.StatusOK).id(), "untouched by all that")
}

func cleanupAtEveryInterval(t *testing.T, b backend) {
	if b.forgets {
		forgetsByItself(t, b, hosts.Config{CleanupInterval: time.Millisecond})
		return
	}
	swept := sweeps(t, b, hosts.Config{CleanupInterval: 15 * time.Minute}, 61*time.Minute)
	require.Equal(t, 4, swept)
	require.Zero(t, sweeps(t, b, hosts.Config{CleanupInterval: 15 * time.Minute, NoCleanup: true}, 61*time.Minute))
}

func cleanupCounts(t *testing.T, b backend) {
	down := newFault(b.open(t, t.TempDir()))
	s := open(t, b, setup{store: down.store})
	for range 3 {
		s.browser().login("/verbs", "old")
	}
	s.clock.pass(25*time.Hour + time.Millisecond)
	live := s.browser()
	live.login("/verbs", "ann")
	s.cleanup(3)
	s.cleanup(0)
	live.get("/verbs/me").is(http.StatusOK)
	if b.forgets {
		return
	}
	down.fail.Store(true)
	_, err := s.manager.CleanupExpired(t.Context())
	require.ErrorIs(t, err, hosts.ErrUnavailable)
}
