package nethttp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// TestDiscardDropsWhatIsNotStored, whatever it was, and nothing else.
func TestDiscardDropsWhatIsNotStored(t *testing.T) {
	for name, change := range map[string]func(v *nethttp.Session) error{
		"nothing":        func(*nethttp.Session) error { return nil },
		"put":            func(v *nethttp.Session) error { return v.Put("n", 2) },
		"add":            func(v *nethttp.Session) error { _, err := v.Add("n", 1); return err },
		"delete":         func(v *nethttp.Session) error { return v.Delete("n") },
		"clear":          (*nethttp.Session).Clear,
		"renew":          (*nethttp.Session).Renew,
		"refresh":        (*nethttp.Session).Refresh,
		"same user":      func(v *nethttp.Session) error { return v.Login("alice", 0) },
		"another user":   func(v *nethttp.Session) error { return v.Login("bob", 0) },
		"login and more": func(v *nethttp.Session) error { return errors.Join(v.Login("bob", 0), v.Put("n", 2)) },
		"update": func(v *nethttp.Session) error {
			return v.Update("n", func(any, bool) (any, error) { return 1, nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, setup{})
			for _, known := range []bool{true, false} {
				b := s.browser()
				if known {
					b.login("alice")
					b.put("n", 1)
				}
				id, cookie, stored := b.id(), b.cookie, len(s.all())
				a := b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
					return errors.Join(change(v), v.Discard())
				})
				require.Empty(t, a.ours())
				require.Equal(t, cookie, b.cookie)
				require.Equal(t, id, b.id())
				require.Len(t, s.all(), stored)
				a = b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
					return errors.Join(change(v), v.Discard(), v.Put("flash", "failed"))
				})
				require.Equal(t, known, len(a.ours()) == 0)
				require.Equal(t, "failed", b.value("flash"))
				if known {
					require.Equal(t, 1, b.value("n"))
					require.Equal(t, "alice", b.user())
				} else {
					require.Equal(t, hosts.ErrNoValue.Error(), b.value("n"))
				}
			}
		})
	}
}

// TestDiscardLetsALoginFollow, with its cookie.
func TestDiscardLetsALoginFollow(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	before := b.cookie
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		return errors.Join(v.Put("n", 1), v.Discard(), v.Login("alice", 0))
	})
	require.NotEqual(t, before, b.cookie)
	require.Equal(t, "alice", b.user())
}

// TestDiscardForgetsTheFunctionsOfUpdates, which a conflict would run again.
func TestDiscardForgetsTheFunctionsOfUpdates(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	b.put("n", 1)
	other := s.browser()
	other.cookie = b.cookie
	add := func(n int) hosts.UpdateFunc {
		return func(old any, _ bool) (any, error) { return old.(int) + n, nil }
	}
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		err := errors.Join(v.Update("n", add(100)), v.Discard(), v.Update("n", add(1)))
		other.put("n", 10)
		return err
	})
	require.Equal(t, 11, b.value("n"))
}

// TestDiscardKeepsWhatActedAtOnce.
func TestDiscardKeepsWhatActedAtOnce(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	id := b.login("alice")
	b.put("flash", "once")
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		_, err := v.Take("flash")
		return errors.Join(err, v.Put("n", 1), v.Discard())
	})
	require.Equal(t, hosts.ErrNoValue.Error(), b.value("flash"))
	require.Equal(t, hosts.ErrNoValue.Error(), b.value("n"))

	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		return errors.Join(v.Destroy(), v.Put("n", 1), v.Discard())
	})
	require.Empty(t, b.cookie)
	_, lives := s.stored(id)
	require.False(t, lives)
	require.Empty(t, s.all())

	a := b.get(func(_ http.ResponseWriter, r *http.Request) { // a verb of the manager signs in
		_, err := s.manager.Login(r.Context(), "bob", 0)
		v, missing := nethttp.From(r)
		require.NoError(t, errors.Join(err, missing, v.Put("n", 1), v.Discard(), v.Put("flash", "failed")))
	})
	require.Len(t, a.ours(), 1)
	require.Equal(t, "bob", b.user())
	require.Equal(t, "failed", b.value("flash"))
	require.Equal(t, hosts.ErrNoValue.Error(), b.value("n"))
}

// TestDiscardWithoutAStore leaves a session that stores nothing.
func TestDiscardWithoutAStore(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		err := v.Put("n", 1)
		s.faults(always(conformance.Load, conformance.Fail))
		for _, failed := range []error{v.Discard(), v.Put("n", 2), v.Login("bob", 0)} {
			if !errors.Is(failed, hosts.ErrUnavailable) {
				t.Error(failed)
			}
		}
		s.mend()
		_, answered := io.WriteString(w, "sorry")
		return errors.Join(err, answered)
	})
	require.Equal(t, "sorry", a.body)
	require.Equal(t, "alice", b.user())
	require.Equal(t, hosts.ErrNoValue.Error(), b.value("n"))
}

// TestDiscardComesTooLate once the answer has begun: what was changed is stored.
func TestDiscardComesTooLate(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		err := v.Put("n", 1)
		w.WriteHeader(http.StatusOK)
		return errors.Join(err, v.Put("m", 1), v.Discard())
	})
	require.Equal(t, 1, b.value("n"))
	require.Equal(t, 1, b.value("m"))
}

// TestReject tells whose an error is, and logs faults of the program alone.
func TestReject(t *testing.T) {
	own := errors.New("no tea")
	for _, c := range []struct {
		err          error
		status       int
		ours, logged bool
		kept         bool
	}{
		{err: own, status: 500},
		{err: core.ErrType, status: 500, ours: true, logged: true},
		{err: nethttp.ErrCommitted, status: 500, ours: true, logged: true},
		{err: core.ErrConflict, status: 409, ours: true},
		{err: hosts.ErrBusy, status: 503, ours: true},
		{err: nethttp.ErrNotSignedIn, status: 401, ours: true, kept: true},
		{err: &nethttp.StatusError{Status: 404, Text: "No such page.", Err: own}, status: 404, ours: true},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			s := open(t, setup{})
			b := s.browser()
			b.get(func(w http.ResponseWriter, r *http.Request) {
				v, err := nethttp.From(r)
				require.NoError(t, errors.Join(err, v.Put("n", 1)))
				status, text, ours := nethttp.Reject(r.Context(), c.err)
				wanted, sentence := nethttp.Failure(c.err)
				if status != c.status || status != wanted || text != sentence || ours != c.ours {
					t.Error(status, text, ours)
				}
			})
			require.Equal(t, c.kept, len(s.all()) == 1)
			require.Equal(t, c.logged, bytes.Contains([]byte(s.log.String()), []byte("a fault of the program")))
		})
	}
	status, _, ours := nethttp.Reject(context.Background(), nethttp.ErrNoHandler)
	require.Equal(t, []any{500, true}, []any{status, ours})
}

// TestRejectReachesEveryManager of the request, and asks for no session.
func TestRejectReachesEveryManager(t *testing.T) {
	inner := open(t, setup{})
	outer := open(t, setup{})
	other, err := nethttp.New(must(hosts.New(inner.memory, hosts.Config{Key: siteKey, CookieName: "other", AllowInsecure: true, NoCleanup: true})), nethttp.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	b := outer.browser()
	outer.counts()
	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		require.NoError(t, errors.Join(err, v.Put("n", 1)))
		other.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _, _ = nethttp.Reject(r.Context(), io.EOF)
		})).ServeHTTP(w, r)
	})
	require.Empty(t, a.header["Set-Cookie"])
	require.Zero(t, outer.counts())
}

func must(m *hosts.Manager, err error) *hosts.Manager {
	if err != nil {
		panic(err)
	}
	return m
}

// TestAMissingMiddlewareIsLogged, once a minute however often it is met.
func TestAMissingMiddlewareIsLogged(t *testing.T) {
	nethttp.ForgetUnwrapped()
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for range 3 {
		_, err := nethttp.From(r)
		require.ErrorIs(t, err, nethttp.ErrNoHandler)
		_, err = nethttp.FromContext(r.Context())
		require.ErrorIs(t, err, nethttp.ErrNoHandler)
	}
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")))
	require.Contains(t, log.String(), "level=ERROR")
	require.Contains(t, log.String(), nethttp.ErrNoHandler.Error())
	require.Contains(t, log.String(), "requests=1")
}
