package nethttp_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

func TestWhoNeverAsksPaysNothing(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	s.counts()
	a := b.get(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "static") })
	require.Equal(t, "static", a.body)
	require.Equal(t, [3]int64{}, s.counts())
	require.Empty(t, a.header["Vary"])
	require.Empty(t, a.header["Set-Cookie"])
	require.Empty(t, a.header["Cache-Control"])
}

func TestAReadIsOneLoadAndNothingElse(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{IdleTimeout: 30 * time.Minute}})
	b := s.browser()
	id := b.login("alice")
	before, _ := s.stored(id)
	s.counts()
	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			v, err := nethttp.From(r)
			if err != nil || v.User() != "alice" || len(v.Names()) != 0 || !v.Stored() {
				t.Error(v, err)
			}
		}
		w.Header().Set("Cache-Control", "private, max-age=60")
		fmt.Fprint(w, "page")
	})
	require.Equal(t, [3]int64{1, 0, 0}, s.counts())
	require.Equal(t, []string{"Cookie"}, a.header["Vary"])
	require.Empty(t, a.header["Set-Cookie"])
	require.Equal(t, "private, max-age=60", a.header.Get("Cache-Control"))
	after, _ := s.stored(id)
	require.Equal(t, before.Version, after.Version)

	s.clock.pass(29 * time.Minute)
	a = b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return nil })
	require.Equal(t, [3]int64{1, 1, 0}, s.counts(), "its use is noted now and then")
	require.Empty(t, a.header["Set-Cookie"], "without a cookie")
	s.clock.pass(29 * time.Minute)
	require.Equal(t, "alice", b.user())
}

func TestCrawlersStoreNothing(t *testing.T) {
	s := open(t, setup{})
	for range 20 {
		a := s.browser().visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
			if v.Stored() || !v.ID().IsZero() {
				t.Error("a crawler has a session")
			}
			_ = v.Delete("cart")
			_ = v.Clear()
			_ = v.Refresh()
			return v.Renew()
		})
		require.Empty(t, a.header["Set-Cookie"])
		require.Equal(t, []string{"Cookie"}, a.header["Vary"])
	}
	require.Equal(t, [3]int64{}, s.counts())
	require.Empty(t, s.all())
}

func TestManyChangesAreOneWrite(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.put("first", 1)
	s.counts()
	a := b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		for i := range 10 {
			if err := v.Put(fmt.Sprint("n", i), i); err != nil {
				return err
			}
		}
		_ = v.Delete("first")
		return v.Login("alice", time.Hour)
	})
	require.Equal(t, [3]int64{1, 1, 0}, s.counts())
	require.Len(t, a.ours(), 1)
	require.Equal(t, 9, b.value("n9"))

	s.counts()
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		if err := v.Put("n9", 10); err != nil {
			return err
		}
		return v.Put("n9", 9)
	})
	require.Equal(t, [3]int64{1, 0, 0}, s.counts(), "back to what it was is no change")
}

func TestVaryIsAppendedOnce(t *testing.T) {
	s := open(t, setup{})
	for _, c := range []struct{ before, after []string }{
		{nil, []string{"Cookie"}},
		{[]string{"Accept-Encoding"}, []string{"Accept-Encoding", "Cookie"}},
		{[]string{"Accept, cookie"}, []string{"Accept, cookie"}},
		{[]string{"Accept", "Origin, COOKIE"}, []string{"Accept", "Origin, COOKIE"}},
		{[]string{"*"}, []string{"*"}},
		{[]string{"Cookies"}, []string{"Cookies", "Cookie"}},
	} {
		a := s.browser().visit(func(_ *nethttp.Session, w http.ResponseWriter) error {
			w.Header()["Vary"] = c.before
			return nil
		})
		require.Equal(t, c.after, a.header["Vary"])
	}
	a := s.browser().get(func(_ http.ResponseWriter, r *http.Request) {
		_, err := hosts.RequestFrom(r.Context()).Manager().GetSessionFromCookie(r.Context())
		if s.note(err) == nil {
			t.Error("a session from nothing")
		}
	})
	require.Equal(t, []string{"Cookie"}, a.header["Vary"], "the manager's verbs depend on it too")
}

// TestNoCacheKeepsACookie: whatever the handler says, and whenever it says it.
func TestNoCacheKeepsACookie(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	public := func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "public, max-age=3600") }
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error { public(w); return v.Login("alice", 0) })
	require.Equal(t, []string{"no-store"}, a.header["Cache-Control"])
	a = b.visit(func(v *nethttp.Session, w http.ResponseWriter) error { defer public(w); return v.Destroy() })
	require.Len(t, a.ours(), 1)
	require.Equal(t, []string{"no-store"}, a.header["Cache-Control"])
}

func TestOtherCookiesStay(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		if err := v.Login("alice", 0); err != nil {
			return err
		}
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: "de"})
		return nil
	})
	require.Len(t, a.header["Set-Cookie"], 3)
	require.Equal(t, []string{"theme=dark", "lang=de"}, a.header["Set-Cookie"][:2])
	require.Equal(t, "alice", b.user())
	a = b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		err := v.Destroy()
		w.Header()["Set-Cookie"] = []string{"theme=light"} // as http.TimeoutHandler does
		return err
	})
	require.Len(t, a.header["Set-Cookie"], 2)
	require.Empty(t, b.cookie)
}

// TestOneCookieForEachScope: sign in, out and in again leaves the last word.
func TestOneCookieForEachScope(t *testing.T) {
	former := hosts.Config{FormerScopes: []core.Scope{{Path: "/app"}, {Path: "/", Domain: "example.com"}}}
	s := open(t, setup{Config: former})
	b := s.browser()
	a := b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		for _, user := range []string{"alice", "bob", "carol"} {
			if err := v.Login(user, 0); err != nil {
				return err
			}
			if user != "carol" {
				if err := v.Destroy(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	fields := a.ours()
	require.Len(t, fields, 3)
	for _, f := range fields {
		former := strings.Contains(f, "Path=/app") || strings.Contains(f, "Domain=example.com")
		require.Equal(t, former, strings.HasPrefix(f, cookieName+"=;"), f)
	}
	require.Len(t, s.all(), 1)
	b.cookie = strings.TrimPrefix(strings.SplitN(fields[0], ";", 2)[0], cookieName+"=")
	require.Equal(t, "carol", b.user())
	a = b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		_ = v.Login("carol", 0)
		return v.Destroy()
	})
	require.Len(t, a.ours(), 3)
	for _, f := range a.ours() {
		require.Contains(t, f, "Max-Age=0")
	}
	require.Empty(t, s.all())
}
