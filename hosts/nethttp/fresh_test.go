package nethttp_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }

func TestRequireFresh(t *testing.T) {
	s := open(t, setup{Config: hosts.Config{IdleTimeout: 8 * time.Hour, Lifetime: 24 * time.Hour}})
	fresh := s.mw.RequireFresh(10*time.Minute, http.HandlerFunc(hello))
	otp := s.mw.RequireMethods(http.HandlerFunc(hello), "otp")
	both := s.mw.RequireFresh(10*time.Minute, otp)
	b := s.browser()
	requireUnauthorized(t, b.get(fresh.ServeHTTP), "none", required)
	require.Equal(t, 200, b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		return v.LoginWith("alice", hosts.Login{Methods: []string{"pwd"}})
	}).status)
	require.Equal(t, "hello", b.get(fresh.ServeHTTP).body)
	requireUnauthorized(t, b.get(otp.ServeHTTP), "methods_missing", "Another proof is needed that it is you")

	s.clock.pass(10 * time.Minute)
	thief := b.copy()
	requireUnauthorized(t, b.get(fresh.ServeHTTP), "not_fresh", "Confirm that it is you")
	for _, do := range []func(v *nethttp.Session) error{(*nethttp.Session).Refresh, (*nethttp.Session).Renew,
		func(v *nethttp.Session) error { return v.Put("n", 1) }} {
		require.Equal(t, 200, b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return do(v) }).status)
		s.clock.pass(time.Hour) // a touch
		requireUnauthorized(t, b.get(fresh.ServeHTTP), "not_fresh", "Confirm that it is you")
	}

	require.Equal(t, 200, b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Confirm("otp", "hwk") }).status)
	for _, page := range []http.Handler{fresh, otp, both} {
		require.Equal(t, "hello", b.get(page.ServeHTTP).body)
		requireUnauthorized(t, thief.get(page.ServeHTTP), "superseded", "Session expired")
	}
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		require.Equal(t, []string{"hwk", "otp"}, v.Methods())
		require.Equal(t, s.clock.Now().Time(), v.ProvenAt().UTC())
		require.NotEqual(t, v.LoginAt(), v.ProvenAt())
		return nil
	})
	s.clock.pass(-2 * time.Minute) // set back
	requireUnauthorized(t, b.get(fresh.ServeHTTP), "not_fresh", "Confirm that it is you")
	s.clock.pass(2*time.Minute + 10*time.Minute)
	require.Equal(t, "hello", b.get(otp.ServeHTTP).body, "how it was does not run out")
	requireUnauthorized(t, b.get(both.ServeHTTP), "not_fresh", "Confirm that it is you")

	// The password alone does not bring back what the code had proved.
	require.Equal(t, 200, b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Confirm("pwd") }).status)
	requireUnauthorized(t, b.get(both.ServeHTTP), "methods_missing", "Another proof is needed that it is you")
}

func TestConfirmNeedsSomebody(t *testing.T) {
	s := open(t, setup{})
	s.browser().visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		require.ErrorIs(t, v.Confirm("pwd"), nethttp.ErrNotSignedIn)
		require.ErrorIs(t, v.RenewWith("1"), nethttp.ErrNotSignedIn)
		require.Zero(t, v.ProvenAt())
		require.Empty(t, v.Methods())
		return nil
	})
	require.PanicsWithValue(t, "nethttp: RequireFresh within 0s; allowed: a positive duration, such as 10 * time.Minute",
		func() { s.mw.RequireFresh(0, http.HandlerFunc(hello)) })
	require.Panics(t, func() { s.mw.RequireMethods(http.HandlerFunc(hello)) })
	require.Panics(t, func() { s.mw.RequireMethods(http.HandlerFunc(hello), "one time") })
	require.PanicsWithValue(t, `nethttp: RequireMethods ["pwd" "POST"]: POST is a method of HTTP; name how users prove who they are, such as "otp" (RFC 8176)`,
		func() { s.mw.RequireMethods(http.HandlerFunc(hello), "pwd", "POST") })
}

// People are sent to the page where they confirm who they are, and back.
func TestConfirmPath(t *testing.T) {
	s := open(t, setup{Options: nethttp.Options{LoginPath: "/login", ConfirmPath: "/confirm?way=short"}})
	b := s.browser()
	b.header.Set("Sec-Fetch-Mode", "navigate")
	page := s.mw.RequireMethods(http.HandlerFunc(hello), "otp").ServeHTTP
	sent := func() *url.URL {
		a := b.get(page)
		require.Equal(t, http.StatusSeeOther, a.status)
		to, err := url.Parse(a.header.Get("Location"))
		require.NoError(t, err)
		require.Contains(t, to.Query().Get("return_to"), "/")
		return to
	}
	require.Equal(t, "/login", sent().Path)
	b.login("alice")
	to := sent()
	require.Equal(t, "/confirm", to.Path)
	require.Equal(t, "short", to.Query().Get("way"))
	require.Equal(t, "methods_missing", to.Query().Get("reason"))
	require.Equal(t, "Another proof is needed that it is you", nethttp.LoginReason(&http.Request{URL: to}))

	b.header.Set("Sec-Fetch-Mode", "cors")
	scripted := b.get(page)
	require.Equal(t, http.StatusUnauthorized, scripted.status)
	require.Contains(t, scripted.body, `"reason":"methods_missing"`)

	a := b.get(func(w http.ResponseWriter, r *http.Request) {
		r.RequestURI = "/confirm"
		page(w, r)
	})
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Contains(t, s.log.String(), "leave the path in Options.ConfirmPath out of RequireFresh")

	_, err := nethttp.New(s.manager, nethttp.Options{ConfirmPath: "//evil.example"})
	require.ErrorContains(t, err, "ConfirmPath")
}
