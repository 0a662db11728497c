package nethttp_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// TestAnUpdateMeetsAConflict: its function runs again on what is stored, can
// read the session, and must not change it; by the session's verb and by ID.
func TestAnUpdateMeetsAConflict(t *testing.T) {
	type update func(m *hosts.Manager, v *nethttp.Session, r *http.Request, id core.ID, fn func(int) (int, error)) error
	for what, do := range map[string]update{
		"of the session": func(_ *hosts.Manager, v *nethttp.Session, _ *http.Request, _ core.ID, fn func(int) (int, error)) error {
			return hosts.Update(v, "n", fn)
		},
		"by its ID": func(m *hosts.Manager, v *nethttp.Session, r *http.Request, id core.ID, fn func(int) (int, error)) error {
			return hosts.UpdateByID(r.Context(), m, id, "n", fn)
		},
		"by its ID, elsewhere": func(m *hosts.Manager, v *nethttp.Session, r *http.Request, id core.ID, fn func(int) (int, error)) error {
			return hosts.UpdateByID(t.Context(), m, id, "n", fn)
		},
	} {
		s := open(t, setup{})
		b := s.browser()
		id := b.login("alice")
		b.put("n", 1)
		runs := 0
		a := b.get(func(_ http.ResponseWriter, r *http.Request) {
			v, err := nethttp.From(r)
			err = errors.Join(err, do(s.manager, v, r, id, func(n int) (int, error) {
				if runs++; runs == 1 {
					if err := s.manager.Set(t.Context(), id, "n", 10); err != nil { // another request is faster
						return 0, err
					}
				}
				if v.User() != "alice" {
					t.Error(what, "the function sees", v.User())
				}
				if _, err := v.Get("n"); err != nil {
					t.Error(what, err)
				}
				if err := v.Put("other", 1); runs == 2 && what == "of the session" && !errors.Is(err, nethttp.ErrUpdating) {
					t.Error(what, err)
				}
				return n + 1, nil
			}))
			if s.note(err) != nil {
				t.Error(what, err)
			}
		})
		require.Equal(t, 200, a.status, what+a.body)
		require.Equal(t, 2, runs, what)
		require.Equal(t, 11, b.value("n"), what)
	}
}

// TestAnUpdateThatFails stores nothing, whenever it fails.
func TestAnUpdateThatFails(t *testing.T) {
	for _, at := range []int{1, 2} {
		for _, panics := range []bool{false, true} {
			s := open(t, setup{})
			b := s.browser()
			id := b.login("alice")
			b.put("n", 1)
			var runs atomic.Int64
			wrong := errors.New("wrong")
			b.send(t.Context(), "POST", func(w http.ResponseWriter, r *http.Request) {
				v, err := nethttp.From(r)
				err = errors.Join(err, v.Put("other", 1), hosts.Update(v, "n", func(n int) (int, error) {
					if runs.Add(1) == 1 && at == 2 {
						return n, s.manager.Set(t.Context(), id, "n", 10)
					}
					if panics {
						panic(http.ErrAbortHandler)
					}
					return 0, wrong
				}))
				if at == 1 && !errors.Is(err, wrong) {
					t.Error(err)
				}
				if at == 1 {
					panic(http.ErrAbortHandler)
				}
				if _, err := w.Write([]byte("done")); err == nil {
					t.Error("an answer without what it says")
				}
			})
			require.EqualValues(t, at, runs.Load())
			require.Equal(t, map[int]any{1: 1, 2: 10}[at], b.value("n"))
			require.Equal(t, hosts.ErrNoValue.Error(), b.value("other"), "nothing of the request is stored")
			require.Equal(t, 200, b.put("other", 2).status, "the session is not stuck")
		}
	}
}
