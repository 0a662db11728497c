package sessionstest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// A Visitor is one browser: it keeps its cookies. It may send requests at the same
// time.
type Visitor struct {
	// Header is sent with every request, beside the fields that the request has.
	// It is to be filled in before the first one: the visitor signs in with it.
	Header http.Header

	app  *App
	user string
	host string
	jar  http.CookieJar

	mu      sync.Mutex
	pending []func(*nethttp.Session) error // to be done before the next request
}

const (
	loopback  = "127.0.0.1:1024" // where visitors are
	anybody   = "192.0.2.1:1234" // of httptest.NewRequest
	userAgent = "sessionstest"
)

// Visitor returns a browser without cookies.
func (app *App) Visitor() *Visitor {
	app.t.Helper()
	if app.Manager == nil {
		app.t.Fatal("sessionstest: Prepare was called, and Use was not: call app.Use with the middleware of your application")
	}
	jar, _ := cookiejar.New(nil) // never fails
	v := &Visitor{Header: http.Header{"User-Agent": {userAgent}}, app: app, jar: jar, host: "example.com"}
	if domain := app.Manager.Policy().CookieDomain; domain != "" {
		v.host = strings.TrimPrefix(domain, ".")
	}
	return v
}

// As returns a browser in which user is signed in, as by Session.LoginWith with the
// stamp of Config.Credentials if there is one, from its first request on.
func (app *App) As(user string) *Visitor {
	v := app.Visitor()
	v.user = user
	return v.Given(func(s *nethttp.Session) error {
		stamp, err := app.Manager.StampOf(app.t.Context(), s.Tenant(), user)
		if err != nil {
			return err
		}
		return s.LoginWith(user, hosts.Login{Stamp: core.NewSecret(stamp)})
	})
}

// With puts a value into the visitor's session, as Session.Put does, before the
// next request. Given is for structs.
func (v *Visitor) With(name string, value any) *Visitor {
	return v.Given(func(s *nethttp.Session) error { return s.Put(name, value) })
}

// Given does something to the visitor's session before the next request:
//
//	Given(func(s *nethttp.Session) error { return cart.Put(s, Cart{"tea"}) })
func (v *Visitor) Given(do func(*nethttp.Session) error) *Visitor {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pending = append(v.pending, do)
	return v
}

// Get asks h for a page. Neither h nor its routes need a Middleware around them;
// one that they have is as good.
func (v *Visitor) Get(h http.Handler, target string) *httptest.ResponseRecorder {
	v.app.t.Helper()
	return v.Do(h, httptest.NewRequest(http.MethodGet, v.absolute(target), nil))
}

// Post sends a form to h.
func (v *Visitor) Post(h http.Handler, target string, form url.Values) *httptest.ResponseRecorder {
	v.app.t.Helper()
	r := httptest.NewRequest(http.MethodPost, v.absolute(target), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.Do(h, r)
}

// absolute makes a path one of the visitor's host, over HTTPS.
func (v *Visitor) absolute(target string) string {
	if strings.HasPrefix(target, "/") {
		return "https://" + v.host + target
	}
	return target
}

// Do sends h any request, such as one of httptest.NewRequest. Redirects are not
// followed: a Client does.
func (v *Visitor) Do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	v.app.t.Helper()
	r = r.Clone(here(r.Context()))
	if r.RemoteAddr == anybody {
		r.RemoteAddr = loopback
	}
	v.fill(r.Header)
	if err := v.prepare(r); err != nil {
		v.app.t.Fatal(err)
	}
	v.addCookies(r)
	w := httptest.NewRecorder()
	v.app.Middleware.Handler(h).ServeHTTP(w, r)
	v.keepCookies(r.URL.Path, w.Result())
	return w
}

// here is the context of a request that came to a loopback address, as a server
// makes it: development mode looks at it.
func here(ctx context.Context) context.Context {
	return context.WithValue(ctx, http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443})
}

// fill adds the visitor's fields to those of a request.
func (v *Visitor) fill(h http.Header) {
	for name, values := range v.Header {
		if _, ok := h[name]; !ok {
			h[name] = values
		}
	}
}

// prepare does what is pending, as a request that comes from where r does.
func (v *Visitor) prepare(r *http.Request) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pending) == 0 {
		return nil
	}
	q := r.Clone(here(r.Context()))
	q.Method, q.Body, q.ContentLength = http.MethodPost, http.NoBody, 0
	for name := range q.Header { // what may keep a session from beginning
		if strings.HasPrefix(name, "Sec-") || name == "Purpose" || name == "Upgrade" {
			q.Header.Del(name)
		}
	}
	v.addCookies(q)
	var failed error
	w := httptest.NewRecorder()
	v.app.Middleware.Handler(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		s, err := v.app.Middleware.From(q)
		for _, do := range v.pending {
			if err == nil {
				err = do(s)
			}
		}
		failed = err
	})).ServeHTTP(w, q)
	if failed == nil && w.Code != http.StatusOK { // it could not be stored
		failed = fmt.Errorf("%d %s", w.Code, strings.TrimSpace(w.Body.String()))
	}
	if failed != nil {
		return fmt.Errorf("sessionstest: the session of visitor %q cannot be prepared: %w", v.user, failed)
	}
	v.pending = nil
	v.keepCookies("/", w.Result())
	return nil
}
