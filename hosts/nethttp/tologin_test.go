package nethttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

const chromeAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

// A kind of answer to who is not signed in.
const (
	script = "401"
	page   = "303"
	htmx   = "HX-Redirect"
)

// refused are requests of clients, as fields of their header, what they get and
// where they come back to.
var refused = []struct {
	client, method, target string
	fields                 []string // name, value, ...
	answer, returnTo       string
}{
	{"browser", "GET", "/account?tab=2", []string{"Sec-Fetch-Mode", "navigate", "Accept", chromeAccept}, page, "/account?tab=2"},
	{"browser", "HEAD", "/account", []string{"Sec-Fetch-Mode", "navigate"}, page, "/account"},
	{"browser without HTTPS", "GET", "/account", []string{"Accept", chromeAccept}, page, "/account"},
	{"browser in a frame", "GET", "/account", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, page, "/account"},
	{"XHTML", "GET", "/account", []string{"Accept", "application/xhtml+xml, */*;q=0.1"}, page, "/account"},
	{"path that a router takes for another", "GET", "//evil.example/a", []string{"Sec-Fetch-Mode", "navigate"}, page, ""},
	{"long path", "GET", "/" + strings.Repeat("x", nethttp.MaxReturnTo), []string{"Sec-Fetch-Mode", "navigate"}, page, ""},
	{"form", "POST", "/order", []string{"Sec-Fetch-Mode", "navigate", "Referer", "https://app.example/cart?a=1#b"}, page, "/cart?a=1"},
	{"form behind a proxy that changes Host", "POST", "/order", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-origin", "Referer", "https://www.example/cart"}, page, "/cart"},
	{"form of another site", "POST", "/order", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site", "Referer", "https://evil.example/cart"}, page, ""},
	{"form without Referer", "POST", "/order", []string{"Sec-Fetch-Mode", "navigate"}, page, ""},
	{"form with half a Referer", "POST", "/order", []string{"Sec-Fetch-Mode", "navigate", "Referer", "https://app.example//evil.example"}, page, ""},
	{"form with no Referer at all", "POST", "/order", []string{"Sec-Fetch-Mode", "navigate", "Referer", ":%"}, page, ""},

	{"fetch", "GET", "/api", []string{"Sec-Fetch-Mode", "cors", "Accept", chromeAccept}, script, ""},
	{"fetch of the same origin", "GET", "/api", []string{"Sec-Fetch-Mode", "same-origin", "Accept", "text/html"}, script, ""},
	{"image", "GET", "/api", []string{"Sec-Fetch-Mode", "no-cors", "Accept", "image/*"}, script, ""},
	{"WebSocket", "GET", "/api", []string{"Sec-Fetch-Mode", "websocket", "Accept", chromeAccept}, script, ""},
	{"curl", "GET", "/api", []string{"Accept", "*/*"}, script, ""},
	{"nothing said", "GET", "/api", nil, script, ""},
	{"JSON first", "GET", "/api", []string{"Accept", "application/json, text/html"}, script, ""},
	{"JSON preferred", "GET", "/api", []string{"Accept", "text/html;q=0.5, application/json"}, script, ""},
	{"HTML refused", "GET", "/api", []string{"Accept", "text/html;q=0, */*"}, script, ""},
	{"no quality", "GET", "/api", []string{"Accept", "text/html;q=x, text/html;q=NaN, text/html;q=-1"}, script, ""},
	{"too good a quality", "GET", "/api", []string{"Accept", "text/html;q=7, */*;q=0.1"}, script, ""},
	{"jQuery", "GET", "/api", []string{"Accept", "text/html, */*; q=0.01", "X-Requested-With", "XMLHttpRequest"}, script, ""},
	{"program that posts", "POST", "/api", []string{"Accept", chromeAccept}, script, ""},

	{"htmx 2", "GET", "/part", []string{"HX-Request", "true", "Sec-Fetch-Mode", "cors", "HX-Current-URL", "https://app.example/inbox?x=1"}, htmx, "/inbox?x=1"},
	{"htmx 4", "GET", "/part", []string{"HX-Request", "true", "Accept", "text/html", "HX-Current-URL", "https://APP.example/inbox"}, htmx, "/inbox"},
	{"htmx posts", "POST", "/part", []string{"HX-Request", "true", "HX-Current-URL", "https://app.example/inbox"}, htmx, "/inbox"},
	{"htmx on a page that is told by Referer", "DELETE", "/part", []string{"HX-Request", "true", "Referer", "https://app.example/inbox"}, htmx, "/inbox"},
	{"htmx of another origin", "GET", "/part", []string{"HX-Request", "true", "HX-Current-URL", "https://evil.example/inbox"}, htmx, ""},
	{"htmx with a script for a page", "GET", "/part", []string{"HX-Request", "true", "HX-Current-URL", "javascript:alert(1)"}, htmx, ""},
	{"boosted link", "GET", "/account?a=1", []string{"HX-Request", "true", "HX-Boosted", "true", "HX-Current-URL", "https://app.example/inbox"}, htmx, "/account?a=1"},
	{"boosted form", "POST", "/order", []string{"HX-Request", "true", "HX-Boosted", "true", "HX-Current-URL", "https://app.example/inbox"}, htmx, "/inbox"},
	{"htmx that goes back", "GET", "/account", []string{"HX-Request", "true", "HX-History-Restore-Request", "true", "HX-Current-URL", "https://app.example/inbox"}, page, "/account"},
	{"not htmx", "GET", "/account", []string{"HX-Request", "false", "Accept", "*/*"}, script, ""},
}

func TestToLogin(t *testing.T) {
	for _, c := range refused {
		t.Run(c.client, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "/", nil)
			r.Host, r.RequestURI = "app.example", c.target
			for i := 0; i < len(c.fields); i += 2 {
				r.Header.Set(c.fields[i], c.fields[i+1])
			}
			w := httptest.NewRecorder()
			sent := nethttp.ToLogin(w, r, "/login?lang=de", nethttp.ErrNotSignedIn)
			require.Equal(t, c.answer != script, sent)
			require.Equal(t, []string{"HX-Request"}, w.Header()["Vary"])
			if !sent {
				require.Len(t, w.Header(), 1, "the answer is whoever asks's")
				return
			}
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			to := w.Header().Get("Location")
			if c.answer == htmx {
				require.Equal(t, http.StatusNoContent, w.Code)
				require.Empty(t, to)
				to = w.Header().Get("HX-Redirect")
			} else {
				require.Equal(t, http.StatusSeeOther, w.Code)
				require.Empty(t, w.Header().Get("HX-Redirect"))
			}
			u, err := url.Parse(to)
			require.NoError(t, err)
			require.Equal(t, "/login", u.Path)
			q := u.Query()
			require.Equal(t, "de", q.Get("lang"))
			require.Equal(t, c.returnTo, q.Get("return_to"))
			require.Equal(t, c.returnTo != "", q.Has("return_to"))
			require.False(t, q.Has("reason"), "there was no session")
		})
	}
}

// A request that was not read from a connection, as some middlewares make them.
func TestRequestWithoutTarget(t *testing.T) {
	r := &http.Request{Method: "GET", URL: &url.URL{Path: "/a b", RawQuery: "c=d"}, Header: http.Header{}}
	require.Equal(t, "/login?return_to=%2Fa%2520b%3Fc%3Dd", nethttp.LoginURL("/login", r, nil))
}

// TestLoginReason: each reason arrives in the words of Explain, and nothing else does.
func TestLoginReason(t *testing.T) {
	said := func(login string) string { return nethttp.LoginReason(httptest.NewRequest("GET", login, nil)) }
	n := 0
	for reason := core.ReasonNone; ; reason++ {
		err := core.NewRefusal(reason, false, "detail")
		if err == nil {
			break
		}
		want := nethttp.Explain(err)
		if reason == core.ReasonNone {
			want = ""
		}
		require.Equal(t, want, said(nethttp.LoginURL("/login", httptest.NewRequest("GET", "/a", nil), fmt.Errorf("around: %w", err))), reason)
		n++
	}
	require.Greater(t, n, 15)
	require.Equal(t, "Session timeout due to inactivity", said("/login?reason=idle"))
	for _, none := range []string{"/login", "/login?reason=", "/login?reason=none", "/login?reason=unlisted", "/login?reason=IDLE", "/login?reason=Call+555-1234", "/login?reason=%zz"} {
		require.Empty(t, said(none), none)
	}
	require.Equal(t, "%", nethttp.LoginURL("%", httptest.NewRequest("GET", "/a", nil), nil), "as given where it is no URL")
}

func TestLoginPath(t *testing.T) {
	s := open(t, setup{Options: nethttp.Options{LoginPath: "/login?from=here"}})
	b := s.browser()
	b.header.Set("Sec-Fetch-Mode", "navigate")
	a := s.private(b)
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Regexp(t, `^/login\?from=here&return_to=%2F\d+$`, a.header.Get("Location"))
	require.ElementsMatch(t, []string{"HX-Request", "Cookie"}, a.header["Vary"])
	require.Empty(t, a.ours(), "who is sent away gets no session")

	b.login("alice")
	require.Equal(t, "hello alice", s.private(b).body)
	require.NoError(t, s.manager.Destroy(t.Context(), b.id()))
	require.Contains(t, s.private(b).header.Get("Location"), "reason=unknown_session")
	b.header.Set("HX-Request", "true")
	require.Contains(t, s.private(b).header.Get("HX-Redirect"), "reason=unknown_session")

	b = s.browser()
	b.header.Set("Sec-Fetch-Mode", "cors")
	a = s.private(b)
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, "{\"error\":\"Authentication required\",\"reason\":\"none\"}\n", a.body)
	require.ElementsMatch(t, []string{"HX-Request", "Cookie"}, a.header["Vary"])
}

// TestLoginPageBehindRequire is told, rather than sending browsers in circles.
func TestLoginPageBehindRequire(t *testing.T) {
	s := open(t, setup{Options: nethttp.Options{LoginPath: "/login"}})
	for _, target := range []string{"/login", "/login?return_to=%2Fa"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", target, nil)
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		s.mw.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		require.Equal(t, http.StatusInternalServerError, w.Code)
	}
	require.Contains(t, s.log.String(), "the login page itself requires a login")
}

func TestRefusedLoginPaths(t *testing.T) {
	s := open(t, setup{})
	bad := []string{"login", "//evil.example/login", "https://app.example/login", "/login#form", "/a/../login", " /login", "/login\n"}
	for _, path := range bad {
		_, err := nethttp.New(s.manager, nethttp.Options{LoginPath: path})
		refused, ok := errors.AsType[*hosts.ConfigError](err)
		require.True(t, ok, path)
		require.Equal(t, "LoginPath", refused.Field)
		require.Equal(t, path, refused.Value)
	}
	for _, path := range []string{"/login", "/", "/en/login/?x=1"} {
		_, err := nethttp.New(s.manager, nethttp.Options{LoginPath: path})
		require.NoError(t, err, path)
	}
}

// TestHandlerFuncSendsToLogin: a handler that finds out by itself is answered as
// by Require, also after the session that there was.
func TestHandlerFuncSendsToLogin(t *testing.T) {
	s := open(t, setup{Options: nethttp.Options{LoginPath: "/login"}})
	h := s.mw.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, v *nethttp.Session) error {
		if v.User() == "" {
			return fmt.Errorf("order: %w", nethttp.ErrNotSignedIn)
		}
		return nil
	}).ServeHTTP
	b := s.browser()
	b.header.Set("Sec-Fetch-Mode", "navigate")
	require.Regexp(t, `^/login\?return_to=%2F\d+$`, b.get(h).header.Get("Location"))
	b.login("alice")
	require.Equal(t, 200, b.get(h).status)
	require.NoError(t, s.manager.Destroy(t.Context(), b.id()))
	require.Contains(t, b.get(h).header.Get("Location"), "reason=unknown_session")
}
