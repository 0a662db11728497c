package demo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	"github.com/rockstar-web/sessions/sessionstest"
	"github.com/stretchr/testify/require"
)

func TestLogoutIsNotUndoneByASlowRequest(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		loaded := make(resumed, 100)
		r := start(t, demo.Options{Store: store, Logger: slog.New(loaded)})
		v := r.visitor()
		v.login(t, "alice")
		cookie := v.cookies(t)[0]
		slow := make(chan string, 1)
		go func() {
			late := r.visitor()
			late.header.Set("Cookie", cookie.Name+"="+cookie.Value)
			a, text := late.do(t, "POST", "/api/slow?ms=400&set=late", "")
			slow <- fmt.Sprint(a.StatusCode, a.Header["Set-Cookie"], text)
		}()
		<-loaded
		v.api(t, "POST", "/api/logout", "", 200, "")
		require.Contains(t, <-slow, "401 []")
		v.header.Set("Cookie", cookie.Name+"="+cookie.Value)
		v.api(t, "GET", "/api/session", "", 401, "unknown_session")
	})
}

func TestSlowRequestsLoseNothing(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		r := start(t, demo.Options{Store: store})
		v := r.visitor()
		v.login(t, "alice")
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				a, text := v.do(t, "POST", fmt.Sprintf("/api/slow?ms=50&set=n%d", i), "")
				if a == nil || a.StatusCode != 200 {
					t.Error(text)
				}
				for path, form := range map[string]url.Values{
					"/cart": {"sku": {"tea"}, "do": {"add"}}, "/notes": {"text": {fmt.Sprintf("note%d.", i)}}, "/api/add/hits": {"n": {"2"}},
				} {
					a, text = v.post(t, path, form)
					if a == nil || a.StatusCode != 200 {
						t.Error(path, text)
					}
				}
			})
		}
		all.Wait()
		data := v.api(t, "GET", "/api/session", "", 200, "")["data"].(map[string]any)
		for i := range 20 {
			require.Contains(t, data, fmt.Sprintf("n%d", i))
		}
		require.Equal(t, json.Number("20"), data["cart.tea"])
		require.Equal(t, json.Number("40"), data["hits"])
		require.Len(t, data["notes"], 20)
	})
}

// TestNotesKeepTheirBound also where tabs meet at it.
func TestNotesKeepTheirBound(t *testing.T) {
	app, site := demo.Handlers(t, demo.Options{})
	alice := app.As("alice").With("notes", slices.Repeat([]any{map[string]any{"text": "a note"}}, 49))
	require.Equal(t, 49, strings.Count(alice.Get(site, "/notes").Body.String(), "a note"))
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			w := alice.Post(site, "/notes", url.Values{"text": {fmt.Sprint("note ", i)}})
			if w.Code == http.StatusSeeOther {
				return
			}
			page := w.Body.String()
			if w.Code != http.StatusConflict && w.Code != http.StatusUnprocessableEntity ||
				!strings.Contains(page, "There are 50 notes already") || !strings.Contains(page, fmt.Sprint("note ", i)) {
				t.Error(w.Code, page)
			}
		})
	}
	all.Wait()
	require.Len(t, app.Session("alice").Data["notes"], 50)
}

func TestOneRequestTakesAValue(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		v := start(t, demo.Options{Store: store}).visitor()
		v.login(t, "alice")
		v.api(t, "PUT", "/api/data/link", `"once"`, 200, "saved")
		var all sync.WaitGroup
		var taken atomic.Int64
		for range 10 {
			all.Go(func() {
				a, text := v.do(t, "POST", "/api/take/link", "")
				switch {
				case a != nil && a.StatusCode == 200 && strings.Contains(text, `"value":"once"`):
					taken.Add(1)
				case a == nil || a.StatusCode != 404:
					t.Error(text)
				}
			})
		}
		all.Wait()
		require.Equal(t, int64(1), taken.Load())
	})
}

// TestGetChangesNothing: links, prefetches and other sites' images are GETs.
func TestGetChangesNothing(t *testing.T) {
	app, site := demo.Handlers(t, demo.Options{})
	alice := app.As("alice").With("n", 1)
	alice.Get(site, "/")
	before := app.Session("alice")
	for _, path := range []string{
		"/", "/signin", "/signout", "/signout/everywhere", "/signed-out", "/signed-out/everywhere", "/prove", "/cart", "/session", "/session/refresh", "/session/preferences", "/notes", "/notes/delete", "/devices", "/confirm",
		"/api/session", "/api/login", "/api/logout", "/api/refresh", "/api/slow", "/api/data/n", "/api/add/n", "/api/take/n", "/healthz",
		"/api/prove/start", "/api/prove/add", "/api/prove/counts", "/api/prove/server",
	} {
		w := alice.Get(site, path+"?ms=0&set=n&sku=tea&do=add&text=x&theme=dark&user=bob&password=builder")
		require.Empty(t, w.Header()["Set-Cookie"], path)
	}
	require.Equal(t, before, app.Session("alice"))
}

func TestSlowRequestEndsWithItsClient(t *testing.T) {
	loaded := make(resumed, 100)
	r := start(t, demo.Options{Store: "memory:", Logger: slog.New(loaded)})
	v := r.visitor()
	v.login(t, "alice")
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		v.within(t, ctx, "POST", "/api/slow?ms=30000&set=late", "")
		close(gone)
	}()
	<-loaded
	cancel()
	<-gone
	r.stop() // would wait for the handler
}

func TestStopLetsRequestsEnd(t *testing.T) {
	loaded := make(resumed, 100)
	r := start(t, demo.Options{Store: "memory:", Logger: slog.New(loaded)})
	v := r.visitor()
	v.login(t, "alice")
	status := make(chan int, 1)
	go func() {
		a, _ := v.do(t, "POST", "/api/slow?ms=300&set=late", "")
		status <- a.StatusCode
	}()
	<-loaded
	r.stop()
	require.Equal(t, 200, <-status)
}

func TestIdleAndLifetime(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		c := sessionstest.NewClock(t)
		r := start(t, demo.Options{Store: store, Idle: 30 * time.Minute, Clock: c})
		v := r.visitor()
		v.login(t, "alice")
		for range 3 {
			c.Advance(20 * time.Minute)
			v.api(t, "GET", "/api/session", "", 200, "")
		}
		c.Advance(31 * time.Minute)
		v.api(t, "GET", "/api/session", "", 401, `{"error":"Session timeout due to inactivity","reason":"idle"}`)
		v.login(t, "alice")
		for range 47 {
			c.Advance(29 * time.Minute)
			v.api(t, "GET", "/api/session", "", 200, "")
		}
		c.Advance(3 * 29 * time.Minute)
		v.api(t, "GET", "/api/session", "", 401, `"reason":"idle"`)
	})
}

func TestRememberMe(t *testing.T) {
	c := sessionstest.NewClock(t)
	r := start(t, demo.Options{Store: "memory:", Clock: c})
	plain, remembered := r.visitor(), r.visitor()
	a, _ := plain.do(t, "POST", "/api/login", `{"user":"alice","password":"wonderland"}`)
	require.NotContains(t, a.Header.Get("Set-Cookie"), "Max-Age", "ends with the browser")
	a, _ = remembered.do(t, "POST", "/api/login", `{"user":"alice","password":"wonderland","remember":true}`)
	require.Contains(t, a.Header.Get("Set-Cookie"), "; Max-Age=2592000;")
	a, _ = remembered.do(t, "POST", "/api/refresh", "")
	require.Contains(t, a.Header.Get("Set-Cookie"), "; Max-Age=2592000;", "a refresh keeps it")
	c.Advance(24*time.Hour + time.Millisecond)
	plain.api(t, "GET", "/api/session", "", 401, `{"error":"Session expired","reason":"expired"}`)
	c.Advance(28 * 24 * time.Hour)
	remembered.api(t, "GET", "/api/session", "", 200, `"user":"alice"`)
}

func TestTenants(t *testing.T) {
	r := start(t, demo.Options{Store: "memory:", Tenants: true})
	a := r.visitor()
	a.host = "A.example.test:80"
	got, _ := a.do(t, "POST", "/api/login", `{"user":"alice","password":"wonderland"}`)
	require.Equal(t, 200, got.StatusCode)
	a.header.Set("Cookie", got.Cookies()[0].String())
	a.api(t, "GET", "/api/session", "", 200, `"tenant":"a"`)
	a.host = "b.example.test"
	a.api(t, "GET", "/api/session", "", 401, `"reason":"not_authentic"`)
	a.host = "[::1]:80"
	a.api(t, "GET", "/api/session", "", 401, `"reason":"not_authentic"`)
	_, text := a.do(t, "GET", "/", "")
	require.NotContains(t, text, `title="Tenant"`, "an address has no labels")
	a.host = strings.Repeat("x", 256) + ".test"
	a.api(t, "POST", "/api/login", `{"user":"alice","password":"wonderland"}`, 400, `"reason":"bad_value"`)
}

func TestClientAddress(t *testing.T) {
	for trusted, want := range map[string]string{"127.0.0.0/8": "203.0.113.9", "10.0.0.0/8": "127.0.0.1"} {
		app, site := demo.Handlers(t, demo.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix(trusted)}})
		visitor := app.Visitor()
		visitor.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.9")
		visitor.Post(site, "/signin", url.Values{"user": {"alice"}, "password": {"wonderland"}})
		require.Contains(t, visitor.Get(site, "/api/session").Body.String(), `"ip_address":"`+want+`"`)
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	r := start(t, demo.Options{Store: "memory:"})
	v := r.visitor()
	v.header.Set("Sec-Fetch-Site", "cross-site")
	v.api(t, "POST", "/api/logout", "", 403, "cross_origin")
	for _, path := range []string{"/", "/prove", "/signed-out", "/cart", "/notes", "/signin", "/nothing", "/api/session", "/api/nothing", "/healthz"} {
		a, _ := v.do(t, "GET", path, "")
		require.Contains(t, a.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
		require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-store", a.Header.Get("Cache-Control"), path)
	}
	a, text := v.do(t, "POST", "/signout", "")
	require.Equal(t, http.StatusForbidden, a.StatusCode)
	require.Contains(t, text, "another site")
}
