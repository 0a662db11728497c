package mission

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// lifecycle is the part of the guide's chapter on use from login to logout.
var lifecycle = []row{
	{"41", loginFlow}, {"42", laterRequest}, {"43", noCookieOrABadOne}, {"44", destroyedForEver},
	{"45", logoutWithoutSession}, {"46", logoutClearsCookie}, {"47", refreshExtends}, {"48", refreshWithoutSession},
}

func loginFlow(t *testing.T, b backend) {
	s := open(t, b, setup{})
	for _, style := range styles {
		ann := s.browser()
		a := ann.post(style + "/login?user=ann&password=wrong").is(http.StatusUnauthorized)
		require.Equal(t, "Invalid credentials", a.field("error"))
		require.Empty(t, a.Header["Set-Cookie"])
		found, err := able[hosts.Finder](t, s.store).Find(t.Context(), hosts.Query{User: "ann"}, core.ID{}, 10)
		require.NoError(t, err)
		require.Empty(t, found, "nothing is stored")
		ann.get(style + "/me").refused(core.ReasonNone)

		a = ann.post(style + "/login?user=ann&password=right").is(http.StatusOK)
		require.Equal(t, "Login successful", a.field("message"))
		require.NotEmpty(t, a.cookie().Value)
		require.Equal(t, "ann", ann.get(style+"/me").is(http.StatusOK).field("user"))
		ann.post(style + "/logout").is(http.StatusOK)
	}
}

func laterRequest(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		session.Data = someValues()
		require.NoError(t, s.manager.Save(x, session))
	}).is(http.StatusOK)
	s.clock.pass(time.Hour)
	ann.reconnect()
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		require.Equal(t, id, session.ID)
		sameValues(t, someValues(), session.Data)
	}).is(http.StatusOK)
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		require.Equal(t, id, v.ID())
		for name, want := range someValues() {
			got, err := v.Get(name)
			require.NoError(t, err)
			sameValues(t, want, got)
		}
	}).is(http.StatusOK)
}

func noCookieOrABadOne(t *testing.T, b backend) {
	s := open(t, b, setup{})
	alien := open(t, b, setup{Config: hosts.Config{Key: key2, Clock: s.clock}}).browser()
	alien.login("/verbs", "ann")
	gone := s.browser()
	gone.login("/verbs", "ann")
	ended := gone.cookie()
	gone.post("/verbs/logout").is(http.StatusOK)
	for _, style := range styles {
		s.browser().get(style + "/me").refused(core.ReasonNone)
		for value, why := range map[string]core.Reason{"nonsense": core.ReasonMalformed, alien.cookie(): core.ReasonUnknownKey,
			flip(t, ended, 60): core.ReasonNotAuthentic, ended: core.ReasonUnknown} {
			a := s.browser().give(value).get(style + "/me").refused(why)
			require.Equal(t, "Authentication required", a.field("error"))
		}
	}
}

// slow begins a request that waits inside its handler, and returns what lets it
// go on and waits for its answer.
func (b *browser) slow(h func(wait func()) http.HandlerFunc) (goOn func() answer) {
	t, began, waiting, done := b.site.t, make(chan struct{}), make(chan struct{}), make(chan struct{})
	var a answer
	var err error
	free := sync.OnceFunc(func() { close(waiting) })
	t.Cleanup(free) // also when the test fails first: the server waits for its handlers
	handler := h(func() { close(began); <-waiting })
	go func() {
		defer close(done)
		a, err = b.tryCall("/call", handler)
	}()
	select {
	case <-began:
	case <-done:
		t.Fatal("the handler did not wait")
	case <-time.After(patience):
		t.Fatal("the handler did not begin")
	}
	return func() answer {
		free()
		<-done
		require.NoError(t, err)
		return a
	}
}

func destroyedForEver(t *testing.T, b backend) {
	for _, style := range styles {
		s := open(t, b, setup{})
		twin := s.twin()
		ann := s.browser()
		id := ann.login(style, "ann")
		eve, other := ann.thief(), ann.thief().to(twin)
		late := s.inFlight(eve)
		ann.post(style + "/logout").is(http.StatusOK)
		for what, goOn := range late {
			a := goOn()
			if what == "reading" {
				a.is(http.StatusOK)
			} else {
				require.Contains(t, a.is(http.StatusUnauthorized).body, "ended", what)
			}
			require.Empty(t, a.Header["Set-Cookie"], what)
		}
		_, err := s.stored(id)
		require.ErrorIs(t, err, core.ErrNotFound)
		for _, any := range styles {
			other.get(any + "/me").refused(core.ReasonUnknown)
			eve.get(any + "/me").refused(core.ReasonUnknown)
		}
		require.ErrorIs(t, s.manager.Set(t.Context(), id, "late", 1), core.ErrNotFound)
		valid, err := twin.manager.IsValid(t.Context(), id)
		require.NoError(t, err)
		require.False(t, valid)
		eve.to(s.restart()).get("/verbs/me").refused(core.ReasonUnknown)
	}
}

// inFlight begins requests of one visitor that have loaded the session and
// wait, one of each kind, and returns what finishes them.
func (s *site) inFlight(b *browser) map[string]func() answer {
	visiting := func(do func(v *nethttp.Session) error) func() answer {
		return b.slow(func(wait func()) http.HandlerFunc {
			return s.within(func(v *nethttp.Session, w http.ResponseWriter) {
				wait()
				require.NoError(s.t, do(v))
			})
		})
	}
	return map[string]func() answer{
		"saving": b.slow(func(wait func()) http.HandlerFunc {
			return s.by(func(x *hosts.Request, w http.ResponseWriter) {
				session := s.session(x)
				wait()
				session.Data["late"] = true
				if err := s.manager.Save(x, session); err != nil {
					refuse(w, err)
				}
			})
		}),
		"putting":    visiting(func(v *nethttp.Session) error { return v.Put("late", true) }),
		"refreshing": visiting((*nethttp.Session).Refresh),
		"renewing":   visiting((*nethttp.Session).Renew),
		"reading":    visiting(func(v *nethttp.Session) error { _, err := v.Get("user_id"); return err }),
	}
}

func logoutWithoutSession(t *testing.T, b backend) {
	s := open(t, b, setup{})
	for _, style := range styles {
		s.browser().post(style + "/logout").is(http.StatusOK)
		s.browser().give("nonsense").post(style + "/logout").is(http.StatusOK)
		ann := s.browser()
		ann.login(style, "ann")
		ann.post(style + "/logout").is(http.StatusOK)
		ann.post(style + "/logout").is(http.StatusOK)
	}
}

func logoutClearsCookie(t *testing.T, b backend) {
	deep := "/account/settings/logout"
	for _, c := range []hosts.Config{
		{}, {CookieDomain: "example.com"}, {CookiePath: "/account"}, {CookieName: "__Host-rockstar_session"},
		{SameSite: core.SameSiteStrict}, {Partitioned: true},
		{CookieDomain: "example.com", CookiePath: "/account/settings"},
	} {
		s := open(t, b, setup{Config: c})
		for _, style := range styles {
			ann := s.browser()
			signIn := func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Login("ann", 0)) }
			show := func(v *nethttp.Session, w http.ResponseWriter) { require.Equal(t, "ann", v.User()) }
			ann.call(deep, s.within(signIn)).is(http.StatusOK).cookie()
			ann.call(deep, s.within(show)).is(http.StatusOK)
			if style == "/verbs" {
				ann.call(deep, s.by(s.logout)).is(http.StatusOK)
			} else {
				ann.call(deep, s.within(visitLogout)).is(http.StatusOK)
			}
			ann.call(deep, func(w http.ResponseWriter, r *http.Request) {
				require.Empty(t, r.Cookies(), "%+v", c)
			}).is(http.StatusOK)
		}
	}

	before := open(t, b, setup{Config: hosts.Config{CookiePath: "/account", CookieDomain: "example.com"}})
	after := open(t, b, setup{Config: hosts.Config{FormerScopes: []core.Scope{{Path: "/account", Domain: "example.com"}}}})
	ann := before.browser()
	ann.post("/verbs/login?user=ann").is(http.StatusOK)
	ann.to(after).call(deep, after.by(after.logout)).is(http.StatusOK)
	ann.call(deep, func(w http.ResponseWriter, r *http.Request) {
		require.Empty(t, r.Cookies(), "where the cookie lived before")
	}).is(http.StatusOK)
}

func refreshExtends(t *testing.T, b backend) {
	day := 24 * time.Hour
	for _, style := range styles {
		s := open(t, b, setup{})
		ann, ben, carl := s.browser(), s.browser(), s.browser()
		id := ann.login(style, "ann")
		ben.login(style, "ben")
		carl.post(style + "/login?user=carl&remember_me=true").is(http.StatusOK)
		s.clock.pass(day / 2)
		require.Equal(t, int(day/time.Second), ann.post(style+"/refresh").is(http.StatusOK).cookie().MaxAge)
		require.Equal(t, int(month/time.Second), carl.post(style+"/refresh").is(http.StatusOK).cookie().MaxAge)
		r, err := s.stored(id)
		require.NoError(t, err)
		require.Equal(t, s.clock.Now()+core.Day, r.ExpiresAt)
		s.clock.pass(day - time.Millisecond)
		ann.get(style + "/me").is(http.StatusOK)
		ben.get(style + "/me").refused(core.ReasonExpired)
		s.clock.pass(time.Millisecond)
		ann.get(style + "/me").refused(core.ReasonExpired)
		s.clock.pass(28 * day)
		carl.get(style + "/me").is(http.StatusOK)
	}
	s := open(t, b, setup{}) // by ID, in a program of its own
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	s.clock.pass(day / 2)
	require.NoError(t, s.manager.Refresh(t.Context(), id))
	s.clock.pass(day - time.Millisecond)
	ann.get("/verbs/me").is(http.StatusOK)
	capped := open(t, b, setup{Config: hosts.Config{MaxLifetime: 30 * time.Hour}})
	ann = capped.browser()
	ann.login("/verbs", "ann")
	capped.clock.pass(day / 2)
	require.Equal(t, 18*60*60, ann.post("/verbs/refresh").is(http.StatusOK).cookie().MaxAge, "never past MaxLifetime")
}

func refreshWithoutSession(t *testing.T, b backend) {
	s := open(t, b, setup{})
	for _, style := range styles {
		a := s.browser().post(style + "/refresh").refused(core.ReasonNone)
		require.Empty(t, a.Header["Set-Cookie"])
		ann := s.browser()
		id := ann.login(style, "ann")
		eve := ann.thief()
		ann.post(style + "/logout").is(http.StatusOK)
		eve.post(style + "/refresh").refused(core.ReasonUnknown)
		require.True(t, errors.Is(s.manager.Refresh(t.Context(), id), core.ErrNotFound))
	}
}
