package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/console"
	"github.com/stretchr/testify/require"
)

// userAgents sign in before the browser does.
var userAgents = []string{
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
	strings.Repeat("W", 400), `<script>document.title = "taken over"</script>`, "\u202e\u2066" + strings.Repeat("🦊", 63),
}

// devices serves the page of hosts/console as it is without any option.
func devices(t *testing.T) (url string) {
	t.Helper()
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	app, err := sessions.New(store, sessions.Config{Key: core.NewSecret(strings.Repeat("k", 31) + "!"), AllowInsecure: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Close()) })
	page, err := console.New(console.Options{Middleware: app})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/account/devices", page)
	mux.Handle("GET /login", app.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *sessions.Session) error { return s.Login("alice", 0) }))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, userAgent := range userAgents {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/login", nil)
		require.NoError(t, err)
		r.Header.Set("User-Agent", userAgent)
		a, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, a.Body.Close())
		require.Equal(t, http.StatusOK, a.StatusCode)
	}
	return server.URL
}

// TestEverybodyCanUseTheDevicesPage without scripts and by the keyboard alone.
func TestEverybodyCanUseTheDevicesPage(t *testing.T) {
	axe := string(npmFile(t, "axe-core", axeVersion, axeSum, "axe.min.js"))
	for _, l := range looks(t) {
		t.Run(l.String(), func(t *testing.T) {
			site, b := devices(t), visitor(t)
			b.look(l.width, l.scheme)
			b.open(site + "/login")
			text := b.open(site + "/account/devices")
			for _, part := range []string{"Safari on iPhone", "Edge on Windows", "Unknown browser", "Chrome on Linux, this device", "Log out all other devices"} {
				require.Contains(t, text, part)
			}
			b.judge(axe, "many devices")
			b.keep(fmt.Sprintf("devices-%d-%s", l.width, l.scheme))
			background := evaluate[string](b, "getComputedStyle(document.documentElement).backgroundColor")
			require.Equal(t, map[string]string{"light": "rgb(246, 246, 248)", "dark": "rgb(20, 20, 23)"}[l.scheme], background, "the policy lets the style sheet in")
			require.Equal(t, "Devices", evaluate[string](b, "document.title"))

			require.Zero(t, evaluate[int](b, "document.scripts.length"))
			b.do(chromedp.KeyEvent("\t")) // to the first button
			require.Equal(t, "end", evaluate[string](b, "document.activeElement.name"))
			require.Regexp(t, `^\d\d?px$`, evaluate[string](b, "getComputedStyle(document.activeElement).outlineWidth"))
			status, text := b.load(chromedp.KeyEvent("\r"))
			require.EqualValues(t, http.StatusOK, status)
			require.Contains(t, text, "That device is logged out.")
			b.judge(axe, "a notice")
			_, text = b.load(chromedp.Click(`button[name="others"]`))
			require.Contains(t, text, "All other devices are logged out.")
			require.NotContains(t, text, "iPhone")
			b.judge(axe, "alone")
			_, text = b.load(chromedp.Reload())
			require.Contains(t, text, "Chrome on Linux, this device")
		})
	}
}

// keep takes a picture, where somebody wants to look at it.
func (b *browser) keep(name string) {
	b.t.Helper()
	folder := os.Getenv("PICTURES")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644))
}
