package mission

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/console"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var devices = []row{{"E49", usersSeeTheirDevices}}

// usersSeeTheirDevices, log one out and all others, and hear of a new one.
func usersSeeTheirDevices(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{DeviceOf: console.DeviceOf}, Options: nethttp.Options{ConfirmPath: "/confirm"}})
	page, err := console.New(console.Options{Middleware: s.mw})
	require.NoError(t, err)
	enter := func(user, agent string) *browser {
		browser := s.browser()
		maps.Copy(browser.headers, map[string]string{"User-Agent": agent, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"})
		browser.visiting(func(v *nethttp.Session, _ http.ResponseWriter) { require.NoError(t, v.Login(user, 0)) }).is(http.StatusOK)
		return browser
	}
	send := func(who *browser, method, form string) answer {
		return who.call("/call", func(w http.ResponseWriter, r *http.Request) {
			q := r.Clone(r.Context())
			q.Method, q.Body, q.ContentLength = method, io.NopCloser(strings.NewReader(form)), int64(len(form))
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			page.ServeHTTP(w, q)
		})
	}
	show := func(who *browser) answer { return send(who, http.MethodGet, "") }
	post := func(who *browser, form string) answer { return send(who, http.MethodPost, form) }
	led := func(to string, a answer) { require.Equal(t, to, a.Request.URL.Path+"?"+a.Request.URL.RawQuery) }
	id := func(who *browser) string { // it stands first on the page
		_, rest, _ := strings.Cut(show(who).is(http.StatusOK).body, `<h2 id="device-`)
		id, _, _ := strings.Cut(rest, `"`)
		return id
	}
	const mac, phone = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0.0.0 Safari/537.36", "Mozilla/5.0 (iPhone) Version/18.6 Safari/604.1"
	desk, own, other, ben := enter("ann", mac), enter("ann", mac), enter("ann", phone), enter("ben", "\u202e🦊")
	for _, count := range []int{0, 2, 0} { // the second browser of a kind is no news
		require.Equal(t, count, s.await(hosts.EventNewDevice).Count)
	}
	text := show(own).is(http.StatusOK).body
	require.Equal(t, 2, strings.Count(text, "Chrome on macOS"))
	require.Equal(t, 1, strings.Count(text, "Safari on iPhone"))
	require.Equal(t, 1, strings.Count(text, "this device"))
	require.Contains(t, show(ben).is(http.StatusOK).body, "Unknown browser")

	phoneID := id(other)
	led("/call?ended="+phoneID, post(ben, "end="+phoneID))
	other.get("/middleware/me").is(http.StatusOK)
	led("/call?ended="+phoneID, post(own, "end="+phoneID))
	other.get("/middleware/me").is(http.StatusUnauthorized)
	require.NotContains(t, show(own).body, "iPhone")
	post(own, "end="+id(own)).is(http.StatusConflict)
	own.headers["Sec-Fetch-Site"] = "cross-site"
	post(own, "others=1").is(http.StatusForbidden)
	own.headers["Sec-Fetch-Site"] = "same-origin"
	s.clock.pass(10 * time.Minute)
	led("/confirm?reason=not_fresh&return_to=%2F", post(own, "others=1"))
	desk.get("/middleware/me").is(http.StatusOK)
	own.visiting(func(v *nethttp.Session, _ http.ResponseWriter) { require.NoError(t, v.Confirm("pwd")) }).is(http.StatusOK)
	led("/call?ended=others", post(own, "others=1"))
	desk.get("/middleware/me").is(http.StatusUnauthorized)
	own.get("/middleware/me").is(http.StatusOK)
	ben.get("/middleware/me").is(http.StatusOK)
}
