package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// An app is a site over HTTPS whose configuration a test switches while its
// sessions stay: it signs alice in, renews her secret, and says who is there.
type app struct {
	t       *testing.T
	store   hosts.Store
	handler atomic.Pointer[http.Handler]
	port    string
}

func serveApp(t *testing.T, c hosts.Config) *app {
	t.Helper()
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	a := &app{t: t, store: store}
	a.configure(c)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*a.handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	a.port = u.Port()
	return a
}

func (a *app) configure(c hosts.Config) {
	a.t.Helper()
	c.Key, c.NoCleanup = core.NewSecret("\x91\x0e\xc7browser tests, not a secret..."[:32]), true
	m, err := hosts.New(a.store, c)
	require.NoError(a.t, err)
	h, err := nethttp.New(m, nethttp.Options{})
	require.NoError(a.t, err)
	handler := h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if path, ok := strings.CutPrefix(r.URL.Path, "/around"); ok { // a page of another site around one of ours
			fmt.Fprintf(w, "<!doctype html>around<iframe src=%q></iframe>", a.url("app.test", path))
			return
		}
		v, err := nethttp.From(r)
		switch r.URL.Path {
		case "/login":
			err = v.Login("alice", 0)
		case "/renew":
			err = v.Renew()
		case "/logout":
			err = v.Destroy()
		}
		fmt.Fprintf(w, "<!doctype html>user=%s %v", v.User(), err)
	}))
	a.handler.Store(&handler)
}

func (a *app) url(host, path string) string { return "https://" + host + ":" + a.port + path }

// kinds tells of each cookie of the name whether it is partitioned.
func (b *browser) kinds(name string) (partitioned []bool) {
	b.t.Helper()
	all, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, b.ofThis())
	require.NoError(b.t, err)
	for _, c := range all.Cookies {
		if c.Name == name {
			partitioned = append(partitioned, c.PartitionKey != nil)
		}
	}
	return partitioned
}

// Of a cookie that is partitioned or was, the browser keeps one.
func TestSwitchingPartitioned(t *testing.T) {
	const name = "__Host-s"
	none := func(partitioned bool) hosts.Config {
		return hosts.Config{CookieName: name, SameSite: core.SameSiteNone, Partitioned: partitioned}
	}
	a := serveApp(t, none(false))
	b := launch(t, t.TempDir())
	b.open(a.url("app.test", "/login"))
	require.Equal(t, []bool{false}, b.kinds(name))
	for _, on := range []bool{true, false, true} {
		a.configure(none(on))
		b.open(a.url("app.test", "/renew"))
		require.Equal(t, []bool{on}, b.kinds(name), "one cookie, of the present kind")
		require.Contains(t, b.open(a.url("app.test", "/")), "user=alice", "the session goes on")
	}
	b.open(a.url("app.test", "/logout"))
	require.Empty(t, b.kinds(name))

	// Within another site's page Chromium takes partitioned cookies only.
	b.open(a.url("top.test", "/around/login"))
	require.Equal(t, []bool{true}, b.kinds(name))
	a.configure(none(false))
	b.open(a.url("top.test", "/around/renew"))
	require.Empty(t, b.kinds(name), "the one that is renewed no more is gone")
}

// A name with __Host-Http- only a server can set: a script cannot plant one before
// the visitor signs in, as it can with __Host- alone.
func TestHostHttpPrefix(t *testing.T) {
	for name, planted := range map[string]bool{"__Host-session": true, "__Host-Http-session": false} {
		a := serveApp(t, hosts.Config{CookieName: name})
		b := launch(t, t.TempDir())
		site := a.url("app.test", "/")
		b.open(site)
		evaluate[string](b, fmt.Sprintf(`document.cookie = "%s=planted; Path=/; Secure"`, name))
		require.Equal(t, planted, b.cookie(name) != nil, "by a script: %s", name)

		require.Contains(t, b.open(a.url("app.test", "/login")), "user=alice")
		c := b.cookie(name)
		require.NotNil(t, c)
		require.True(t, c.Secure && c.HTTPOnly)
		require.Equal(t, network.CookieSameSiteLax, c.SameSite)
		require.Contains(t, b.open(site), "user=alice")
		b.open(a.url("app.test", "/logout"))
		require.Nil(t, b.cookie(name))
		b.end()
	}
}
