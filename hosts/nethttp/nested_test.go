package nethttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// TestASecondHandlerDoesNothing, be it of the same host or of another one over
// the same manager.
func TestASecondHandlerDoesNothing(t *testing.T) {
	s := open(t, setup{})
	other, err := nethttp.New(s.manager, nethttp.Options{})
	require.NoError(t, err)
	b := s.browser()
	b.put("n", 1)
	s.counts()
	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		outer, err := nethttp.From(r)
		if s.note(err) != nil {
			t.Error(err)
		}
		inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v, err := nethttp.From(r)
			if s.note(err) != nil || v != outer || v.Login("alice", 0) != nil || v.Put("n", 2) != nil {
				t.Error("another session inside", err)
			}
		})
		s.mw.Handler(other.Handler(inner)).ServeHTTP(w, r)
		s.mw.Require(other.Require(inner)).ServeHTTP(w, r)
		if s.mw.Request(w, r) != other.Request(w, r) {
			t.Error("another request inside")
		}
	})
	require.Equal(t, [3]int64{1, 1, 0}, s.counts())
	require.Len(t, a.ours(), 1)
	require.Equal(t, []string{"Cookie"}, a.header["Vary"])
	require.Equal(t, 2, b.value("n"))
}

// TestTwoManagersShareARequest, with a cookie each, and one can fail alone.
func TestTwoManagersShareARequest(t *testing.T) {
	staff := hostNamed(t, "staff", nethttp.Options{})
	s := open(t, setup{inside: staff.Handler})
	var sent []*http.Cookie
	ask := func(f func(mine, theirs *nethttp.Session) error) *http.Response {
		path := fmt.Sprint("/", s.number.Add(1))
		s.routes.Store(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mine, err := s.mw.From(r)
			if s.note(err) != nil {
				t.Error(err)
			}
			theirs, err := staff.From(r)
			if s.note(err) != nil {
				t.Error(err)
			}
			if innermost, _ := nethttp.From(r); innermost != theirs || mine == theirs {
				t.Error("the sessions are mixed up")
			}
			if err := f(mine, theirs); s.note(err) != nil {
				t.Error(err)
			}
			fmt.Fprint(w, mine.User(), " ", theirs.User())
		}))
		req, err := http.NewRequest("GET", s.server.URL+path, nil)
		require.NoError(t, err)
		for _, c := range sent {
			req.AddCookie(c)
		}
		resp, err := s.server.Client().Transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp
	}
	resp := ask(func(mine, theirs *nethttp.Session) error {
		if err := theirs.Login("operator", 0); err != nil {
			return err
		}
		return mine.Login("alice", 0)
	})
	require.Len(t, resp.Cookies(), 2)
	require.Equal(t, []string{"Cookie"}, resp.Header["Vary"])
	sent = resp.Cookies()
	resp = ask(func(mine, theirs *nethttp.Session) error {
		require.Equal(t, "alice", mine.User())
		require.Equal(t, "operator", theirs.User())
		return theirs.Destroy()
	})
	require.Len(t, resp.Cookies(), 1)
	require.Equal(t, "staff", resp.Cookies()[0].Name)

	s.faults(commitFaults["down"])
	resp = ask(func(mine, theirs *nethttp.Session) error { return mine.Put("n", 1) })
	require.Equal(t, 503, resp.StatusCode)
	s.mend()
	resp = ask(func(mine, theirs *nethttp.Session) error {
		require.Equal(t, "alice", mine.User())
		require.Empty(t, theirs.User())
		return nil
	})
	require.Equal(t, 200, resp.StatusCode)
}

// TestATenantsCookieIsRefusedElsewhere, and its session is not found by its ID.
func TestATenantsCookieIsRefusedElsewhere(t *testing.T) {
	s := open(t, setup{Options: nethttp.Options{Tenant: func(r *http.Request) string {
		return strings.TrimSuffix(r.Header.Get("X-Host"), ".example.com")
	}}})
	a := s.browser()
	a.tenant = "a"
	a.header.Set("X-Host", "a.example.com")
	a.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Login("alice", 0) })
	id := a.id()
	require.False(t, id.IsZero())
	a.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { require.Equal(t, "a", v.Tenant()); return nil })

	b := a.copy()
	b.tenant = "b"
	b.header.Set("X-Host", "b.example.com")
	requireUnauthorized(t, s.private(b), "not_authentic", required)
	s.counts()
	require.Equal(t, 200, b.put("n", 1).status)
	require.Equal(t, [3]int64{0, 1, 0}, s.counts(), "a foreign cookie costs no store call")
	var errs []error
	b.get(func(_ http.ResponseWriter, r *http.Request) {
		m, ctx := s.mw.Manager(), r.Context()
		_, err := m.Load(ctx, id)
		errs = append(errs, s.note(err), s.note(m.Destroy(ctx, id)), s.note(m.Set(ctx, id, "n", 2)))
	})
	require.Len(t, errs, 3)
	for _, err := range errs {
		require.ErrorContains(t, err, "another tenant")
	}
	a.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { require.Equal(t, "alice", v.User()); return nil })
}

// TestVerbsOfTheManagerInAHandler go by the same session as the handler.
func TestVerbsOfTheManagerInAHandler(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		m := hosts.RequestFrom(r.Context()).Manager()
		session, err := m.Create(r.Context())
		if err == nil {
			session.Data["n"] = 1
			err = m.Save(r.Context(), session)
		}
		if err == nil {
			err = m.SetCookie(r.Context(), session)
		}
		if s.note(err) != nil {
			t.Error(err)
		}
		fmt.Fprint(w, "page")
		if s.note(m.SetCookie(r.Context(), session)) == nil {
			t.Error("a cookie was set after the first byte")
		}
	})
	require.Len(t, a.ours(), 1)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, 1, b.value("n"))

	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	w.Header().Set("Cache-Control", "public")
	http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
	x := s.mw.Request(w, r)
	_, err := s.manager.Login(x, "alice", 0)
	require.NoError(t, err)
	x.Close()
	require.Len(t, w.Header()["Set-Cookie"], 2, "without a Handler")
	require.Equal(t, []string{"no-store"}, w.Header()["Cache-Control"])
}
