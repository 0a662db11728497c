package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// password is what an application keeps of alice.
type password struct {
	atomic.Value
	fails atomic.Bool
}

func newPassword() *password {
	p := new(password)
	p.Store("hash 1")
	return p
}

func (p *password) stamp() string { return p.Load().(string) }

func (p *password) ask(ctx context.Context, _, user string) (string, error) {
	if _, err := nethttp.FromContext(ctx); !errors.Is(err, nethttp.ErrNoHandler) {
		return "", fmt.Errorf("the function was given the session: %v", err)
	}
	if p.fails.Load() {
		return "", fmt.Errorf("the table of users does not answer: %w", core.ErrExpired)
	}
	return p.stamp(), nil
}

func (p *password) enter(b *browser) {
	b.s.t.Helper()
	require.Equal(b.s.t, 200, b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		return v.LoginWith("alice", hosts.Login{Stamp: core.NewSecret(p.stamp()), Methods: []string{"pwd"}})
	}).status)
}

const changedText = "Session ended - the password or the rights of this account were changed"

func TestAChangedPasswordOverHTTP(t *testing.T) {
	p := newPassword()
	s := open(t, setup{Config: hosts.Config{Credentials: p.ask}})
	own, phone := s.browser(), s.browser()
	p.enter(own)
	p.enter(phone)
	for range 2 {
		require.Equal(t, "hello alice", s.private(phone).body)
	}
	a := own.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		p.Store("hash 2")
		return v.RenewWith("hash 2")
	})
	require.Equal(t, 200, a.status)
	require.Equal(t, "hello alice", s.private(own).body)
	requireUnauthorized(t, s.private(phone), "credentials_changed", changedText)
	requireUnauthorized(t, s.private(phone), "credentials_changed", changedText)
	require.Equal(t, "hello alice", s.private(own).body)

	// Between the check and the commit: the error page, and nothing is stored.
	a = own.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		p.Store("hash 3")
		return v.Put("n", 1)
	})
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Contains(t, a.body, "please sign in anew. Nothing of this request was stored.")
	requireUnauthorized(t, s.private(own), "credentials_changed", changedText)

	p.enter(own)
	p.fails.Store(true)
	a = s.private(own)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Contains(t, a.body, "It cannot be checked at the moment")
	require.NotContains(t, s.log.String(), "hash 3")
	require.Contains(t, s.log.String(), "the table of users does not answer")
	p.fails.Store(false)
	require.Equal(t, "hello alice", s.private(own).body)

	a = s.browser().get(func(w http.ResponseWriter, r *http.Request) {
		s.mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, v *nethttp.Session) error { return v.Login("alice", 0) }).ServeHTTP(w, r)
	})
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Contains(t, s.log.String(), "call LoginWith with hosts.Login{Stamp: core.NewSecret(...)}")
}

// A session of a cache is checked like any other, and a cached record, which may be
// older than what a sibling has stored, ends nothing.
func TestCredentialsOverACache(t *testing.T) {
	p := newPassword()
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, memory.Close()) })
	store := &marked{Store: memory}
	server := func() *hosts.Manager {
		cache, err := cachestore.NewCached(store, cachestore.CachedOptions{MaxBytes: 1 << 20})
		require.NoError(t, err)
		m, err := hosts.New(cache, hosts.Config{Key: siteKey, NoCleanup: true, Credentials: p.ask, Owned: cache})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		return m
	}
	one, two := server(), server()
	cookie := func(m *hosts.Manager, cookie string, do func(v *nethttp.Session) error) (string, *http.Response) {
		mw, err := nethttp.New(m, nethttp.Options{})
		require.NoError(t, err)
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "https://shop.example/", nil)
		r.Header.Set("Cookie", cookie)
		mw.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, v *nethttp.Session) error {
			if do != nil {
				return do(v)
			}
			if v.User() == "" {
				return nethttp.ErrNotSignedIn
			}
			return nil
		}).ServeHTTP(w, r)
		if set := w.Result().Cookies(); len(set) > 0 {
			cookie = set[0].Name + "=" + set[0].Value
		}
		return cookie, w.Result()
	}
	enter := func(v *nethttp.Session) error {
		return v.LoginWith("alice", hosts.Login{Stamp: core.NewSecret(p.stamp())})
	}
	own, _ := cookie(one, "", enter)
	phone, _ := cookie(two, "", enter)
	require.Eventually(t, func() bool {
		_, a := cookie(two, phone, nil)
		_, b := cookie(two, own, nil)
		before := store.loads.Load()
		_, c := cookie(two, phone, nil)
		require.Equal(t, []int{200, 200, 200}, []int{a.StatusCode, b.StatusCode, c.StatusCode})
		return store.loads.Load() == before
	}, 10*time.Second, time.Millisecond, "reads ask no store")
	renewed, a := cookie(one, own, func(v *nethttp.Session) error { p.Store("hash 2"); return v.RenewWith("hash 2") })
	require.Equal(t, 200, a.StatusCode)
	_, a = cookie(two, phone, nil)
	require.Equal(t, 401, a.StatusCode)
	_, a = cookie(two, own, nil)
	require.Equal(t, 401, a.StatusCode, "the cookie from before, whose record was in the cache")
	for _, m := range []*hosts.Manager{one, two} {
		_, a = cookie(m, renewed, nil)
		require.Equal(t, 200, a.StatusCode, "no sibling has ended it")
	}
}

// What the check costs: no call of the store, and one allocation at most.
func TestWhatACheckCosts(t *testing.T) {
	cost := func(c hosts.Config) float64 {
		memory, err := cachestore.Open(cachestore.Options{})
		require.NoError(t, err)
		defer memory.Close()
		c.Key, c.NoCleanup, c.IdleTimeout = siteKey, true, 100*time.Hour
		m, err := hosts.New(memory, c)
		require.NoError(t, err)
		defer m.Close()
		mw, err := nethttp.New(m, nethttp.Options{})
		require.NoError(t, err)
		w := httptest.NewRecorder()
		mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, v *nethttp.Session) error {
			return v.LoginWith("alice", hosts.Login{Stamp: core.NewSecret("hash 1"), Methods: []string{"pwd"}})
		}).ServeHTTP(w, httptest.NewRequest("GET", "https://shop.example/", nil))
		cookie := w.Result().Cookies()[0]
		page := mw.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		return fewestAllocations(func() {
			r := httptest.NewRequest("GET", "https://shop.example/", nil)
			r.AddCookie(cookie)
			w := httptest.NewRecorder()
			page.ServeHTTP(w, r)
			if w.Code != 200 {
				t.Error(w.Code)
			}
		})
	}
	ask := func(context.Context, string, string) (string, error) { return "hash 1", nil }
	plain, checked, kept := cost(hosts.Config{}), cost(hosts.Config{Credentials: ask}), cost(hosts.Config{Credentials: ask, CredentialsCache: time.Hour})
	t.Log("allocations of a read, with Require and the test's own:", plain, checked, kept)
	require.LessOrEqual(t, checked, plain+1)
	require.LessOrEqual(t, kept, plain)
}
