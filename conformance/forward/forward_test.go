package forward

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
)

// TestStory is that of a visitor: away, signed in, let through, signed out.
func TestStory(t *testing.T) {
	each(t, func(t *testing.T, p proxy) {
		s := open(t, p, hosts.Config{}, gateway.Check{})
		a, seen := s.raw("GET", "/account?a=b")
		require.Equal(t, http.StatusUnauthorized, a.StatusCode)
		require.Equal(t, "application/json", a.Header.Get("Content-Type"))
		require.Contains(t, body(a), "Authentication required")
		require.Nil(t, seen, "the application is not asked")
		a, seen = s.raw("GET", "/account?a=b", "Sec-Fetch-Mode: navigate")
		require.Equal(t, http.StatusSeeOther, a.StatusCode)
		require.Equal(t, "/login?return_to=%2Faccount%3Fa%3Db", a.Header.Get("Location"))
		require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		require.Nil(t, seen)
		a, _ = s.raw("POST", "/order", "Content-Length: 2", "Sec-Fetch-Mode: navigate", "Referer: http://"+s.addr+"/cart", "", "a=")
		require.Equal(t, "/login?return_to=%2Fcart", a.Header.Get("Location"), "a form is not sent twice")
		a, seen = s.raw("GET", "/part", "HX-Request: true", "HX-Current-URL: http://"+s.addr+"/inbox")
		require.Equal(t, http.StatusUnauthorized, a.StatusCode)
		require.Equal(t, "/login?return_to=%2Finbox", a.Header.Get("HX-Redirect"))
		require.Nil(t, seen)
		a, _ = s.raw("GET", "/login")
		require.Equal(t, "the login page", body(a))

		cookie := s.login("zo%C3%AB")
		a, seen = s.raw("GET", "/account?a=b", cookie)
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.Equal(t, "the page", body(a))
		require.Len(t, a.Header["Set-Cookie"], 1, "that of the application")
		require.Equal(t, []string{"zo%C3%AB"}, seen.Header["Session-User"])
		require.Len(t, seen.Header.Get("Session-Id"), 22)
		require.Equal(t, "/account?a=b", seen.RequestURI)
		require.Equal(t, "127.0.0.1", seen.Header.Get("X-Forwarded-For"))
		_, seen = s.raw("GET", "/public/x", cookie)
		require.Empty(t, seen.Header.Get("Session-User"))

		a, _ = s.raw("POST", "/logout", "Content-Length: 0", cookie)
		require.Equal(t, http.StatusOK, a.StatusCode)
		a, seen = s.raw("GET", "/account", cookie)
		require.Equal(t, http.StatusUnauthorized, a.StatusCode, "with the next request")
		require.Nil(t, seen)
	})
}

// identity are the names that a server may take for those of the fields, such as
// servers that hand fields on as CGI variables.
var identity = regexp.MustCompile(`(?i)^session[^a-z0-9](user|tenant|id)$`)

// TestClaims: nobody outside sets the fields by which the application knows who is
// signed in, or takes one of them away.
func TestClaims(t *testing.T) {
	var claims []string
	for _, name := range []string{"Session-User", "session-tenant", "SESSION-ID", "Session_User", "session_id", "Session_Tenant", "Session.User", "SESSION!user",
		"Session-Renewed", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-For", "X_Forwarded_Uri"} {
		claims = append(claims, name+": mallory", name+": root")
	}
	each(t, func(t *testing.T, p proxy) {
		s := open(t, p, hosts.Config{}, gateway.Check{})
		cookie := s.login("alice")
		for _, path := range []string{"/public/x", "/account"} {
			for _, connection := range []string{"close", "Session-User, Session-Tenant, session-id", "close, SESSION-USER"} {
				a, seen := s.raw("GET", path, append(claims, cookie, "Connection: "+connection)...)
				require.Equal(t, http.StatusOK, a.StatusCode, path)
				require.NotNil(t, seen)
				for name, values := range seen.Header {
					if identity.MatchString(name) {
						require.NotRegexp(t, "mallory|root", strings.Join(values, " "), name)
					}
				}
				if path == "/account" {
					require.Equal(t, []string{"alice"}, seen.Header["Session-User"], connection)
					require.Len(t, seen.Header.Get("Session-Id"), 22)
				} else {
					require.Empty(t, seen.Header.Get("Session-User"))
				}
				require.Empty(t, seen.Header.Get("Session-Tenant"))
			}
		}
	})
}

// TestTheURIIsTheProxys: what a visitor says of it counts for nothing.
func TestTheURIIsTheProxys(t *testing.T) {
	each(t, func(t *testing.T, p proxy) {
		s := open(t, p, hosts.Config{}, gateway.Check{})
		for _, lines := range [][]string{
			{"X-Forwarded-Uri: /public"}, {"X-Forwarded-Uri: /public", "X-Forwarded-Uri: /public"}, {"X-Original-Uri: /public"}, {"X-Original-Url: /public"}, {"x_forwarded_uri: /public"},
			{"X-Forwarded-Method: GET", "X-Forwarded-Host: elsewhere", "X-Forwarded-Uri: /login"},
			{"Connection: X-Forwarded-Uri", "X-Forwarded-Uri: /public"},
		} {
			a, seen := s.raw("GET", "/account", lines...)
			require.Equal(t, http.StatusUnauthorized, a.StatusCode, lines)
			require.Nil(t, seen, lines)
		}
		for _, target := range []string{"http://" + s.addr + "/account", "http://elsewhere/account", "http://elsewhere/login/../account", "https:/account"} {
			_, seen := s.raw("GET", target, "X-Forwarded-Uri: /public")
			require.Nil(t, seen, target) // Caddy answers 200 for a host that it does not serve
		}
		a, seen := s.raw("GET", "/public/x", "X-Forwarded-Uri: /secret")
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.NotNil(t, seen)
	})
}

// TestWhatIsTold: the application and the check hear from the proxy who asked for what,
// whatever the visitor says, and the check gets no body.
func TestWhatIsTold(t *testing.T) {
	each(t, func(t *testing.T, p proxy) {
		s := open(t, p, hosts.Config{}, gateway.Check{})
		cookie := s.login("alice")
		inside := "GET /inside HTTP/1.1\r\nHost: a\r\n\r\n"
		for range 3 { // over one connection to the check, where it is kept
			a, seen := s.raw("POST", "/account?a=b", cookie, "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: elsewhere", "X-Forwarded-Proto: https", "X-Forwarded-Method: GET",
				fmt.Sprint("Content-Length: ", len(inside)), "", inside)
			require.Equal(t, http.StatusOK, a.StatusCode)
			require.Equal(t, s.addr, seen.Host)
			require.Len(t, s.asked, 1)
			require.Zero(t, s.asked[0].ContentLength)
			require.Equal(t, []string{"POST"}, s.asked[0].Header["X-Forwarded-Method"])
			require.Equal(t, []string{"/account?a=b"}, s.asked[0].Header["X-Forwarded-Uri"])
			for _, r := range []*http.Request{seen, s.asked[0]} {
				require.Equal(t, []string{"127.0.0.1"}, r.Header["X-Forwarded-For"])
				require.Equal(t, []string{s.addr}, r.Header["X-Forwarded-Host"])
				require.Equal(t, []string{"http"}, r.Header["X-Forwarded-Proto"])
			}
		}
		if p.authRequest {
			a, _ := s.raw("GET", "/.session-check", cookie)
			require.Equal(t, http.StatusNotFound, a.StatusCode, "nobody outside asks")
		}
	})
}

// tricks are spellings of paths. Which of them the gateway refuses is asked of it.
var tricks = []string{
	"/public/../account", "/public/%2e%2e/account", "/public/..%2faccount", "/public%2f..%2faccount", "//public", "/public//x", "/public/..;x/account", "/public/.",
	"/public/%5c..%5caccount", "/public\\..\\account", "/public/%252e%252e/account", "/public/%00", "/public/%0a", "/public/%25%32%65", "/public/%c0%ae%c0%ae/account", "/public/%ff",
	"/public/x/..", "/./account", "/public/%2e", "/public;/../account", "/public/..%5caccount", "/%2e%2e/account", "/public/%zz",
	"/secret", "/secret;a=1/x", "/;/secret", "/secret/x", "/%73ecret",
}

// TestTricks: what the gateway refuses never reaches the application, for somebody
// who is signed in as for a stranger.
func TestTricks(t *testing.T) {
	each(t, func(t *testing.T, p proxy) {
		s := open(t, p, hosts.Config{}, gateway.Check{})
		cookie := s.login("alice")
		behind := httptest.NewServer(http.NotFoundHandler())
		t.Cleanup(behind.Close)
		origin, err := url.Parse(behind.URL)
		require.NoError(t, err)
		g, err := gateway.New(gateway.Options{Middleware: s.app, Origin: origin, Rules: rules})
		require.NoError(t, err)
		front := httptest.NewServer(g)
		t.Cleanup(front.Close)
		gate := &site{t: t, addr: front.Listener.Addr().String()}
		for _, target := range tricks {
			want, _ := gate.raw("GET", target, cookie)
			require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, want.StatusCode, "the gateway refuses %s", target)
			for _, lines := range [][]string{{cookie}, nil, {cookie, "Sec-Fetch-Mode: navigate"}} {
				a, seen := s.raw("GET", target, lines...)
				require.Nil(t, seen, target)
				allowed := []int{p.ambiguous, http.StatusBadRequest} // its own
				if want.StatusCode == http.StatusNotFound && !strings.Contains(body(want), "more than one way") {
					allowed = []int{p.denied}
				}
				require.Contains(t, allowed, a.StatusCode, target)
			}
		}
		a, seen := s.raw("GET", "/public#/../secret")
		require.Nil(t, seen)
		require.GreaterOrEqual(t, a.StatusCode, http.StatusBadRequest)
		for _, target := range []string{"/z%C3%B6", "/a%20b", "/x;y=1", "/100%25", "/a?b=//c/../d"} {
			a, seen := s.raw("GET", target, cookie)
			require.Equal(t, http.StatusOK, a.StatusCode, target)
			require.Equal(t, target, seen.RequestURI)
		}
	})
}

// TestFailures are neither leave nor a logout.
func TestFailures(t *testing.T) {
	each(t, func(t *testing.T, p proxy) {
		s := open(t, p, hosts.Config{}, gateway.Check{})
		cookie := s.login("alice")
		require.NoError(t, s.store.Close())
		for _, lines := range [][]string{{cookie}, {cookie, "Sec-Fetch-Mode: navigate"}, {cookie, "HX-Request: true"}} {
			a, seen := s.raw("GET", "/account", lines...)
			require.Equal(t, p.storeDown, a.StatusCode, lines)
			require.Nil(t, seen)
		}
		a, _ := s.raw("GET", "/public/x")
		require.Equal(t, http.StatusOK, a.StatusCode)
		s.check.CloseClientConnections()
		s.check.Close()
		a, seen := s.raw("GET", "/account", cookie)
		require.Equal(t, p.checkDown, a.StatusCode)
		require.Nil(t, seen)
	})
}

// TestABrokenScriptLetsNobodyPass: HAProxy goes on where a Lua action fails.
func TestABrokenScriptLetsNobodyPass(t *testing.T) {
	for _, p := range proxies {
		if p.name != "HAProxy" {
			continue
		}
		p.change = []string{"local answer = ", "error('broken') local answer = "}
		s := open(t, p, hosts.Config{}, gateway.Check{})
		for _, path := range []string{"/account", "/public"} {
			a, seen := s.raw("GET", path)
			require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
			require.Nil(t, seen)
		}
	}
}

// TestACheckThatHangs lets nobody pass either: HAProxy's script has a limit of its own.
func TestACheckThatHangs(t *testing.T) {
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hangs.Close)
	t.Cleanup(func() { close(release) })
	for _, p := range proxies {
		if p.name != "HAProxy" {
			continue
		}
		p.change = []string{"patience = 5000", "patience = 50"}
		s := open(t, p, hosts.Config{}, gateway.Check{})
		s.addr = p.run(t, hangs.Listener.Addr().String(), s.application.Listener.Addr().String())
		a, seen := s.raw("GET", "/public")
		require.GreaterOrEqual(t, a.StatusCode, http.StatusInternalServerError)
		require.Nil(t, seen)
	}
}

type clock struct{ now core.Time }

func (c *clock) Now() core.Time { return c.now }

// TestRenewal: the cookie that the check renews reaches the browser, beside that of
// the application.
func TestRenewal(t *testing.T) {
	each(t, func(t *testing.T, p proxy) {
		c := &clock{1_800_000_000_000}
		s := open(t, p, hosts.Config{RenewAfter: 10 * time.Minute, RenewGrace: time.Minute, Clock: c}, gateway.Check{Renew: true})
		old := s.login("alice")
		a, _ := s.raw("GET", "/account", old)
		require.Len(t, a.Header["Set-Cookie"], 1, "that of the application")
		require.Equal(t, []string{"max-age=60"}, a.Header["Cache-Control"])
		c.now += 11 * core.Minute
		a, seen := s.raw("GET", "/account", old)
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.Len(t, a.Header["Set-Cookie"], 2)
		require.ElementsMatch(t, []string{"max-age=60", "no-store"}, a.Header["Cache-Control"])
		require.NotContains(t, seen.Header, "Session-Renewed")
		fresh := "Cookie: " + sessionCookie(t, a)
		require.NotEqual(t, old, fresh)
		a, _ = s.raw("GET", "/account", fresh)
		require.Equal(t, http.StatusOK, a.StatusCode)
		c.now += 5 * core.Minute
		a, _ = s.raw("GET", "/account", old)
		require.Equal(t, http.StatusUnauthorized, a.StatusCode, "the old one")
	})
}
