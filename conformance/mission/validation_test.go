package mission

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var validation = []row{
	{"56", isValid}, {"57", validityIsShown}, {"58", isExpired}, {"59", authMiddleware}, {"60", routeByRoute},
}

func isValid(t *testing.T, b backend) {
	down := newFault(b.open(t, t.TempDir()))
	s := open(t, b, setup{store: down.store})
	ann, ben := s.browser(), s.browser()
	live := ann.login("/verbs", "ann")
	ended := ben.login("/verbs", "ben")
	ben.post("/verbs/logout").is(http.StatusOK)
	check := func(id core.ID, want bool) {
		t.Helper()
		valid, err := s.manager.IsValid(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, valid)
	}
	check(live, true)
	check(ended, false)
	check(core.ID{9}, false)
	s.clock.pass(24 * time.Hour)
	check(live, false)
	down.fail.Store(true)
	_, err := s.manager.IsValid(t.Context(), live)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
}

// validate is the guide's handler of that name.
func validate(x *hosts.Request, w http.ResponseWriter) {
	m := x.Manager()
	session, err := m.GetSessionFromCookie(x)
	if err != nil {
		answerJSON(w, http.StatusUnauthorized, map[string]any{"valid": false, "error": "No session found"})
		return
	}
	valid, err := m.IsValid(x, session.ID)
	if err != nil {
		refuse(w, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"valid": valid, "session_id": session.ID, "expires_at": session.ExpiresAt})
}

func validityIsShown(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	a := ann.during(validate).is(http.StatusOK)
	require.Equal(t, true, a.field("valid"))
	require.Equal(t, id, a.id())
	expires, err := time.Parse(time.RFC3339, a.field("expires_at").(string))
	require.NoError(t, err)
	require.True(t, s.clock.time().Add(24*time.Hour).Equal(expires))
	ann.post("/verbs/logout").is(http.StatusOK)
	for _, nobody := range []*browser{ann, s.browser(), s.browser().give("nonsense")} {
		require.Equal(t, false, nobody.during(validate).is(http.StatusUnauthorized).field("valid"))
	}
}

func isExpired(t *testing.T, b backend) {
	down := newFault(b.open(t, t.TempDir()))
	s := open(t, b, setup{store: down.store, Config: hosts.Config{CommitTimeout: 50 * time.Millisecond}})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	expired, err := s.manager.IsExpired(t.Context(), id)
	require.NoError(t, err)
	require.False(t, expired)

	down.fail.Store(true)
	_, err = s.manager.IsExpired(t.Context(), id)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	for _, style := range styles {
		a := ann.get(style + "/me").is(http.StatusServiceUnavailable)
		require.Empty(t, a.Header["Set-Cookie"], "a store that is down logs nobody out")
		ann.post(style + "/logout").is(http.StatusServiceUnavailable) // and no logout is claimed
	}
	down.fail.Store(false)
	ann.get("/verbs/me").is(http.StatusOK)

	s.clock.pass(24 * time.Hour)
	expired, err = s.manager.IsExpired(t.Context(), id)
	require.NoError(t, err)
	require.True(t, expired)
	_, err = s.manager.IsExpired(t.Context(), core.ID{9})
	require.ErrorIs(t, err, core.ErrNotFound)
}

type userKey struct{}

// authenticated is the guide's middleware: it asks for a session and hands its
// user on in the context.
func (s *site) authenticated(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := s.mw.Request(w, r)
		defer x.Close()
		session, err := s.manager.GetSessionFromCookie(x)
		if err != nil {
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, session.UserID)))
	}
}

func authMiddleware(t *testing.T, b backend) {
	s := open(t, b, setup{})
	byHand := s.authenticated(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answerJSON(w, http.StatusOK, map[string]any{"user": r.Context().Value(userKey{})})
	}))
	required := s.mw.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		require.NoError(t, err)
		answerJSON(w, http.StatusOK, map[string]any{"user": v.User()})
	})).ServeHTTP
	for _, protected := range []http.HandlerFunc{byHand, required} {
		a := s.browser().call("/api/protected", protected).refused(core.ReasonNone)
		require.Equal(t, "Authentication required", a.field("error"))
		ann := s.browser()
		ann.login("/verbs", "ann")
		require.Equal(t, "ann", ann.call("/api/protected", protected).is(http.StatusOK).field("user"))
		s.clock.pass(24 * time.Hour)
		a = ann.call("/api/protected", protected).refused(core.ReasonExpired)
		require.Equal(t, "Session expired", a.field("error"))
	}
	anonymous := s.browser()
	anonymous.post("/middleware/count").is(http.StatusOK)
	anonymous.call("/api/protected", required).is(http.StatusUnauthorized)
}

func routeByRoute(t *testing.T, b backend) {
	down := newFault(b.open(t, t.TempDir()))
	s := open(t, b, setup{store: down.store})
	open := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answerJSON(w, http.StatusOK, nil) })
	mux := http.NewServeMux()
	mux.Handle("/open", open)
	mux.Handle("/protected", s.mw.Require(open))
	site := s.mw.Handler(mux).ServeHTTP
	nobody, ann := s.browser(), s.browser()
	ann.login("/verbs", "ann")
	nobody.call("/open", site).is(http.StatusOK)
	nobody.call("/protected", site).refused(core.ReasonNone)
	ann.call("/protected", site).is(http.StatusOK)
	down.fail.Store(true)
	ann.call("/open", site).is(http.StatusOK)
	ann.call("/protected", site).is(http.StatusServiceUnavailable)
}
