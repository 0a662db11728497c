package tests

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
)

func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return jar
}

// TestStory is that of a visitor: away, signed in at the application, let through
// by Caddy, signed out at the application.
func TestStory(t *testing.T) {
	for name, store := range map[string]string{"file+shared": "file+shared:" + filepath.Join(t.TempDir(), "s"), "sqlite": "sqlite:" + filepath.Join(t.TempDir(), "s.db")} {
		t.Run(name, func(t *testing.T) {
			s := open(t, store, store)
			closed := func(path string, status int, location string) {
				t.Helper()
				a, seen := s.ask("GET", path, nil)
				require.Equal(t, status, a.StatusCode)
				require.Equal(t, location, a.Header.Get("Location"))
				require.Contains(t, a.Header.Get("Cache-Control"), "no-store")
				require.Nil(t, seen, "the application is not asked")
			}
			closed("/account/1", http.StatusUnauthorized, "")
			s.header.Set("Accept", "text/html")
			closed("/account/1?a=b", http.StatusSeeOther, "/login?return_to=%2Faccount%2F1%3Fa%3Db")
			closed("/api/1", http.StatusUnauthorized, "")
			a, seen := s.ask("GET", "/open/1", nil)
			require.Equal(t, http.StatusOK, a.StatusCode)
			require.Empty(t, seen.Get("Session-User")+seen.Get("X-User"))

			s.login("alice")
			for _, path := range []string{"/account/1", "/api/1", "/open/1"} {
				a, seen := s.ask("GET", path, nil)
				require.Equal(t, http.StatusOK, a.StatusCode, path)
				require.Contains(t, a.Header.Values("Vary"), "Cookie")
				require.Equal(t, []string{"alice"}, seen["Session-User"])
				require.Equal(t, []string{"localhost"}, seen["Session-Tenant"])
				require.Len(t, seen.Get("Session-Id"), 22)
				require.Equal(t, "alice", seen.Get("X-User"))
				require.Equal(t, "localhost", seen.Get("X-Of-Tenant"))
			}
			a, _ = s.ask("POST", "/logout", nil)
			require.Equal(t, http.StatusOK, a.StatusCode)
			closed("/api/1", http.StatusUnauthorized, "")

			s.login("jürgen 100%")
			_, seen = s.ask("GET", "/open/1", nil)
			require.Equal(t, "j%C3%BCrgen%20100%25", seen.Get("Session-User"))
		})
	}
}

// TestAnOldCookieAfterTheLogout, and one that was tampered with, open nothing.
func TestCookiesThatOpenNothing(t *testing.T) {
	store := "file+shared:" + filepath.Join(t.TempDir(), "s")
	s := open(t, store, store)
	s.login("alice")
	at, err := url.Parse(s.url)
	require.NoError(t, err)
	cookie := s.client.Jar.Cookies(at)[0]
	s.client.Jar = nil
	status := func(value string) int {
		s.header.Set("Cookie", cookie.Name+"="+value)
		a, _ := s.ask("GET", "/api/1", nil)
		return a.StatusCode
	}
	require.Equal(t, http.StatusOK, status(cookie.Value))
	for i := 0; i < len(cookie.Value); i += 7 {
		other := "A"
		if cookie.Value[i] == 'A' {
			other = "B"
		}
		require.Equal(t, http.StatusUnauthorized, status(cookie.Value[:i]+other+cookie.Value[i+1:]), i)
	}
	require.Equal(t, http.StatusUnauthorized, status(""))
	require.Equal(t, http.StatusOK, status(cookie.Value))
	_, _ = s.ask("POST", "/logout", nil)
	require.Equal(t, http.StatusUnauthorized, status(cookie.Value))
}

// TestClaimsOfAClient do not reach the application: neither of a visitor without a
// session, nor of a user who would be another one.
func TestClaimsOfAClient(t *testing.T) {
	store := "file+shared:" + filepath.Join(t.TempDir(), "s")
	s := open(t, store, store)
	for _, name := range []string{"Session-User", "Session_User", "Session.User", "Session-Tenant", "session-id", "X-Token-User", "X-Token-User-Roles",
		"Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Auth-Request-User", "X-Original-Url"} {
		s.header[name] = []string{"root"}
	}
	s.header["Connection"] = []string{"Session-User, Session-Id"}
	for range 2 {
		a, seen := s.ask("GET", "/open/1", nil)
		require.Equal(t, http.StatusOK, a.StatusCode)
		for name, values := range seen {
			require.NotContains(t, strings.Join(values, " "), "root", name)
		}
		signedIn := seen.Get("Session-User") != ""
		require.Equal(t, signedIn, seen.Get("X-User") == "alice")
		if signedIn {
			require.Equal(t, []string{"alice"}, seen["Session-User"])
			return
		}
		a, _ = s.ask("GET", "/api/1", nil)
		require.Equal(t, http.StatusUnauthorized, a.StatusCode)
		s.login("alice")
	}
	t.Error("alice is not signed in")
}

// TestAStoreThatDoesNotAnswer is a 503: nobody is let through, nobody signed out.
func TestAStoreThatDoesNotAnswer(t *testing.T) {
	server := servers.Redis(t)
	at, err := url.Parse(server)
	require.NoError(t, err)
	way, err := conformance.NewProxy(at.Host)
	require.NoError(t, err)
	t.Cleanup(func() { way.Close() })
	prefix := "/?prefix=caddy" + freePort(t) + ":"
	broken := *at
	broken.Host = way.Addr()
	s := open(t, server+prefix, broken.String()+prefix)
	s.login("alice")
	check := func(path string, status int) {
		t.Helper()
		a, seen := s.ask("GET", path, nil)
		require.Equal(t, status, a.StatusCode, path)
		require.Equal(t, status == http.StatusOK, seen != nil, path)
	}
	check("/account/1", http.StatusOK)
	way.Down()
	s.header.Set("Accept", "text/html")
	for _, path := range []string{"/account/1", "/api/1", "/open/1"} {
		check(path, http.StatusServiceUnavailable)
	}
	way.Resume()
	require.Eventually(t, func() bool {
		a, _ := s.ask("GET", "/account/1", nil)
		return a.StatusCode == http.StatusOK
	}, patience, patience/1000)
	_, _ = s.ask("POST", "/logout", nil)
}
