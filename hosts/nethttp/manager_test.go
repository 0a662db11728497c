package nethttp_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// TestTheManagersVerbsSeeTheRequestsSession: within a request there is one
// session, whoever is asked for it.
func TestTheManagersVerbsSeeTheRequestsSession(t *testing.T) {
	for _, known := range []bool{true, false} {
		s := open(t, setup{})
		b := s.browser()
		if known {
			b.put("cart", 1)
		}
		a := b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
			return errors.Join(v.Login("alice", 0), v.Put("auth", "password"))
		})
		require.Equal(t, 200, a.status)
		steps := func(ctx context.Context, v *nethttp.Session) error {
			m := s.manager
			if err := errors.Join(v.Login("alice", 0), v.Put("role", "admin")); err != nil {
				return err
			}
			_, err := v.Add("n", 1)
			n, err2 := m.GetSessionFromCookie(ctx) // stores what is pending
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			role, err := m.Get(ctx, n.ID, "role")
			if n.UserID != "alice" || n.Data["role"] != "admin" || role != "admin" || err != nil {
				t.Error(n.UserID, n.Data, role, err)
			}
			_, err = v.Add("n", 1) // pending again, beside n
			n.Data["more"] = true
			sum, err2 := m.Add(ctx, n.ID, "n", 1)
			err3 := m.Save(ctx, n)
			if sum != 3 {
				t.Error("the sum is", sum)
			}
			return errors.Join(err, err2, err3, v.Put("last", 1))
		}
		a = b.get(func(_ http.ResponseWriter, r *http.Request) {
			v, err := nethttp.FromContext(r.Context())
			if err = s.note(errors.Join(err, steps(r.Context(), v))); err != nil {
				t.Error(err)
			}
		})
		require.Equal(t, 200, a.status, a.body)
		for name, want := range map[string]any{"auth": "password", "role": "admin", "n": 3, "more": true, "last": 1} {
			require.Equal(t, want, b.value(name), name)
		}
	}
	_, err := nethttp.FromContext(t.Context())
	require.ErrorIs(t, err, nethttp.ErrNoHandler)
}

// TestAVerbEndsTheRequestsSession: what is put afterwards begins another.
func TestAVerbEndsTheRequestsSession(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	id := b.login("alice")
	a := b.get(func(_ http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		err = errors.Join(err, v.Put("lost", 1), s.manager.Destroy(r.Context(), id), v.Put("kept", 2))
		if s.note(err) != nil || v.User() != "" || !errors.Is(v.Refusal(), core.ErrEnded) {
			t.Error(err, v.User(), v.Refusal())
		}
	})
	require.Equal(t, 200, a.status)
	require.NotEqual(t, id, b.id())
	require.Equal(t, 2, b.value("kept"))
	require.Equal(t, hosts.ErrNoValue.Error(), b.value("lost"))
	_, lives := s.stored(id)
	require.False(t, lives)
}

// TestALogoutEndsEverySessionThatTheCookiesProve: a browser may send several, by
// different paths and domains, also ones that were planted.
func TestALogoutEndsEverySessionThatTheCookiesProve(t *testing.T) {
	for _, order := range [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		s := open(t, setup{})
		var browsers [3]*browser
		var ids [3]core.ID
		for i := range browsers {
			browsers[i] = s.browser()
			ids[i] = browsers[i].login([]string{"victim", "victim", "attacker"}[i])
		}
		old := browsers[1].copy()
		browsers[1].visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Renew() })
		both := s.browser()
		both.cookie = browsers[order[0]].cookie + "; " + cookieName + "=" + browsers[order[1]].cookie + "; " + cookieName + "=forged; " +
			cookieName + "=" + browsers[order[2]].cookie
		a := both.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Destroy() })
		require.Equal(t, 200, a.status)
		for _, id := range ids {
			_, lives := s.stored(id)
			require.False(t, lives)
		}
		require.ErrorIs(t, old.refusal(), core.ErrNotFound)
	}
	s := open(t, setup{})
	victim := s.browser()
	id := victim.login("victim")
	old := victim.copy()
	victim.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Renew() })
	other := s.browser()
	other.login("attacker")
	other.cookie += "; " + cookieName + "=" + old.cookie
	other.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Destroy() })
	_, lives := s.stored(id)
	require.True(t, lives, "a superseded cookie proves nothing")
}

// TestCrossSiteRequests: where the browser has left the cookie out, reads
// render, a login is allowed, and no other session begins.
func TestCrossSiteRequests(t *testing.T) {
	page := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	frame := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}}
	fetch := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}}
	own := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	for _, c := range []struct {
		what   string
		site   core.SameSite
		method string
		header http.Header
		status int
	}{
		{"a form of another site", core.SameSiteLax, "POST", page, 403},
		{"a link of another site", core.SameSiteLax, "GET", page, 200},
		{"a link, where not even links bring the cookie", core.SameSiteStrict, "GET", page, 403},
		{"a frame", core.SameSiteLax, "GET", frame, 403},
		{"a script of another site", core.SameSiteLax, "GET", fetch, 403},
		{"this site", core.SameSiteStrict, "POST", own, 200},
		{"nobody says", core.SameSiteStrict, "POST", nil, 200},
	} {
		s := open(t, setup{Config: hosts.Config{SameSite: c.site}})
		b := s.browser()
		b.header = c.header
		put := s.with(func(v *nethttp.Session, _ http.ResponseWriter) error {
			if barred := errors.Is(v.Refusal(), core.ErrCrossSite); barred != (c.status == 403) {
				t.Error(c.what, v.Refusal())
			}
			return v.Put("n", 1)
		})
		a := b.send(t.Context(), c.method, put)
		require.Equal(t, c.status, a.status, c.what)
		require.Equal(t, c.status == 200, len(a.ours()) > 0, c.what)
		b = s.browser()
		b.header = c.header
		a = b.send(t.Context(), c.method, s.with(func(v *nethttp.Session, _ http.ResponseWriter) error { _ = v.Names(); return nil }))
		require.Equal(t, 200, a.status, c.what)
		a = b.send(t.Context(), c.method, s.with(func(v *nethttp.Session, _ http.ResponseWriter) error {
			return errors.Join(v.Put("n", 1), v.Login("alice", 0))
		}))
		require.Equal(t, 200, a.status, c.what)
		require.NotEmpty(t, a.ours(), c.what)
		require.Equal(t, 200, b.send(t.Context(), c.method, put2(s)).status, "with its cookie it is a session like any other")
	}
}

func put2(s *site) http.HandlerFunc {
	return s.with(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Put("n", 2) })
}

// TestSecureFollowsTheRequest: a program that serves HTTP, and HTTPS behind a
// trusted proxy.
func TestSecureFollowsTheRequest(t *testing.T) {
	memory := open(t, setup{}).memory
	m, err := hosts.New(memory, hosts.Config{Key: siteKey, SecureByRequest: true, NoCleanup: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	for _, https := range []bool{true, false} {
		var set []string
		x := m.Attach(&hosts.Request{HTTPS: https, Reply: func(field, value string) error {
			if field == "Set-Cookie" {
				set = append(set, value)
			}
			return nil
		}})
		n, err := m.Login(x, "alice", 30*24*time.Hour)
		require.NoError(t, err)
		require.NoError(t, m.SetCookie(x, n))
		require.NoError(t, m.ClearCookie(x))
		require.NoError(t, m.Destroy(x, n.ID))
		require.Len(t, set, 4)
		for _, f := range set {
			require.Equal(t, https, strings.Contains(f, "; Secure"), f)
		}
	}
}
