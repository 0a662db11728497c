package nethttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// begun sends the first bytes.
func begun(w http.ResponseWriter) error {
	fmt.Fprint(w, "first ")
	return http.NewResponseController(w).Flush()
}

func TestChangesAfterTheFirstByteAreStoredAtTheEnd(t *testing.T) {
	each(t, func(t *testing.T, o setup) {
		ended := make(chan bool, 8)
		o.outside = telling(ended)
		s := open(t, o)
		b := s.browser()
		b.login("alice")
		await(t, ended)
		await(t, ended)
		s.counts()
		var kept *nethttp.Session
		a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
			kept = v
			if err := v.Put("before", 1); err != nil {
				return err
			}
			if err := begun(w); err != nil {
				return err
			}
			for name, err := range map[string]error{"login": v.Login("bob", 0), "renew": v.Renew(), "refresh": v.Refresh()} {
				if !errors.Is(s.note(err), nethttp.ErrHeadersSent) {
					t.Error(name, err)
				}
			}
			if err := v.Put("progress", 99); err != nil {
				return err
			}
			return v.Put("progress", 100)
		})
		await(t, ended)
		require.Equal(t, "first ", a.body)
		require.Equal(t, [3]int64{1, 2, 0}, s.counts())
		require.Empty(t, a.ours())
		require.Equal(t, "alice", b.user())
		require.Equal(t, 1, b.value("before"))
		require.Equal(t, 100, b.value("progress"))

		require.ErrorIs(t, kept.Put("progress", 101), nethttp.ErrCommitted)
		require.ErrorIs(t, kept.Login("bob", 0), nethttp.ErrCommitted)
		got, err := kept.Get("progress")
		require.NoError(t, err)
		require.Equal(t, 100, got, "reading goes on")
		require.NoError(t, kept.Destroy(), "ending is never refused")
		require.Empty(t, s.all())
	})
}

func TestNoSessionBeginsAfterTheFirstByte(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	for name, visitor := range map[string]*browser{"stranger": s.browser(), "user": b} {
		stored := len(s.all())
		a := visitor.get(func(w http.ResponseWriter, r *http.Request) {
			s.note(begun(w))
			v, err := nethttp.From(r) // for the first time
			if s.note(err) != nil {
				t.Error(err)
			}
			if name == "user" {
				if err := v.Destroy(); err != nil {
					t.Error(err)
				}
				stored--
			}
			if err := v.Put("n", 1); !errors.Is(s.note(err), nethttp.ErrHeadersSent) {
				t.Error(name, err)
			}
			if err := v.Login("bob", 0); !errors.Is(err, nethttp.ErrHeadersSent) {
				t.Error(name, err)
			}
		})
		require.Equal(t, 200, a.status)
		require.Empty(t, a.ours())
		require.Len(t, s.all(), stored, name)
	}
	require.ErrorIs(t, b.refusal(), core.ErrNotFound)
}

// TestALateFailureIsLogged: the visitor cannot be told any more.
func TestALateFailureIsLogged(t *testing.T) {
	ended := make(chan bool, 8)
	s := open(t, setup{Config: short, outside: telling(ended)})
	b := s.browser()
	id := b.login("alice")
	await(t, ended)
	await(t, ended)
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		err := begun(w)
		s.faults(always(conformance.Save, conformance.Fail))
		return errors.Join(err, v.Put("progress", 1))
	})
	require.Equal(t, 200, a.status)
	await(t, ended)
	s.mend()
	require.Contains(t, s.log.String(), "changes made after the answer had begun are not stored")
	require.Contains(t, s.log.String(), id.String())
}

// TestARenewalThatIsTooLateLosesNobody: it becomes due when no cookie can be
// set any more. A session asked for only then is not renewed at all.
func TestARenewalThatIsTooLateLosesNobody(t *testing.T) {
	for _, early := range []bool{true, false} {
		ended := make(chan bool, 8)
		s := open(t, setup{Config: hosts.Config{RenewAfter: 10 * time.Minute}, outside: telling(ended)})
		b := s.browser()
		b.login("alice")
		await(t, ended)
		await(t, ended)
		first := b.cookie
		a := b.get(func(w http.ResponseWriter, r *http.Request) {
			if early {
				_, err := nethttp.From(r)
				s.note(err)
			}
			s.note(begun(w))
			s.clock.pass(11 * time.Minute)
			v, err := nethttp.From(r)
			if err = errors.Join(err, v.Put("progress", 1)); s.note(err) != nil {
				t.Error(err)
			}
		})
		await(t, ended)
		require.Equal(t, 200, a.status)
		require.Equal(t, first, b.cookie)
		require.NotContains(t, s.log.String(), "not stored")
		require.NoError(t, s.manager.Close()) // the events are out
		require.Equal(t, early, strings.Contains(s.log.String(), "session renewed"))
		require.Equal(t, "alice", b.user())
		require.NotEqual(t, first, b.cookie, "the cookie follows with the next request")
		require.Equal(t, 1, b.value("progress"))
	}
}

// useOn goes on with everything that a visit can do until it is told to stop.
func useOn(s *site, v *nethttp.Session, r *http.Request, w http.ResponseWriter, stop <-chan struct{}) (stored int) {
	for i := 1; ; i++ {
		err := v.Put("n", i)
		switch {
		case err == nil:
			stored = i
		case !errors.Is(err, nethttp.ErrCommitted) && !errors.Is(err, nethttp.ErrHeadersSent):
			s.t.Error(err)
		}
		_, _ = v.Get("n")
		_, _, _, _ = v.Names(), v.User(), v.ID(), v.Refusal()
		_ = v.Delete("other")
		_, _ = nethttp.From(r)
		_, _ = fmt.Fprint(w, "late")
		select {
		case <-stop:
			return stored
		default:
		}
	}
}

// TestATimedOutHandlerLosesNothingInSilence: http.TimeoutHandler gives up on
// it, inside of ours or outside, and it goes on from its goroutine.
func TestATimedOutHandlerLosesNothingInSilence(t *testing.T) {
	limit := func(next http.Handler) http.Handler {
		return http.TimeoutHandler(next, 20*time.Millisecond, "too late")
	}
	for _, inside := range []bool{true, false} {
		ended := make(chan bool, 8)
		o := setup{inside: limit, outside: telling(ended)}
		if !inside {
			o = setup{outside: func(next http.Handler) http.Handler { return limit(telling(ended)(next)) }}
		}
		s := open(t, o)
		b := s.browser()
		b.login("alice")
		await(t, ended)
		await(t, ended)
		stop, stored := make(chan struct{}), make(chan int, 1)
		a := b.get(func(w http.ResponseWriter, r *http.Request) {
			v, err := nethttp.From(r)
			if err = errors.Join(err, v.Put("first", 1)); s.note(err) != nil {
				t.Error(err)
			}
			last := useOn(s, v, r, w, stop)
			if err := v.Login("bob", 0); s.note(err) == nil {
				t.Error("signed in, and nobody will know")
			}
			stored <- last
		})
		require.Equal(t, 503, a.status)
		require.Equal(t, "too late", a.body)
		close(stop)
		last := await(t, stored)
		await(t, ended)
		require.Equal(t, "alice", b.user())
		require.Equal(t, 1, b.value("first"))
		require.Equal(t, last, b.value("n"), "inside: %v", inside)
	}
}

// TestGoroutinesOfOneHandlerShareASession, and what they do is one write.
func TestGoroutinesOfOneHandlerShareASession(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	s.counts()
	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				v, err := nethttp.From(r)
				for j := range 20 {
					err = errors.Join(err, v.Put(fmt.Sprint("value", i), j))
				}
				if s.note(err) != nil || v.User() != "alice" {
					t.Error(err)
				}
				_, _ = v.Get("value0")
				_, _ = v.Names(), fmt.Sprint(v)
			})
		}
		all.Wait()
		fmt.Fprint(w, "done")
	})
	require.Equal(t, "done", a.body)
	require.Equal(t, [3]int64{1, 1, 0}, s.counts())
	for i := range 8 {
		require.Equal(t, 19, b.value(fmt.Sprint("value", i)))
	}
}
