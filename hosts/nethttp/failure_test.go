package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// short keeps a store that never answers from taking a test's time.
var short = hosts.Config{CommitTimeout: 50 * time.Millisecond, Merge: map[string]core.MergeKind{"n": core.MergeCounter}}

// commitFaults are all by which a commit can fail.
var commitFaults = map[string]conformance.Plan{
	"down":      always(conformance.Save, conformance.Fail),
	"hangs":     always(conformance.Save, conformance.Hang),
	"deaf":      always(conformance.Save, conformance.LoseAnswer),
	"conflicts": always(conformance.Save, conformance.Conflict),
	"garbage": func(_ int, v conformance.Verb) conformance.Fault {
		if v == conformance.Save {
			return conformance.Conflict
		}
		return conformance.Garbage
	},
}

// requireErrorPage holds an answer to the error page: nothing of the handler
// is in it, and no cookie is touched.
func requireErrorPage(t *testing.T, a answer, note string) {
	t.Helper()
	require.Equal(t, http.StatusServiceUnavailable, a.status, note)
	require.Equal(t, "The session store does not answer. What this request changed may not be stored; try again.\n", a.body, note)
	require.Equal(t, "1", a.header.Get("Retry-After"), note)
	requireNothingOfTheHandler(t, a, note)
}

func requireNothingOfTheHandler(t *testing.T, a answer, note string) {
	t.Helper()
	require.NoError(t, a.err, note)
	require.Equal(t, "text/plain; charset=utf-8", a.header.Get("Content-Type"), note)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"), note)
	for _, name := range []string{"Set-Cookie", "Content-Encoding", "Etag", "X-Handler"} {
		require.Empty(t, a.header[name], note)
	}
	require.Equal(t, []string{fmt.Sprint(len(a.body))}, a.header["Content-Length"], note)
}

// decorate sets what an error page must not have.
func decorate(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Encoding", "br")
	h.Set("Content-Length", "1")
	h.Set("Etag", `"1"`)
	h.Set("X-Handler", "yes")
	http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
}

// TestAFailedCommitIsAnErrorPage, whatever fails and however the handler begins.
func TestAFailedCommitIsAnErrorPage(t *testing.T) {
	for fault, plan := range commitFaults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := open(t, setup{Config: short})
			b := s.browser()
			b.login("alice")
			b.put("n", 0)
			for tries, way := range ways {
				if way.method != "GET" {
					continue
				}
				before := b.cookie
				a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
					decorate(w)
					if err := v.Put("n", 1+b.count(v)); err != nil {
						return err
					}
					s.faults(plan)
					if way.begin == nil {
						return nil
					}
					s.note(way.begin(w))
					if _, err := io.WriteString(w, "half a page"); s.note(err) == nil {
						t.Error("the page goes on behind the error page")
					}
					if err := http.NewResponseController(w).Flush(); s.note(err) == nil {
						t.Error("flush after the error page")
					}
					if _, _, err := w.(http.Hijacker).Hijack(); s.note(err) == nil {
						t.Error("hijack after the error page")
					}
					w.WriteHeader(http.StatusTeapot)
					if s.note(v.Put("late", 1)) == nil || s.note(v.Login("bob", 0)) == nil {
						t.Error("lost in silence")
					}
					return nil
				})
				s.mend()
				if fault == "garbage" { // a record that does not open is a refusal
					require.Equal(t, http.StatusUnauthorized, a.status)
					requireNothingOfTheHandler(t, a, way.name)
				} else {
					requireErrorPage(t, a, way.name)
				}
				require.Equal(t, before, b.cookie)
				require.Equal(t, "alice", b.user(), way.name)
				n, _ := b.value("n").(int)
				require.LessOrEqual(t, n, tries+1, "applied twice")
				if fault == "down" || fault == "hangs" { // of the others nobody knows
					require.Zero(t, n, "applied though it could not be")
				}
			}
			require.Equal(t, fault != "garbage", strings.Contains(s.log.String(), "session store failed"))
			require.NotContains(t, s.log.String(), "error page", "reported by whoever met it, once")
			require.NotContains(t, s.log.String(), "superfluous")
		})
	}
}

func (b *browser) count(v *nethttp.Session) int {
	got, err := v.Get("n")
	if b.s.note(err) != nil {
		return 0
	}
	return got.(int)
}

// TestAFailedBeginningIsAnErrorPage: of a session that is not stored yet.
func TestAFailedBeginningIsAnErrorPage(t *testing.T) {
	for fault, plan := range commitFaults {
		for name, do := range map[string]func(v *nethttp.Session) error{
			"login": func(v *nethttp.Session) error { return v.Login("alice", 0) },
			"put":   func(v *nethttp.Session) error { return v.Put("n", 1) },
		} {
			s := open(t, setup{Config: short})
			b := s.browser()
			s.faults(plan)
			a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error { decorate(w); return do(v) })
			requireErrorPage(t, a, fault+" "+name)
			require.Empty(t, b.cookie)
		}
	}
}

// TestAFailedLogoutIsToldAndTriedAgain: nobody is told to be logged out while
// the session lives.
func TestAFailedLogoutIsToldAndTriedAgain(t *testing.T) {
	s := open(t, setup{Config: short})
	b := s.browser()
	id := b.login("alice")
	logout := func(mended bool) answer {
		return b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
			s.faults(always(conformance.Delete, conformance.Fail))
			if err := v.Destroy(); !errors.Is(s.note(err), hosts.ErrUnavailable) {
				t.Error("logged out of a store that is down:", err)
			}
			if mended {
				s.mend()
			}
			fmt.Fprint(w, "bye")
			return nil
		})
	}
	requireErrorPage(t, logout(false), "down")
	s.mend()
	require.Equal(t, id, b.id())
	require.Equal(t, "bye", logout(true).body)
	_, lives := s.stored(id)
	require.False(t, lives)
	require.Empty(t, b.cookie)
}

// TestALostAnswerIsNotAFailure: the same bytes are sent again, and count once.
func TestALostAnswerIsNotAFailure(t *testing.T) {
	s := open(t, setup{Config: short})
	b := s.browser()
	b.login("alice")
	b.put("n", 0)
	for i := range 10 {
		var lost atomic.Bool
		a := b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
			s.faults(func(_ int, verb conformance.Verb) conformance.Fault {
				if verb == conformance.Save && !lost.Swap(true) {
					return conformance.LoseAnswer
				}
				return conformance.Pass
			})
			return v.Put("n", b.count(v)+1)
		})
		require.Equal(t, 200, a.status)
		require.True(t, lost.Load())
		require.Equal(t, i+1, b.value("n"))
	}
}

// TestCountsAreExactUnderFaults: what was answered with 200 is counted once,
// and what was answered with the error page at most once.
func TestCountsAreExactUnderFaults(t *testing.T) {
	s := open(t, setup{Config: short})
	b := s.browser()
	b.login("alice")
	b.put("n", 0)
	dice := rand.New(rand.NewPCG(1, 2))
	faults := []conformance.Fault{conformance.Pass, conformance.Pass, conformance.Fail, conformance.LoseAnswer, conformance.Conflict}
	done, failed := 0, 0
	for range 150 {
		rolls := make([]conformance.Fault, 64)
		for i := range rolls {
			rolls[i] = faults[dice.IntN(len(faults))]
		}
		var at atomic.Int64
		a := b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
			s.faults(func(_ int, verb conformance.Verb) conformance.Fault {
				if verb != conformance.Save {
					return conformance.Pass
				}
				return rolls[(at.Add(1)-1)%64]
			})
			return v.Put("n", b.count(v)+1)
		})
		s.mend()
		if a.status == 200 {
			done++
		} else {
			requireErrorPage(t, a, "")
			failed++
		}
		n := b.value("n").(int)
		require.GreaterOrEqual(t, n, done)
		require.LessOrEqual(t, n, done+failed)
	}
	require.Greater(t, done, 100)
}

// TestAStoreThatCannotBeAsked is told to the handler, and is no logout.
func TestAStoreThatCannotBeAsked(t *testing.T) {
	deadline := func(next http.Handler) http.Handler {
		return http.TimeoutHandler(next, 30*time.Millisecond, "too late")
	}
	for fault, o := range map[conformance.Fault]setup{conformance.Fail: {}, conformance.Hang: {inside: deadline}} {
		s := open(t, o)
		b := s.browser()
		b.login("alice")
		cookie := b.cookie
		s.faults(always(conformance.Load, fault))
		ended := make(chan bool, 1)
		a := b.get(func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			v, err := nethttp.From(r)
			for _, err := range []error{err, v.Put("n", 1), v.Delete("n"), v.Clear(), v.Login("bob", 0), v.Renew(), v.Refresh(), v.Destroy()} {
				if !errors.Is(s.note(err), hosts.ErrUnavailable) {
					t.Error("not told:", err)
				}
			}
			if _, err := v.Get("n"); !errors.Is(err, hosts.ErrUnavailable) || v.User() != "" || v.Stored() || v.Refusal() != nil {
				t.Error("a visit shows what it does not know:", err)
			}
			w.WriteHeader(500)
		})
		await(t, ended)
		require.GreaterOrEqual(t, a.status, 500)
		require.Empty(t, a.header["Set-Cookie"])
		s.mend()
		require.Equal(t, cookie, b.cookie)
		require.Equal(t, "alice", b.user())
	}
}

// TestALoadIsAskedAgainUnderAContextThatLives: one that ended says nothing of
// the session.
func TestALoadIsAskedAgainUnderAContextThatLives(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	s.faults(always(conformance.Load, conformance.Hang))
	b.get(func(_ http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond)
		_, err := nethttp.From(r.WithContext(ctx))
		cancel()
		if s.note(err) == nil {
			t.Error("loaded from a store that hangs")
		}
		s.mend()
		if v, err := nethttp.From(r); s.note(err) != nil || v.User() != "alice" {
			t.Error(err)
		}
	})
}

// TestErrorPagesOfOnesOwn get the error, and what stood on the answer before.
func TestErrorPagesOfOnesOwn(t *testing.T) {
	s := open(t, setup{Config: short,
		Options: nethttp.Options{Failed: func(w http.ResponseWriter, r *http.Request, err error) {
			status, _ := nethttp.Failure(err)
			w.Header().Set("X-Failed", r.URL.Path)
			w.WriteHeader(status + 1)
			fmt.Fprint(w, errors.Is(err, hosts.ErrUnavailable))
		}},
		outside: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Strict-Transport-Security", "max-age=1")
				w.Header().Set("Vary", "Origin")
				next.ServeHTTP(w, r)
			})
		}})
	s.faults(commitFaults["down"])
	a := s.browser().visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		decorate(w)
		w.Header().Add("Vary", "Accept")
		return v.Put("n", 1)
	})
	require.Equal(t, 504, a.status)
	require.Equal(t, "true", a.body)
	require.True(t, strings.HasPrefix(a.header.Get("X-Failed"), "/"))
	require.Equal(t, "max-age=1", a.header.Get("Strict-Transport-Security"))
	require.Equal(t, []string{"Origin"}, a.header["Vary"])
	require.Empty(t, a.header["Set-Cookie"])
	require.Empty(t, a.header["X-Handler"])
}

// TestWhatTheRequestItselfIsToBlameFor is no failure of the store.
func TestWhatTheRequestItselfIsToBlameFor(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{Exclusive: []string{"seat"}},
		Options: nethttp.Options{Tenant: func(r *http.Request) string { return r.Header.Get("X-Tenant") }}})
	b := s.browser()
	b.header.Set("X-Tenant", strings.Repeat("long.", 100))
	a := b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Put("n", 1) })
	require.Equal(t, 400, a.status, a.body)

	b = s.browser()
	b.login("alice")
	a = b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		b.copy().put("seat", "12A")
		return v.Put("seat", "12B")
	})
	require.Equal(t, 409, a.status, a.body)
	require.Equal(t, "12A", b.value("seat"))
	require.NotContains(t, s.log.String(), "error page", "nothing for an operator")
}
