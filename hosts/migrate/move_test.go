package migrate_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/migrate"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

type cart struct{ Items []string }

func TestAnOldSessionBecomesOneOfOurs(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{Values: map[string]func(any) (any, error){
		"cart":   migrate.Of[cart],
		"gone":   func(any) (any, error) { return nil, nil },
		"number": func(old any) (any, error) { return int(old.(int32)), nil },
	}})
	s.keep("T1", map[string]any{"user": "ann", "cart": &cart{[]string{"tea"}}, "gone": 1, "number": int32(7), "alien": make(chan int)})
	j := oldJar("T1")
	for range 3 {
		got := j.visit(t.Context(), s, func(v *nethttp.Session) error {
			require.ElementsMatch(t, []string{"user", "cart", "number"}, v.Names())
			c, err := hosts.Get[cart](v, "cart")
			require.NoError(t, err)
			require.Equal(t, cart{[]string{"tea"}}, c)
			n, err := v.Get("number")
			require.Equal(t, 7, n)
			return err
		})
		require.NoError(t, got.err)
		require.Equal(t, "ann", got.user)
	}
	require.Len(t, s.live("ann"), 1)
	require.NotContains(t, j, "old", "the browser has sent ours")
	require.False(t, s.library.has("T1"))
	require.Equal(t, 1, s.log.count("name=alien"))

	shown, err := s.manager.Load(t.Context(), s.live("ann")[0])
	require.NoError(t, err)
	require.Equal(t, s.clock.Now().Time().Add(24*time.Hour), shown.ExpiresAt, "the rest of the old one")
}

func TestTheOldCookieIsRemovedWhereItWasSet(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{})
	s.keep("T1", map[string]any{"user": "ann"})
	j := oldJar("T1")
	first := s.visit(j)
	require.Len(t, first.header["Set-Cookie"], 1, "not yet: the answer may get lost")
	second := s.visit(j)
	require.Equal(t, []string{"old=; Path=/app; Max-Age=0; HttpOnly; SameSite=Lax"}, second.header["Set-Cookie"])
	require.Equal(t, "no-store", second.header.Get("Cache-Control"))
	require.Empty(t, s.visit(j).header["Set-Cookie"])
}

func TestAHandlerThatDoesNotAskMovesNothing(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{})
	s.keep("T1", map[string]any{"user": "ann"})
	s.library.down = errDown
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "old", Value: "T1"})
	w := &recorder{header: http.Header{}}
	s.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })).ServeHTTP(w, r)
	require.Equal(t, http.StatusNoContent, w.status)
	require.Empty(t, s.live("ann"))
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(p []byte) (int, error) { return len(p), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }

// Who cannot be told from a visitor without a session gets an error, and stays
// signed in.
func TestAFailureSignsNobodyOut(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{})
	s.keep("T1", map[string]any{"user": "ann"})
	j := oldJar("T1")
	s.library.down = errDown
	got := s.visit(j)
	require.ErrorIs(t, got.err, hosts.ErrUnavailable)
	require.ErrorIs(t, got.err, errDown)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, oldJar("T1"), j)
	s.library.down = nil
	require.Equal(t, "ann", s.visit(j).user)

	s.library.down = errDown
	require.Equal(t, "ann", s.visit(j).user, "the old session need not be read any more")
	got = j.visit(t.Context(), s, logout)
	require.Error(t, got.err, "the old session lives, and servers with the old code take it")
	s.library.down = nil
	require.Empty(t, s.visit(oldJar("T1")).user, "ours do not")
	require.False(t, s.library.has("T1"), "and it is tried again")
}

func TestLogoutIsForGood(t *testing.T) {
	for _, keepOld := range []bool{false, true} {
		s := open(t, nil, hosts.Config{IdleTimeout: time.Hour}, migrate.Options{KeepOld: keepOld})
		s.keep("T1", map[string]any{"user": "ann"})
		old := s.library.sessions["T1"]
		j := oldJar("T1")
		s.visit(j)
		s.visit(j)
		require.Equal(t, keepOld, s.library.has("T1"))
		ours := jar{"rockstar_session": j["rockstar_session"]}
		require.NoError(t, j.visit(t.Context(), s, logout).err)
		require.Empty(t, j)
		require.False(t, s.library.has("T1"))
		for range 2 {
			s.library.sessions["T1"] = old // a stateless one is there for ever
			require.Empty(t, s.visit(oldJar("T1")).user)
			require.Empty(t, s.visit(ours).user)
			require.Empty(t, s.live("ann"))

			_, err := s.manager.Revoke(t.Context(), hosts.Query{AnyUser: true, AnyTenant: true})
			require.NoError(t, err)
			_, err = s.manager.Revoke(t.Context(), hosts.Query{Anonymous: true})
			require.NoError(t, err)
			s.clock.pass(11 * time.Hour) // past every idle timeout
			_, err = s.manager.CleanupExpired(t.Context())
			require.NoError(t, err)
		}
		s.clock.pass(24 * time.Hour)
		n, err := s.manager.CleanupExpired(t.Context())
		require.NoError(t, err)
		require.NotZero(t, n, "the marker goes when nothing can come any more")
	}
}

// An old server has set the cookie anew, and nothing has come of the new one when
// its visitor signs out, or ours alone go on.
func TestCookiesThatOldServersSetAnew(t *testing.T) {
	for _, keepOld := range []bool{false, true} {
		s := open(t, nil, hosts.Config{}, migrate.Options{KeepOld: keepOld})
		s.keep("T1", map[string]any{"user": "ann"})
		j := oldJar("T1")
		require.Equal(t, "ann", s.visit(j).user)
		s.keep("T2", map[string]any{"user": "ann"})
		j["old"] = "T2"
		first := s.visit(j)
		require.Equal(t, "ann", first.user)
		require.Len(t, s.live("ann"), 1)
		if keepOld {
			require.NoError(t, j.visit(t.Context(), s, logout).err)
		}
		require.Empty(t, j["old"])
		s.keep("T2", map[string]any{"user": "ann"}) // it has no store
		require.Empty(t, s.visit(oldJar("T2")).user)
	}
}

func TestOurSessionEndsInAnotherWay(t *testing.T) {
	s := open(t, nil, hosts.Config{IdleTimeout: time.Hour}, migrate.Options{KeepOld: true})
	for token, end := range map[string]func(j jar){
		"revoked":   func(jar) { _, _ = s.manager.Revoke(t.Context(), hosts.Query{User: "ann"}) },
		"idle":      func(jar) { s.clock.pass(2 * time.Hour) },
		"another's": func(j jar) { j.visit(t.Context(), s, func(v *nethttp.Session) error { return v.Login("ben", 0) }) },
		"everywhere": func(j jar) {
			j.visit(t.Context(), s, func(v *nethttp.Session) error { _, err := v.SignOutEverywhere(t.Context()); return err })
		},
	} {
		s.keep(token, map[string]any{"user": "ann"})
		j := oldJar(token)
		require.Equal(t, "ann", s.visit(j).user, token)
		end(j)
		require.Empty(t, s.visit(oldJar(token)).user, token)
		require.False(t, s.library.has(token), token)
		require.NotEqual(t, "ann", s.visit(j).user, token)
		require.NotContains(t, j, "old", token)
	}
}

func TestWhatHasExpiredIsNotMoved(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{})
	s.keep("T1", map[string]any{"user": "ann"})
	s.keep("T2", map[string]any{"user": "ben"})
	j := oldJar("T2")
	require.Equal(t, "ben", s.visit(j).user)
	s.clock.pass(24 * time.Hour)
	require.Empty(t, s.visit(oldJar("T1")).user)
	require.Empty(t, s.visit(j).user, "ours ends with the old one")
	require.Empty(t, s.live("ann"))
}

func TestLifetimes(t *testing.T) {
	for _, x := range []struct{ asked, most, want time.Duration }{
		{0, 0, 30 * 24 * time.Hour}, {time.Hour, 0, time.Hour}, {0, 48 * time.Hour, 48 * time.Hour}, {90 * 24 * time.Hour, 0, 90 * 24 * time.Hour},
	} {
		s := open(t, nil, hosts.Config{MaxLifetime: x.most}, migrate.Options{Lifetime: x.asked})
		for token, values := range map[string]map[string]any{"T1": {"user": "ann"}, "T2": {"basket": "tea"}} {
			s.library.sessions[token] = migrate.Old{Values: values, Expires: s.clock.Now().Time().Add(30 * 24 * time.Hour)}
			got := s.visit(oldJar(token))
			require.NoError(t, got.err)
			shown, err := s.manager.Load(t.Context(), got.id)
			require.NoError(t, err)
			require.Equal(t, s.clock.Now().Time().Add(x.want), shown.ExpiresAt)
		}
	}
}

func TestBaskets(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{KeepOld: true})
	s.keep("T1", map[string]any{"basket": "tea"})
	j := oldJar("T1")
	first := s.visit(j)
	require.True(t, first.stored)
	require.Equal(t, first.id, s.visit(j).id)

	s.library.sessions["T1"].Values["user"] = "ann" // signed in at an old server
	got := j.visit(t.Context(), s, func(v *nethttp.Session) error { return v.Put("step", 2) })
	require.NoError(t, got.err)
	require.Equal(t, "ann", got.user)
	basket, err := s.manager.Get(t.Context(), first.id, "basket")
	require.NoError(t, err)
	require.Equal(t, "tea", basket)

	s.keep("T2", map[string]any{})
	require.False(t, s.visit(oldJar("T2")).stored, "nothing is in it")
}

// A visitor who has begun a session at a new server signs in at an old one.
func TestASessionOfOursGoesAlong(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{KeepOld: true})
	j := jar{}
	j.visit(t.Context(), s, func(v *nethttp.Session) error { return v.Put("language", "fi") })
	s.keep("T1", map[string]any{"user": "ann", "seat": "12A"})
	j["old"] = "T1"
	got := s.visit(j)
	require.Equal(t, "ann", got.user)
	for name, want := range map[string]any{"language": "fi", "seat": "12A"} {
		v, err := s.manager.Get(t.Context(), got.id, name)
		require.NoError(t, err)
		require.Equal(t, want, v)
	}
	require.Equal(t, got.id, s.visit(j).id)
}

// Every renewal by a login or a privilege change leaves the old cookie without use.
func TestThePrivilegesOfLaterAreNotTheOldCookies(t *testing.T) {
	s := open(t, nil, hosts.Config{RenewAfter: 5 * time.Minute}, migrate.Options{KeepOld: true})
	s.keep("T1", map[string]any{"user": "ann"})
	j := oldJar("T1")
	s.visit(j)
	require.NoError(t, j.visit(t.Context(), s, (*nethttp.Session).Renew).err)
	require.Empty(t, s.visit(oldJar("T1")).user)
	require.Equal(t, "ann", s.visit(j).user)
	for range 4 { // periodic renewals
		s.clock.pass(10 * time.Minute)
		require.Equal(t, "ann", s.visit(j).user)
	}
	require.Empty(t, s.visit(oldJar("T1")).user)
	require.Equal(t, "ann", s.visit(j).user, "it is no theft")
}

func TestUsersThatNoSessionCanHave(t *testing.T) {
	s := open(t, nil, hosts.Config{}, migrate.Options{})
	s.keep("T1", map[string]any{"user": "ann\n", "seat": "12A"})
	got := s.visit(oldJar("T1"))
	require.NoError(t, got.err)
	require.True(t, got.stored)
	require.Equal(t, 1, s.log.count("(the user)"))
}

func TestOptionsAreChecked(t *testing.T) {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	defer store.Close()
	m, err := hosts.New(store, hosts.Config{Key: key, CookieName: "old"})
	require.NoError(t, err)
	defer m.Close()
	mw, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	user := func(map[string]any) (string, bool) { return "", false }
	for field, o := range map[string]migrate.Options{
		"Source":                               {Key: key, User: user},
		"User":                                 {Key: key, Source: &library{}},
		"Key":                                  {Key: core.NewSecret("short"), Source: &library{}, User: user},
		"Lifetime":                             {Key: key, Source: &library{}, User: user, Lifetime: -1},
		"the manager's: set Config.CookieName": {Key: key, Source: &library{}, User: user},
	} {
		_, err := migrate.New(mw, o)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused)
		require.ErrorContains(t, err, field)
		require.NotContains(t, err.Error(), "short")
	}
	_, err = migrate.New(nil, migrate.Options{})
	require.ErrorContains(t, err, "nethttp.New")
}
