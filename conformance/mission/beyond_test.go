package mission

import (
	"net/http"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var beyond = append([]row{
	{"E1", threeMethodsAreEnough}, {"E2", inMemory}, {"E3", idleTimeoutByConfig}, {"E4", periodicRenewal},
	{"E5", lifetimeOfOneSession}, {"E7", stableCodes}, {"E8", typedAccess}, {"E10", keyRotation},
	{"E6", serversShare}, {"E11", indexedSchema}, {"E12", getOrCreate}, {"E13", sessionInfo}, {"E14", sessionsOfAUser},
}, guarantees...)

// threeMethods hides whatever else a store can do.
type threeMethods struct{ hosts.Store }

func threeMethodsAreEnough(t *testing.T, b backend) {
	s := open(t, b, setup{store: threeMethods{b.open(t, t.TempDir())}})
	for _, style := range styles {
		ann := s.browser()
		ann.login(style, "ann")
		require.Equal(t, 1.0, ann.post(style+"/count").is(http.StatusOK).field("n"))
		ann.post(style + "/refresh").is(http.StatusOK)
		ann.post(style + "/logout").is(http.StatusOK)
		ann.get(style + "/me").is(http.StatusUnauthorized)
	}
	_, err := s.manager.CleanupExpired(t.Context())
	require.ErrorIs(t, err, hosts.ErrNoSweeper)
	_, _, err = s.manager.Sessions(t.Context(), hosts.Query{AnyUser: true}, core.ID{}, 0)
	require.ErrorIs(t, err, hosts.ErrNoFinder)
	_, err = s.manager.Revoke(t.Context(), hosts.Query{AnyUser: true})
	require.ErrorIs(t, err, hosts.ErrNoFinder)
}

func inMemory(t *testing.T, b backend) {
	dir := t.TempDir()
	t.Chdir(dir)
	store := b.open(t, dir).(*cachestore.Store)
	ann := open(t, b, setup{store: store, dir: dir}).browser()
	ann.login("/verbs", "ann")
	require.Equal(t, 1, store.Stats().Sessions)
	require.NoError(t, store.Close())
	ann.get("/verbs/me").is(http.StatusServiceUnavailable)
}

func idleTimeoutByConfig(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{IdleTimeout: 10 * time.Minute}})
	protected := s.mw.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})).ServeHTTP
	ann := s.browser()
	ann.login("/middleware", "ann")
	for range 3 { // a handler that does nothing about it
		s.clock.pass(9 * time.Minute)
		ann.call("/", protected).is(http.StatusOK)
	}
	s.clock.pass(10 * time.Minute)
	ann.call("/", protected).refused(core.ReasonIdle)
}

func periodicRenewal(t *testing.T, b backend) {
	for _, style := range styles {
		s := open(t, b, setup{Config: hosts.Config{RenewAfter: 10 * time.Minute, RenewGrace: 30 * time.Second}})
		ann := s.browser()
		id := ann.login(style, "ann")
		first := ann.cookie()
		s.clock.pass(10*time.Minute - time.Millisecond)
		require.Empty(t, ann.get(style+"/me").is(http.StatusOK).cookies())
		s.clock.pass(time.Millisecond)
		require.Empty(t, ann.send(http.MethodHead, style+"/me", nil).is(http.StatusOK).cookies(), "where it cannot travel")
		eve := ann.thief()
		second := ann.get(style + "/me").is(http.StatusOK).cookie().Value
		_, before := openCookie(t, first, key, "")
		_, after := openCookie(t, second, key, "")
		require.NotEqual(t, before, after)

		late := s.browser().give(first) // another tab, whose request was on its way
		_, same := openCookie(t, late.get(style+"/me").is(http.StatusOK).cookie().Value, key, "")
		require.Equal(t, after, same, "all end up with one secret")
		ann.get(style + "/me").is(http.StatusOK) // the new one has been seen
		s.clock.pass(30*time.Second - time.Millisecond)
		s.browser().give(first).get(style + "/me").is(http.StatusOK)
		s.clock.pass(time.Millisecond)
		a := eve.get(style + "/me").refused(core.ReasonTheft)
		require.Equal(t, "Session ended - its cookie was used twice", a.field("error"))
		ann.get(style + "/me").refused(core.ReasonUnknown)
		_, err := s.stored(id)
		require.ErrorIs(t, err, core.ErrNotFound)
		e := s.await(hosts.EventEnded)
		require.Equal(t, core.ReasonTheft, e.Reason)
		require.Equal(t, "ann", e.User)
	}
}

func lifetimeOfOneSession(t *testing.T, b backend) {
	s := open(t, b, setup{})
	short, long, usual := s.browser(), s.browser(), s.browser()
	short.visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Login("kiosk", 5*time.Minute)) }).is(http.StatusOK)
	usual.login("/middleware", "ann")
	long.during(func(x *hosts.Request, w http.ResponseWriter) {
		session, err := s.manager.Create(x)
		require.NoError(t, err)
		session.UserID, session.ExpiresAt = "ben", s.clock.time().Add(7*24*time.Hour)
		require.NoError(t, s.manager.Save(x, session))
		require.NoError(t, s.manager.SetCookie(x, session))
		session.ExpiresAt = s.clock.time().Add(401 * 24 * time.Hour)
		require.ErrorIs(t, s.manager.Save(x, session), core.ErrLifetime)
	}).is(http.StatusOK)
	s.clock.pass(5 * time.Minute)
	short.get("/verbs/me").refused(core.ReasonExpired)
	usual.get("/verbs/me").is(http.StatusOK)
	s.clock.pass(24 * time.Hour)
	usual.get("/verbs/me").refused(core.ReasonExpired)
	long.get("/verbs/me").is(http.StatusOK)
	s.clock.pass(6 * 24 * time.Hour)
	long.get("/verbs/me").refused(core.ReasonExpired)
}

func stableCodes(t *testing.T, _ backend) {
	for code, c := range []struct {
		name string
		err  error
	}{
		{"none", core.ErrNoCookie}, {"malformed", core.ErrMalformed}, {"unknown_key", core.ErrUnknownKey},
		{"not_authentic", core.ErrNotAuthentic}, {"unknown_session", core.ErrNotFound}, {"wrong_tenant", core.ErrWrongTenant},
		{"idle", core.ErrIdle}, {"expired", core.ErrExpired}, {"superseded", core.ErrSuperseded}, {"theft", core.ErrTheft},
		{"ip_changed", core.ErrIPChanged}, {"user_agent_changed", core.ErrUserAgentChanged}, {"ended", core.ErrEnded}, {"corrupt", core.ErrCorrupt},
		{"ip_family", core.ErrIPFamily},
	} {
		require.EqualValues(t, code, core.ReasonOf(c.err), c.name)
		require.Equal(t, c.name, core.ReasonOf(c.err).String())
	}
}

// profile is a program's own type.
type profile struct {
	Name   string
	Visits int `session:"visits"`
	Tags   []string
	Since  time.Time
}

func typedAccess(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	want := profile{"Ann", 3, []string{"a", "b"}, time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)}
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		require.NoError(t, hosts.Put(v, "profile", want))
		require.Error(t, hosts.Put(v, "bad", make(chan int)))
	}).is(http.StatusOK)
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		got, err := hosts.Get[profile](v, "profile")
		require.NoError(t, err)
		require.True(t, want.Since.Equal(got.Since))
		got.Since = want.Since
		require.Equal(t, want, got)
		_, err = hosts.Get[int](v, "profile")
		require.ErrorIs(t, err, hosts.ErrValueType)
		_, err = hosts.Get[profile](v, "nothing")
		require.ErrorIs(t, err, hosts.ErrNoValue)
	}).is(http.StatusOK)
}

func keyRotation(t *testing.T, b backend) {
	store, c := b.open(t, t.TempDir()), newClock()
	both := core.KeyRing{{Bytes: key}, {Bytes: key2, SealFrom: c.Now() + core.Hour}}
	with := func(ring core.KeyRing) *site {
		return open(t, b, setup{store: store, Config: hosts.Config{Keys: ring, Clock: c}})
	}
	sealedUnder := func(value string, key core.Secret) {
		t.Helper()
		openCookie(t, value, key, "")
	}
	old, rotating, fresh := with(core.KeyRing{{Bytes: key}}), with(both), with(core.KeyRing{{Bytes: key2}})
	for _, style := range styles {
		ann, away := old.browser(), old.browser()
		id := ann.login(style, "ann")
		away.login(style, "ben")
		require.Empty(t, ann.to(rotating).get(style+"/me").is(http.StatusOK).cookies())
		sealedUnder(rotating.browser().post(style+"/login?user=carl").is(http.StatusOK).cookie().Value, key) // not yet
		c.pass(time.Hour)
		sealedUnder(ann.get(style+"/me").is(http.StatusOK).cookie().Value, key2)
		require.Equal(t, id, ann.to(fresh).get(style+"/me").is(http.StatusOK).id(), "the old key may go")
		away.to(rotating).get(style + "/me").is(http.StatusOK)
		c.pass(-time.Hour)
	}
	away := old.browser()
	away.login("/verbs", "ben")
	away.to(fresh).get("/verbs/me").refused(core.ReasonUnknownKey)
}

func getOrCreate(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	a := ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.False(t, v.Stored()) }).is(http.StatusOK)
	require.Empty(t, a.cookies(), "nothing is stored until something is in it")
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		require.ErrorIs(t, v.Refusal(), core.ErrNoCookie)
		require.NoError(t, v.Put("cart", "book"))
	}).is(http.StatusOK).cookie()
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		require.True(t, v.Stored())
		require.NoError(t, v.Refusal())
		cart, err := v.Get("cart")
		require.NoError(t, err)
		require.Equal(t, "book", cart)
	}).is(http.StatusOK)
}

func sessionInfo(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{IdleTimeout: 2 * time.Hour}})
	ann := s.browser()
	begin := s.clock.time()
	id := ann.login("/verbs", "ann")
	s.clock.pass(time.Hour)
	ann.get("/verbs/me").is(http.StatusOK)
	s.clock.pass(30 * time.Minute)
	session, err := s.manager.Load(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 90*time.Minute, s.clock.time().Sub(session.CreatedAt))
	require.Equal(t, 24*time.Hour-90*time.Minute, session.ExpiresAt.Sub(s.clock.time()))
	require.Equal(t, 90*time.Minute, session.IdleExpiresAt.Sub(s.clock.time()))
	require.True(t, begin.Add(time.Hour).Equal(session.LastSeenAt))
	size := session.Size()
	require.NoError(t, s.manager.Set(t.Context(), id, "blob", make([]byte, 1000)))
	session, err = s.manager.Load(t.Context(), id)
	require.NoError(t, err)
	require.InDelta(t, size+1000, session.Size(), 16)
}

func sessionsOfAUser(t *testing.T, b backend) {
	s := open(t, b, setup{})
	var anns []*browser
	for range 5 {
		ann := s.browser()
		ann.login("/verbs", "ann")
		anns = append(anns, ann)
	}
	ben := s.browser()
	ben.login("/middleware", "ben")
	here := anns[0].get("/verbs/me").is(http.StatusOK).id()
	found := map[core.ID]bool{}
	var after core.ID
	for {
		page, next, err := s.manager.Sessions(t.Context(), hosts.Query{User: "ann"}, after, 2)
		require.NoError(t, err)
		for _, session := range page {
			require.Equal(t, "ann", session.UserID)
			require.Equal(t, "Mission/1.0", session.UserAgent)
			found[session.ID] = true
		}
		if after = next; next.IsZero() {
			break
		}
	}
	require.Len(t, found, 5)
	require.True(t, found[here])
	ended, err := s.manager.Revoke(t.Context(), hosts.Query{User: "ann"}, here)
	require.NoError(t, err)
	require.Equal(t, 4, ended)
	for i, ann := range anns {
		if i == 0 {
			ann.get("/verbs/me").is(http.StatusOK)
		} else {
			ann.get("/verbs/me").refused(core.ReasonUnknown)
		}
	}
	ben.get("/verbs/me").is(http.StatusOK)
}
