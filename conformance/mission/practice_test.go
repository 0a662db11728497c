package mission

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var practice = []row{
	{"70", shortLifetimes}, {"71", sizeOfData}, {"72", privilegeChange}, {"73", idleTimeout},
	{"74", activityKeepsAlive}, {"75", idleTimeoutInStore}, {"77", rememberMe}, {"78", rememberMeIsKept}, {"79", eventsAreTold},
}

func shortLifetimes(t *testing.T, b backend) {
	for _, style := range styles {
		s := open(t, b, setup{Config: hosts.Config{Lifetime: time.Second}})
		ann, nobody := s.browser(), s.browser()
		require.Equal(t, 1, ann.post(style+"/login?user=ann").is(http.StatusOK).cookie().MaxAge)
		nobody.post(style + "/count").is(http.StatusOK)
		s.clock.pass(time.Second - time.Millisecond)
		ann.get(style + "/me").is(http.StatusOK)
		nobody.get(style + "/me").is(http.StatusOK)
		s.clock.pass(time.Millisecond)
		ann.get(style + "/me").refused(core.ReasonExpired)
		nobody.get(style + "/me").refused(core.ReasonExpired)
	}
	refusedConfig(t, b, hosts.Config{Lifetime: time.Nanosecond}, "Lifetime", "1 ms")
}

func sizeOfData(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{SessionSize: 16 << 10}})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	r, err := s.stored(id)
	require.NoError(t, err)
	require.Less(t, len(r.Sealed), 512, "a small session is small in the store")
	require.NotContains(t, s.log.String(), "grown large")
	keep := func(bytes int) error {
		var err error
		ann.during(func(x *hosts.Request, w http.ResponseWriter) {
			session := s.session(x)
			session.Data["blob"] = strings.Repeat("x", bytes)
			err = s.manager.Save(x, session)
		}).is(http.StatusOK)
		return err
	}
	require.NoError(t, keep(3<<10))
	require.NotContains(t, s.log.String(), "grown large")
	require.NoError(t, keep(5<<10))
	require.NoError(t, keep(6<<10))
	require.Equal(t, 1, strings.Count(s.log.String(), "grown large"), "told once, on passing 4 KiB")
	require.Contains(t, s.log.String(), id.String())

	err = keep(17 << 10)
	require.ErrorIs(t, err, core.ErrTooLarge)
	require.ErrorContains(t, err, "16384")
	require.ErrorContains(t, err, `"blob"`)
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		require.ErrorIs(t, v.Put("blob", strings.Repeat("x", 17<<10)), core.ErrTooLarge)
	}).is(http.StatusOK)
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		require.Len(t, s.session(x).Data["blob"], 6<<10, "what was stored stays")
	}).is(http.StatusOK)
}

func privilegeChange(t *testing.T, b backend) {
	s := open(t, b, setup{})
	promote := map[string]http.HandlerFunc{
		"/verbs": s.by(func(x *hosts.Request, w http.ResponseWriter) {
			session, err := s.manager.GetSessionFromCookie(x)
			if err != nil {
				require.Error(t, s.manager.Renew(x, nil))
				refuse(w, err)
				return
			}
			session.Data["roles"] = []string{"admin"}
			require.NoError(t, s.manager.Renew(x, session))
		}),
		"/middleware": s.within(func(v *nethttp.Session, w http.ResponseWriter) {
			require.NoError(t, v.Renew())
			if !v.Stored() {
				refuse(w, v.Refusal())
				return
			}
			require.NoError(t, v.Put("roles", []string{"admin"}))
		}),
	}
	for style, h := range promote {
		ann := s.browser()
		id := ann.login(style, "ann")
		eve := ann.thief()
		require.NotEqual(t, eve.cookie(), ann.call("/promote", h).is(http.StatusOK).cookie().Value)
		require.Equal(t, id, ann.get(style+"/me").is(http.StatusOK).id())
		roles, err := s.manager.Get(t.Context(), id, "roles")
		require.NoError(t, err)
		require.Equal(t, []string{"admin"}, roles)
		eve.get(style + "/me").refused(core.ReasonSuperseded)
		require.Empty(t, s.browser().call("/promote", h).refused(core.ReasonNone).cookies(), "no old session, and none made")
	}
}

func idleTimeout(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{IdleTimeout: 30 * time.Minute}})
	for _, style := range styles {
		ann, ben := s.browser(), s.browser()
		ann.login(style, "ann")
		ben.login(style, "ben")
		s.clock.pass(30*time.Minute - time.Millisecond)
		ben.get(style + "/me").is(http.StatusOK)
		s.clock.pass(time.Millisecond)
		a := ann.get(style + "/me").refused(core.ReasonIdle)
		require.Equal(t, "Session timeout due to inactivity", a.field("error"))
		ben.get(style + "/me").is(http.StatusOK)
	}
}

func activityKeepsAlive(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{IdleTimeout: 30 * time.Minute}})
	for _, style := range styles {
		ann := s.browser()
		ann.login(style, "ann")
		for range 10 {
			s.clock.pass(25 * time.Minute)
			require.Empty(t, ann.get(style+"/me").is(http.StatusOK).cookies(), "a touch needs no cookie")
		}
		s.clock.pass(20 * time.Hour)
		ann.get(style + "/me").refused(core.ReasonIdle)
	}
	a := s.browser().call("/", s.within(func(v *nethttp.Session, w http.ResponseWriter) {}))
	require.Empty(t, a.is(http.StatusOK).cookies(), "no session passes, and none is begun")

	steady := open(t, b, setup{Config: hosts.Config{IdleTimeout: 30 * time.Minute}})
	ann := steady.browser()
	ann.login("/verbs", "ann")
	for range 24 * 60 / 20 { // use does not outlive the lifetime
		ann.get("/verbs/me").is(http.StatusOK)
		steady.clock.pass(20 * time.Minute)
	}
	ann.get("/verbs/me").refused(core.ReasonExpired)
}

func idleTimeoutInStore(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{IdleTimeout: 30 * time.Minute, Retention: time.Minute}})
	ann, ben := s.browser(), s.browser()
	old, used := ann.login("/verbs", "ann"), ben.login("/middleware", "ben")
	s.clock.pass(20 * time.Minute)
	ben.get("/verbs/me").is(http.StatusOK)
	for id, until := range map[core.ID]core.Time{old: s.clock.Now() + 10*core.Minute, used: s.clock.Now() + 30*core.Minute} {
		r, err := s.stored(id)
		require.NoError(t, err)
		require.Equal(t, until, r.ExpiresAt)
	}
	s.clock.pass(11*time.Minute + time.Millisecond)
	s.cleanup(1)
	ben.get("/verbs/me").is(http.StatusOK)
	if b.forgets {
		forgetsByItself(t, b, hosts.Config{IdleTimeout: 30 * time.Minute})
		return
	}
	ann.get("/verbs/me").refused(core.ReasonUnknown)
}

func rememberMe(t *testing.T, b backend) {
	s := open(t, b, setup{})
	for _, style := range styles {
		ann := s.browser()
		c := ann.post(style + "/login?user=ann&remember_me=true").is(http.StatusOK).cookie()
		require.Equal(t, 30*24*60*60, c.MaxAge)
		r, err := s.stored(ann.get(style + "/me").is(http.StatusOK).id())
		require.NoError(t, err)
		require.Equal(t, s.clock.Now()+30*core.Day, r.ExpiresAt)
		s.clock.pass(month - time.Millisecond)
		ann.get(style + "/me").is(http.StatusOK)
		s.clock.pass(time.Millisecond)
		ann.get(style + "/me").refused(core.ReasonExpired)
	}
}

func rememberMeIsKept(t *testing.T, b backend) {
	s := open(t, b, setup{})
	for _, style := range styles {
		begin := s.clock.time()
		ann, ben := s.browser(), s.browser()
		require.Equal(t, 24*60*60, ben.post(style+"/login?user=ben&remember_me=false").is(http.StatusOK).cookie().MaxAge)
		ann.post(style + "/login?user=ann&remember_me=true").is(http.StatusOK)
		id := ann.get(style + "/me").is(http.StatusOK).id()
		ends := func(when time.Time) {
			t.Helper()
			r, err := s.stored(id)
			require.NoError(t, err)
			require.Equal(t, when.UnixMilli(), int64(r.ExpiresAt))
		}
		s.clock.pass(25 * time.Hour)
		ben.get(style + "/me").refused(core.ReasonExpired)
		ann.get(style + "/me").is(http.StatusOK) // a touch
		ends(begin.Add(month))
		ann.post(style + "/count").is(http.StatusOK) // a change
		ends(begin.Add(month))
		require.Equal(t, 30*24*60*60, ann.post(style+"/refresh").is(http.StatusOK).cookie().MaxAge)
		ends(s.clock.time().Add(month))
	}
}

func eventsAreTold(t *testing.T, b backend) {
	for _, style := range styles {
		s := open(t, b, setup{})
		ann := s.browser().from("203.0.113.7:9")
		id := ann.login(style, "ann")
		_, secret := openCookie(t, ann.cookie(), key, "")
		used := []string{ann.cookie(), string(secret)}
		ann.during(func(x *hosts.Request, w http.ResponseWriter) { require.NoError(t, s.manager.Renew(x, s.session(x))) }).is(http.StatusOK)
		used = append(used, ann.cookie())
		ann.post(style + "/refresh").is(http.StatusOK)
		eve := ann.thief()
		ann.post(style + "/logout").is(http.StatusOK)
		eve.get(style + "/me").refused(core.ReasonUnknown)
		s.cleanup(0)

		kinds := map[hosts.EventKind]hosts.Event{}
		for _, e := range s.told() {
			kinds[e.Kind] = e
			require.Equal(t, s.clock.Now(), e.At)
		}
		for _, kind := range []hosts.EventKind{hosts.EventCreated, hosts.EventLogin, hosts.EventResumed, hosts.EventRenewed,
			hosts.EventRefreshed, hosts.EventEnded} {
			e := kinds[kind]
			require.Equal(t, []string{id.String(), "ann", "203.0.113.7", "Mission/1.0"}, []string{e.ID.String(), e.User, e.IP, e.UserAgent}, "%s, %s", kind, style)
			require.Contains(t, s.log.String(), string(kind))
		}
		require.Equal(t, core.ReasonEnded, kinds[hosts.EventEnded].Reason)
		require.Equal(t, core.ReasonUnknown, kinds[hosts.EventRefused].Reason)
		require.Equal(t, id, kinds[hosts.EventRefused].ID)
		if !b.forgets {
			require.Contains(t, kinds, hosts.EventSwept)
		}
		for _, word := range []string{"session=" + id.String(), "user=ann", "ip=203.0.113.7", "reason=unknown_session"} {
			require.Contains(t, s.log.String(), word)
		}
		for _, hidden := range used {
			require.NotContains(t, s.log.String(), hidden)
		}
	}
}
