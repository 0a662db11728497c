package core

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDoubleLogin: the second of two logins that had one session keeps what its
// request put. It keeps what it had loaded only where a login of the same user,
// and nothing else, superseded it.
func TestDoubleLogin(t *testing.T) {
	twice := steps{logsIn("alice"), func(t *testing.T, s *Session) { put(t, s, "theirs", true) }}
	for _, c := range []struct {
		what   string
		base   steps // of the session that both have loaded
		theirs []steps
		mine   steps
		want   map[string]any
	}{
		{"an equal value", steps{sets("auth", "password"), sets("basket", 1), logsIn("alice")}, []steps{twice},
			steps{logsIn("alice"), sets("auth", "password")}, map[string]any{"auth": "password", "basket": 1}},
		{"an anonymous session", steps{sets("basket", 1)}, []steps{twice},
			steps{logsIn("alice"), sets("auth", "password")}, map[string]any{"auth": "password", "basket": 1}},
		{"what was deleted stays deleted", steps{sets("basket", 1), sets("x", 1)}, []steps{twice},
			steps{deletes("x"), logsIn("alice")}, map[string]any{"basket": 1}},
		{"counted, updated and read", steps{sets("n", 5), sets("u", 1), sets("r", 1)}, []steps{twice},
			steps{adds("n", 2), updates("u", 2), gets("r"), sets("r", 2), logsIn("alice")}, map[string]any{"n": 7, "u": 2, "r": 2}},
		{"another user's login", steps{sets("basket", 1)}, []steps{{logsIn("bob")}},
			steps{sets("mine", 2), logsIn("alice")}, map[string]any{"mine": 2}},
		{"a change of privilege", steps{sets("roles", "admin"), logsIn("alice")}, []steps{{func(t *testing.T, s *Session) { require.NoError(t, s.Renew()) }}},
			steps{sets("mine", 2), logsIn("alice")}, map[string]any{"mine": 2}},
		{"a login and a change of privilege", steps{sets("roles", "admin"), logsIn("alice")}, []steps{twice, {deletes("roles"), func(t *testing.T, s *Session) { require.NoError(t, s.Renew()) }}},
			steps{sets("mine", 2), logsIn("alice")}, map[string]any{"mine": 2}},
		{"ended", steps{sets("roles", "admin"), logsIn("alice")}, nil,
			steps{sets("mine", 2), sets("roles2", 1), deletes("roles2"), adds("n", 3), logsIn("alice")}, map[string]any{"mine": 2, "n": 3}},
		{"ended, and put what was there", steps{sets("roles", "admin"), logsIn("alice")}, nil,
			steps{sets("roles", "admin"), logsIn("alice")}, map[string]any{"roles": "admin"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := testMachine(t, Policy{})
			s := m.New(Request{})
			c.base.do(t, s)
			g := received(commit(t, m, s, testNow, 1))
			mine := g.resume(t, m, testNow)
			c.mine.do(t, mine)
			now, last := testNow, g
			var theirs *Record
			for i, does := range c.theirs {
				now += Second
				other := last.resume(t, m, now)
				does.do(t, other)
				last = received(commit(t, m, other, now, uint64(10+i)))
				theirs = &last.rec
			}
			next, err := m.Rebase(handOver(t, m, mine), theirs, now)
			require.NoError(t, err)
			e := commit(t, m, handOver(t, m, next), now, 5)
			require.NotEqual(t, g.rec.ID, e.Save.ID, "a session of its own")
			require.Equal(t, "alice", e.Next.User())
			require.Equal(t, c.want, all(t, received(e).resume(t, m, now)))
		})
	}
	m := testMachine(t, Policy{})
	s := signIn(t, m, Request{}, 0, testNow).resume(t, m, testNow)
	steps{updates("u", 2), logsIn("alice")}.do(t, s)
	next, err := m.Rebase(s, nil, testNow)
	require.NoError(t, err)
	require.Equal(t, []string{"u"}, next.Again(), "what was computed from an ended session is computed anew, from nothing")
	_, ok := next.Value("u")
	require.False(t, ok)
}

// TestLateRequest: a request with a cookie that a login or renewal has
// superseded begins no session for a minute, whose cookie would replace the
// later one. It may read, and sign in.
func TestLateRequest(t *testing.T) {
	for what, does := range map[string]steps{
		"login":              {logsIn("alice")},
		"login of another":   {logsIn("bob")},
		"change of privlege": {func(t *testing.T, s *Session) { require.NoError(t, s.Renew()) }},
	} {
		m := testMachine(t, Policy{Lifetime: Hour})
		s := m.New(Request{})
		steps{logsIn("alice"), sets("cart", 1)}.do(t, s)
		g := received(commit(t, m, s, testNow, 1))
		other := g.resume(t, m, testNow+Second)
		does.do(t, other)
		e := commit(t, m, other, testNow+Second, 2)
		stored := received(e).rec
		if what == "login of another" {
			require.Equal(t, g.rec.ID, e.Delete)
			require.NotNil(t, e.Trace)
			require.NoError(t, e.Trace.Check())
			stored = *e.Trace
			require.Equal(t, Record{ID: g.rec.ID, Version: stored.Version, CreatedAt: testNow + Second, SeenAt: testNow + Second,
				ExpiresAt: testNow + Second + SupersededHold, Sealed: stored.Sealed}, stored, "nobody's, and over soon")
			_, err := m.Resume(ByID(g.rec.ID), stored, Request{AnyTenant: true}, testNow+Second)
			require.ErrorIs(t, err, ErrNotFound, "a program finds no session")
			late := g.resume(t, m, testNow)
			put(t, late, "cart", 2)
			_, err = m.Rebase(late, &stored, testNow+Second)
			require.ErrorIs(t, err, ErrSuperseded)
			byID, err := m.Resume(ByID(g.rec.ID), g.rec, Request{AnyTenant: true}, testNow)
			require.NoError(t, err)
			put(t, byID, "cart", 2)
			_, err = m.Rebase(byID, &stored, testNow+Second)
			require.ErrorIs(t, err, ErrEnded)
		} else {
			require.Nil(t, e.Trace)
		}
		_, err := m.Resume(g.ticket(t, m, testNow), stored, Request{}, testNow+Minute)
		require.ErrorIs(t, err, ErrSuperseded, what)
		require.True(t, err.(*Refusal).Recent, what)
		_, err = m.Resume(g.ticket(t, m, testNow), stored, Request{}, testNow+Second+Minute)
		require.ErrorIs(t, err, ErrSuperseded, what)
		require.False(t, err.(*Refusal).Recent, what)
	}
	m := testMachine(t, Policy{})
	s := m.New(Request{Superseded: true})
	require.False(t, m.Pending(s, testNow), "it may read")
	put(t, s, "cart", 2)
	_, err := m.Commit(handOver(t, m, s), testNow, numbered(1))
	require.ErrorIs(t, err, ErrSuperseded)
	require.NoError(t, s.Login("alice", 0))
	require.Equal(t, map[string]any{"cart": 2}, all(t, commit(t, m, handOver(t, m, s), testNow, 1).Next))
}

// TestCrossSite: a request that another site sent, and that a browser has left
// the cookie out of, begins no session.
func TestCrossSite(t *testing.T) {
	for _, c := range []struct {
		policy     Policy
		navigation bool // begins a session
		other      bool
	}{
		{Policy{}, true, false},
		{Policy{SameSite: SameSiteStrict}, false, false},
		{Policy{SameSite: SameSiteNone}, true, true},
		{Policy{Partitioned: true}, true, true},
	} {
		m := testMachine(t, c.policy)
		for site, begins := range map[CrossSite]bool{CrossSiteNone: true, CrossSiteNavigation: c.navigation, CrossSiteOther: c.other} {
			s := m.New(Request{CrossSite: site})
			put(t, s, "n", 1)
			_, err := m.Commit(handOver(t, m, s), testNow, numbered(1))
			if begins {
				require.NoError(t, err)
				continue
			}
			require.ErrorIs(t, err, ErrCrossSite)
			require.NoError(t, s.Login("alice", 0), "identity providers post back")
			require.NotEmpty(t, commit(t, m, handOver(t, m, s), testNow, 1).Cookies)
		}
	}
}

// TestRemember: that a visitor is remembered is a choice, whatever the lifetimes.
func TestRemember(t *testing.T) {
	m := testMachine(t, Policy{EndWithBrowser: true, Lifetime: 30 * Day})
	for lifetime, remembered := range map[Time]bool{0: false, Hour: true, 30 * Day: true, 31 * Day: true} {
		s := m.New(Request{})
		require.NoError(t, s.Login("alice", lifetime))
		e := commit(t, m, s, testNow, 1)
		require.Equal(t, remembered, strings.Contains(e.Cookies[0], "Max-Age"), lifetime)
		s = received(e).resume(t, m, testNow)
		require.NoError(t, s.Refresh())
		e = commit(t, m, handOver(t, m, s), testNow+Second, 2)
		require.Equal(t, remembered, strings.Contains(e.Cookies[0], "Max-Age"), "refreshed: %v", lifetime)
		s = given{received(e).cookie, *e.Save}.resume(t, m, testNow)
		require.NoError(t, s.Login("alice", 0))
		require.NotContains(t, commit(t, m, s, testNow, 3).Cookies[0], "Max-Age", "signed in anew without it")
	}
	s := m.New(Request{})
	require.NoError(t, s.Keep(Seed{1}))
	require.NotContains(t, commit(t, m, s, testNow, 1).Cookies[0], "Max-Age")
	// A record from before the choice was noted has the choice in its lifetime.
	for lifetime, remembered := range map[Time]bool{0: false, 30 * Day: false, 31 * Day: true} {
		require.Equal(t, remembered, (&payload{lifetime: lifetime}).remembered(&m.policy))
	}
}

// TestSecureByRequest: one manager serves HTTPS and plain HTTP.
func TestSecureByRequest(t *testing.T) {
	m := testMachine(t, Policy{SecureByRequest: true, FormerScopes: []Scope{{Path: "/old"}}})
	for _, https := range []bool{true, false} {
		s := m.New(Request{HTTPS: https})
		require.NoError(t, s.Login("alice", 0))
		fields := append(commit(t, m, handOver(t, m, s), testNow, 1).Cookies, m.ClearCookie(https)...)
		require.Len(t, fields, 4)
		for _, f := range fields {
			require.Equal(t, https, strings.Contains(f, "; Secure"), f)
		}
	}
	for _, p := range []Policy{{AllowInsecure: true}, {Partitioned: true}, {SameSite: SameSiteNone}, {CookieName: "__Host-s"}, {CookieName: "__secure-s"}} {
		p.SecureByRequest = true
		_, err := NewMachine(p, KeyRing{{Bytes: NewSecret(testKey)}})
		require.ErrorContains(t, err, "SecureByRequest")
	}
}

// TestQuiet: a quiet view stores values and nothing else.
func TestQuiet(t *testing.T) {
	m := testMachine(t, Policy{IdleTimeout: Hour, RenewAfter: 10 * Minute})
	s := m.New(Request{IP: "\x7f\x00\x00\x01"})
	steps{logsIn("alice"), sets("flash", "hi")}.do(t, s)
	g := received(commit(t, m, s, testNow, 1))
	now := testNow + 30*Minute
	s, err := g.try(t, m, Request{IP: "\x7f\x00\x00\x02", UserAgent: "other"}, now)
	require.NoError(t, err)
	steps{sets("pending", 1), deletes("flash")}.do(t, s)
	q := handOver(t, m, s.Quiet())
	require.False(t, m.Pending(q, now))
	require.Equal(t, map[string]any{"flash": "hi"}, all(t, q))
	require.NoError(t, q.DeleteValue("flash"))
	require.True(t, q.FoldsPlainly())
	e := commit(t, m, q, now, 2)
	require.Empty(t, e.Cookies)
	require.Equal(t, DidChange, e.Did)
	require.False(t, e.Touch)
	require.Equal(t, testNow, e.Save.SeenAt)
	require.Equal(t, g.rec.ExpiresAt, e.Save.ExpiresAt)
	next, err := m.Rebase(s, e.Save, now)
	require.NoError(t, err)
	e = commit(t, m, next, now, 3)
	require.NotEmpty(t, e.Cookies, "the renewal that is due comes with the request's own commit")
	require.Equal(t, map[string]any{"pending": 1}, all(t, received(e).resume(t, m, now)))
}
