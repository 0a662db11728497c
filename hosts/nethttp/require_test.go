package nethttp_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// private is a route that needs a user, and greets them.
func (s *site) private(b *browser) answer {
	return b.get(s.mw.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		if s.note(err) != nil {
			s.t.Error(err)
		}
		fmt.Fprint(w, "hello ", v.User())
	})).ServeHTTP)
}

// requireUnauthorized holds an answer to 401 and the two texts.
func requireUnauthorized(t *testing.T, a answer, reason, text string) {
	t.Helper()
	require.Equal(t, http.StatusUnauthorized, a.status, reason)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, []string{"Cookie"}, a.header["Vary"])
	var got struct{ Error, Reason string }
	require.NoError(t, json.Unmarshal([]byte(a.body), &got))
	require.Equal(t, reason, got.Reason)
	require.Equal(t, text, got.Error, reason)
}

// flipped changes one bit of a byte of a cookie.
func flipped(cookie string, at int) string {
	raw, _ := base64.RawURLEncoding.DecodeString(cookie)
	raw[at] ^= 1
	return base64.RawURLEncoding.EncodeToString(raw)
}

const required = "Authentication required"

// bound is a site that binds sessions to what a browser says of itself, and
// renews their secrets; it returns browsers without and with a user.
func bound(t *testing.T) (s *site, fresh, user func() *browser) {
	t.Helper()
	s = open(t, setup{Config: hosts.Config{IdleTimeout: 30 * time.Minute, BindIPv4Bits: 32, BindUserAgent: true,
		RenewAfter: 10 * time.Minute, Lifetime: 2 * time.Hour, Retention: 24 * time.Hour},
		Options: nethttp.Options{TrustedProxies: prefixes("127.0.0.0/8")}})
	fresh = func() *browser {
		b := s.browser()
		b.header.Set("X-Forwarded-For", "192.0.2.1")
		b.header.Set("User-Agent", "first")
		return b
	}
	user = func() *browser {
		b := fresh()
		b.login("alice")
		require.Equal(t, "hello alice", s.private(b).body)
		return b
	}
	return s, fresh, user
}

func TestRequireTellsWhatTheCookieIs(t *testing.T) {
	s, fresh, user := bound(t)
	anonymous := fresh()
	anonymous.put("cart", 1)
	for _, b := range []*browser{fresh(), anonymous} {
		requireUnauthorized(t, s.private(b), "none", required)
	}

	b := fresh()
	b.cookie = "garbage"
	requireUnauthorized(t, s.private(b), "malformed", required)

	b = user()
	b.cookie = flipped(b.cookie, 60)
	requireUnauthorized(t, s.private(b), "not_authentic", required)

	b = user()
	b.cookie = flipped(b.cookie, 3) // in the key's ID
	requireUnauthorized(t, s.private(b), "unknown_key", required)

	b = user()
	require.NoError(t, s.manager.Destroy(t.Context(), b.id()))
	requireUnauthorized(t, s.private(b), "unknown_session", required)
}

func TestRequireTellsWhyTheSessionEnded(t *testing.T) {
	s, _, user := bound(t)
	b := user()
	b.header.Set("X-Forwarded-For", "192.0.2.2")
	requireUnauthorized(t, s.private(b), "ip_changed", "Session invalid - IP address changed")
	require.Empty(t, b.cookie, "the session was ended, and its cookie with it")

	b = user()
	b.header.Set("User-Agent", "second")
	requireUnauthorized(t, s.private(b), "user_agent_changed", "Session invalid - user agent changed")

	b = user()
	old := b.copy()
	b.login("alice")
	requireUnauthorized(t, s.private(old), "superseded", "Session expired")
	require.Equal(t, "hello alice", s.private(b).body)

	b = user()
	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		b.s.with(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Destroy() })(w, r)
		s.mw.Require(http.NotFoundHandler()).ServeHTTP(w, r)
	})
	requireUnauthorized(t, a, "ended", "Session expired")

	b = user()
	thief := b.copy()
	for range 3 {
		s.clock.pass(11 * time.Minute)
		require.Equal(t, "hello alice", s.private(b).body)
	}
	requireUnauthorized(t, s.private(thief), "theft", "Session ended - its cookie was used twice")
	requireUnauthorized(t, s.private(b), "unknown_session", required)

	b = user()
	s.clock.pass(31 * time.Minute)
	requireUnauthorized(t, s.private(b), "idle", "Session timeout due to inactivity")

	b = user()
	for range 5 {
		s.clock.pass(24 * time.Minute)
		s.private(b)
	}
	requireUnauthorized(t, s.private(b), "expired", "Session expired")
}

func TestRequireIsPerRouteAndTellsOutages(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	s.faults(always(conformance.Load, conformance.Fail))
	a := s.private(b)
	require.Equal(t, 503, a.status)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Empty(t, a.ours())
	require.Equal(t, "public", b.get(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "public") }).body)
	s.mend()
	require.Equal(t, "hello alice", s.private(b).body)
	require.Contains(t, s.log.String(), "session store failed")
}

// TestRequireBringsItsOwnHandler, and answers in the words of its own host.
func TestRequireBringsItsOwnHandler(t *testing.T) {
	s := open(t, setup{})
	var whys []error
	page := func(w http.ResponseWriter, _ *http.Request, err error) {
		whys = append(whys, s.note(err))
		w.WriteHeader(http.StatusSeeOther)
	}
	app, err := nethttp.New(s.manager, nethttp.Options{Unauthorized: page, Failed: page})
	require.NoError(t, err)
	b := s.browser()
	b.login("alice")
	direct := httptest.NewServer(app.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.with(func(v *nethttp.Session, w http.ResponseWriter) error { fmt.Fprint(w, v.User()); return nil })(w, r)
	})))
	defer direct.Close()
	ask := func(cookie string) int {
		req, err := http.NewRequest("GET", direct.URL, nil)
		require.NoError(t, err)
		req.Header.Set("Cookie", cookieName+"="+cookie)
		resp, err := direct.Client().Transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, 200, ask(b.cookie))
	require.Equal(t, 303, ask("x"))
	anonymous := s.browser()
	anonymous.put("n", 1)
	require.Equal(t, 303, ask(anonymous.cookie))
	s.faults(always(conformance.Load, conformance.Fail))
	require.Equal(t, 303, ask(b.cookie))
	s.mend()
	require.Len(t, whys, 3)
	for i, want := range []error{core.ErrMalformed, nethttp.ErrNotSignedIn, hosts.ErrUnavailable} {
		require.True(t, errors.Is(whys[i], want), whys[i])
	}
	direct.CloseClientConnections()
}
