package nethttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// inFlight is a request that a logout meets, and what must come of it.
type inFlight struct {
	name   string
	do     func(v *nethttp.Session) error
	told   bool // it changed something: its answer is replaced
	renews bool // it replaces the cookie
}

var inFlights = []inFlight{
	{"reading", func(v *nethttp.Session) error { _, err := v.Get("n"); return err }, false, false},
	{"changing nothing", func(v *nethttp.Session) error { return v.Put("n", 1) }, false, false},
	{"putting", func(v *nethttp.Session) error { return v.Put("n", 2) }, true, false},
	{"deleting", func(v *nethttp.Session) error { return v.Delete("n") }, true, false},
	{"clearing", func(v *nethttp.Session) error { return v.Clear() }, true, false},
	{"refreshing", func(v *nethttp.Session) error { return v.Refresh() }, true, false},
	{"renewing", func(v *nethttp.Session) error { return v.Renew() }, true, true},
	{"signing in", func(v *nethttp.Session) error { return v.Login("alice", 0) }, false, true},
	{"logging out", func(v *nethttp.Session) error { return v.Destroy() }, false, false},
}

// A moment is where in the request the whole logout happens.
type moment struct {
	name  string
	early bool                // the request has not loaded its session yet
	late  bool                // the request has stored what it did
	stop  func(s *site) *gate // nil: the handler itself waits
}

var moments = []moment{
	{"before the load", true, false, func(s *site) *gate { return s.stopBefore(conformance.Load) }},
	{"after the load", false, false, func(s *site) *gate { return s.stopAfter(conformance.Load) }},
	{"in the handler", false, false, nil},
	{"before the save", false, false, func(s *site) *gate { return s.stopBefore(conformance.Save) }},
	{"after the save", false, true, func(s *site) *gate { return s.stopAfter(conformance.Save) }},
	{"before the delete", false, false, func(s *site) *gate { return s.stopBefore(conformance.Delete) }},
	{"after the delete", false, true, func(s *site) *gate { return s.stopAfter(conformance.Delete) }},
}

// TestNoLogoutIsUndone by any request, wherever the two meet. In half of the
// cases the use of the session is to be noted, so that reading writes too.
func TestNoLogoutIsUndone(t *testing.T) {
	for _, m := range moments {
		for _, request := range inFlights {
			for _, touch := range []bool{false, true} {
				t.Run(fmt.Sprint(request.name, ", logout ", m.name, ", touch ", touch), func(t *testing.T) {
					t.Parallel()
					meet(t, request, m, touch)
				})
			}
		}
	}
}

func meet(t *testing.T, request inFlight, m moment, touch bool) {
	s := open(t, setup{Config: hosts.Config{IdleTimeout: time.Hour}})
	b := s.browser()
	b.put("n", 1)
	id := b.login("alice")
	out, replay := b.copy(), b.copy()
	if touch {
		s.clock.pass(30 * time.Minute)
	}
	g := newGate()
	if m.stop != nil {
		g = m.stop(s)
	}
	answers := b.start(func(v *nethttp.Session, w http.ResponseWriter) error {
		err := request.do(v)
		if m.stop == nil {
			g.pass()
		}
		if err == nil || m.early && errors.Is(err, hosts.ErrNoValue) {
			_, err = fmt.Fprint(w, "page")
			if s.note(err) != nil && !request.told {
				t.Error(err)
			}
			return nil
		}
		return err
	})
	var a answer
	reached := true
	select {
	case <-g.arrived:
	case a = <-answers: // it has no such moment, and went before
		reached = false
		close(g.opened)
	case <-time.After(patience):
		t.Fatal("neither stopped nor answered")
	}
	if request.renews && (m.late || !reached) { // the copy's cookie is superseded
		require.NoError(t, s.manager.Destroy(t.Context(), id))
	} else {
		require.Equal(t, 200, out.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Destroy() }).status)
		require.Empty(t, out.cookie)
	}
	if reached {
		close(g.opened)
		a = await(t, answers)
	}
	s.mend()

	require.NoError(t, a.err)
	between := reached && !m.early && !m.late
	if request.told && between {
		require.Equal(t, 401, a.status)
		require.NotContains(t, a.body, "page")
		require.Empty(t, a.ours())
	} else {
		require.Equal(t, 200, a.status)
		require.Equal(t, "page", a.body)
	}
	_, lives := s.stored(id)
	require.False(t, lives, "the session lives again")
	require.ErrorIs(t, replay.refusal(), core.ErrNotFound)
	if request.name == "signing in" && between {
		require.Equal(t, "alice", b.user(), "a login makes a session of its own")
		require.NotEqual(t, id, b.id())
	}
}
