package nethttp_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// TestVisitFollowsTheManager: a sign-in by the manager's verbs is not undone by
// the Session of the same request, whichever is asked first and whether the
// visitor had a session before.
func TestVisitFollowsTheManager(t *testing.T) {
	s := open(t, setup{})
	login := func(_ http.ResponseWriter, r *http.Request) error {
		_, err := s.manager.Login(r.Context(), "alice", 0)
		return err
	}
	create := func(w http.ResponseWriter, r *http.Request) error {
		x := s.mw.Request(w, r)
		n, err := s.manager.Create(x)
		if err != nil {
			return err
		}
		n.UserID = "alice"
		return errors.Join(s.manager.Save(x, n), s.manager.SetCookie(x, n))
	}
	put := func(name string) func(http.ResponseWriter, *http.Request) error {
		return func(_ http.ResponseWriter, r *http.Request) error {
			v, err := nethttp.From(r)
			return errors.Join(err, v.Put(name, name))
		}
	}
	renew := func(_ http.ResponseWriter, r *http.Request) error {
		v, err := nethttp.From(r)
		return errors.Join(err, v.Renew())
	}
	for what, steps := range map[string][]func(http.ResponseWriter, *http.Request) error{
		"sign-in first":        {login, put("later")},
		"sign-in last":         {put("later"), login},
		"sign-in between":      {put("sooner"), login, put("later")},
		"and a renewal":        {put("later"), login, renew},
		"by the guide's verbs": {create, put("later")},
	} {
		for _, known := range []bool{false, true} {
			b := s.browser()
			if known {
				b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Put("cart", 1) })
			}
			a := b.get(func(w http.ResponseWriter, r *http.Request) {
				for _, step := range steps {
					if s.note(step(w, r)) != nil {
						t.Errorf("%s: a step failed", what)
					}
				}
				if v, err := nethttp.From(r); s.note(err) == nil && v.User() != "alice" {
					t.Errorf("%s: the visit shows user %q", what, v.User())
				}
			})
			require.Equal(t, http.StatusOK, a.status, what)
			b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
				if v.User() != "alice" {
					t.Errorf("%s: the browser is signed in as %q", what, v.User())
				}
				_, err := v.Get("later")
				return err
			})
		}
	}
}
