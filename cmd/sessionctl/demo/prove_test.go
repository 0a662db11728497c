package demo_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	"github.com/rockstar-web/sessions/sessionstest"
	"github.com/stretchr/testify/require"
)

func TestProveAdditions(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		v := start(t, demo.Options{Store: store}).visitor()
		v.api(t, "POST", "/api/prove/add", "", 401, `"reason":"none"`)
		var all sync.WaitGroup
		tabs := []string{v.run(t), v.run(t)} // each counts its own
		for _, run := range tabs {
			for range 50 {
				all.Go(func() {
					if a, text := v.do(t, "POST", "/api/prove/add?run="+run, ""); a == nil || a.StatusCode != 200 {
						t.Error(text)
					}
				})
			}
		}
		all.Wait()
		for _, run := range tabs {
			counts := v.api(t, "GET", "/api/prove/counts?run="+run, "", 200, "")
			require.Equal(t, json.Number("50"), counts["session"])
			naive, err := counts["naive"].(json.Number).Int64()
			require.NoError(t, err)
			require.Less(t, naive, int64(50), "a store that simply saves loses some")
			require.Positive(t, naive)
		}
	})
}

// run begins a run of proofs.
func (v *visitor) run(t *testing.T) string {
	t.Helper()
	return v.api(t, "POST", "/api/prove/start", "", 200, "Ready")["run"].(string)
}

// TestRunsAreBounded: a session keeps the latest, with all of their names.
func TestRunsAreBounded(t *testing.T) {
	clock := sessionstest.NewClock(t)
	v := start(t, demo.Options{Store: "memory:", Clock: clock}).visitor()
	v.login(t, "alice")
	v.api(t, "PUT", "/api/data/mine", "1", 200, "")
	before := len(v.api(t, "GET", "/api/session", "", 200, "")["data"].(map[string]any))
	var runs []string
	for range demo.MaxRuns + 3 {
		clock.Advance(time.Millisecond)
		run := v.run(t)
		v.api(t, "PUT", "/api/data/prove."+run+".flash", `"x"`, 200, "")
		runs = append(runs, run)
	}
	data := v.api(t, "GET", "/api/session", "", 200, "")["data"].(map[string]any)
	require.Len(t, data, before+2*demo.MaxRuns)
	require.Contains(t, data, "mine")
	for i, run := range runs {
		status := 200
		if i < 3 {
			status = 404
		}
		v.api(t, "POST", "/api/prove/add?run="+run, "", status, "")
		v.api(t, "GET", "/api/prove/counts?run="+run, "", status, "")
	}
	v.api(t, "POST", "/api/prove/add", "", 404, "Press the button again")
}

func TestProvePageTellsOfTheServer(t *testing.T) {
	for store, lost := range map[string]bool{"memory:": true, "sqlite:" + t.TempDir() + "/sessions.db": false} {
		v := start(t, demo.Options{Store: store}).visitor()
		_, text := v.do(t, "GET", "/prove", "")
		require.Equal(t, lost, strings.Contains(text, "a restart signs everybody out"), store)
		require.Contains(t, text, `<dd id="login">no</dd>`)
		require.Contains(t, text, "<noscript>")
		require.Equal(t, 1, strings.Count(text, "<script"), "its own file alone")
		v.login(t, "alice")
		_, text = v.do(t, "GET", "/prove", "")
		require.Contains(t, text, "UTC, as alice")
		v.api(t, "GET", "/api/prove/server", "", 200, `"user":"alice"`)
	}
}

// TestOnePageHasAScript for those who are not signed in: the others forbid all.
func TestOnePageHasAScript(t *testing.T) {
	_, site := demo.Handlers(t, demo.Options{})
	for path, may := range map[string]bool{"/prove": true, "/": false, "/signin": false} {
		a := get(t, site, path)
		require.Equal(t, may, strings.Contains(a.Header().Get("Content-Security-Policy"), "script-src 'self'"), path)
		require.NotContains(t, a.Header().Get("Content-Security-Policy"), "unsafe")
	}
}

// TestPagesWarnBeforeTheEnd: those of a visitor who is signed in.
func TestPagesWarnBeforeTheEnd(t *testing.T) {
	v := start(t, demo.Options{Store: "memory:", Idle: 10 * time.Minute}).visitor()
	v.login(t, "alice")
	a, text := v.do(t, "GET", "/cart", "")
	require.Contains(t, text, `data-status="/session/status" data-login="/signin?next=%2Fcart" defer>`)
	require.Contains(t, a.Header.Get("Content-Security-Policy"), "script-src 'self'; connect-src 'self'")
	_, src, _ := strings.Cut(text, `<script src="`)
	src, _, _ = strings.Cut(src, `"`)
	a, text = v.do(t, "GET", src, "")
	require.Contains(t, text, "BroadcastChannel")
	require.Contains(t, a.Header.Get("Cache-Control"), "immutable")
	_, text = v.do(t, "GET", "/session/status", "")
	require.Regexp(t, `^{"signed_in":true,"idle_seconds":(600|59\d),`, text)
}

// A stream is an open request for events.
type stream struct {
	answer *http.Response
	lines  *bufio.Scanner
}

func (v *visitor) stream(t *testing.T) *stream {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), "GET", v.url+"/api/events", nil)
	require.NoError(t, err)
	a, err := v.http.Do(q)
	require.NoError(t, err)
	t.Cleanup(func() { a.Body.Close() })
	return &stream{a, bufio.NewScanner(a.Body)}
}

// until reads lines until one contains text. It fails if the stream ends first.
func (s *stream) until(t *testing.T, text string) (read string) {
	t.Helper()
	for s.lines.Scan() {
		if read += s.lines.Text() + "\n"; strings.Contains(s.lines.Text(), text) {
			return read
		}
	}
	t.Fatalf("no %q in %s: %v", text, read, s.lines.Err())
	return ""
}

func TestEventsOfOneSession(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		r := start(t, demo.Options{Store: store})
		alice, bob := r.visitor(), r.visitor()
		alice.api(t, "GET", "/api/events", "", 401, `"reason":"none"`)
		alice.login(t, "alice")
		bob.login(t, "bob")
		s := alice.stream(t)
		require.Equal(t, "text/event-stream", s.answer.Header.Get("Content-Type"))
		require.Equal(t, "no-store", s.answer.Header.Get("Cache-Control"))
		read := s.until(t, "session resumed")
		require.Contains(t, read, "session created", "those before are shown, too")
		bob.api(t, "POST", "/api/refresh", "", 200, "")
		alice.api(t, "POST", "/api/slow?ms=0", "", 200, "")
		read += s.until(t, "slow request has read")
		value := alice.cookies(t)[0].Value
		alice.api(t, "POST", "/api/logout", "", 200, "")
		read += s.until(t, "session ended")
		for s.lines.Scan() { // the server ends it with the session
		}
		require.NoError(t, s.lines.Err())
		require.NotContains(t, read, "bob")
		require.NotContains(t, read, value)
	})
}

func TestStreamsAreBounded(t *testing.T) {
	r := start(t, demo.Options{Store: "memory:"})
	v := r.visitor()
	v.login(t, "alice")
	for range 2 {
		v.stream(t).until(t, "session resumed")
	}
	third := v.stream(t)
	require.Equal(t, 503, third.answer.StatusCode)
	third.until(t, "2 of one session and 64 of all")
	other := r.visitor()
	other.login(t, "alice")
	s := other.stream(t)
	s.until(t, "session resumed")
	r.stop() // ends the streams
	for s.lines.Scan() {
	}
}

func TestStaleTabSaysWhy(t *testing.T) {
	r := start(t, demo.Options{Store: "memory:"})
	tab, other := &browser{visitor: r.visitor()}, &browser{visitor: r.visitor()}
	tab.login(t, "alice")
	other.login(t, "alice")
	tab.open(t, "/notes", 200)
	stale := tab.page
	other.open(t, "/devices", 200)
	other.send(t, "/signout/everywhere")
	require.Equal(t, "/signed-out/everywhere", other.path)
	tab.send(t, "/notes", "text", "typed <long> ago")
	require.Equal(t, 401, tab.status)
	require.Contains(t, tab.page, "You were signed out on another device.")
	require.Contains(t, tab.page, "typed &lt;long&gt; ago")

	tab.send(t, "/signin", "user", "alice", "password", "wonderland", "draft", "typed <long> ago")
	require.Equal(t, "/notes", tab.path)
	require.Contains(t, tab.page, "typed &lt;long&gt; ago</textarea>")
	tab.open(t, "/notes", 200)
	require.NotContains(t, tab.page, "typed", "it is for one page")

	tab.open(t, "/signed-out", 200)
	require.Equal(t, "/", tab.path, "a link to it does not say so to who is signed in")
	tab.post(t, "/signout", nil) // in another tab of this browser
	tab.page = stale
	tab.send(t, "/notes", "text", "x")
	require.Contains(t, tab.page, "You were signed out in another tab, and nothing was done.")
	a, text := tab.post(t, "/signout/everywhere", url.Values{})
	require.Equal(t, 401, a.StatusCode)
	require.Contains(t, text, `name="next" value="/devices"`)
}

func TestFlashIsNotInTheURL(t *testing.T) {
	b := &browser{visitor: start(t, demo.Options{Store: "memory:"}).visitor()}
	b.open(t, "/?done=signed-in", 200)
	require.NotContains(t, b.page, "You are signed in.", "nobody can write a link that says so")
	b.open(t, "/session", 200)
	a, text := b.post(t, "/session/preferences", url.Values{"theme": {"dark"}})
	require.Equal(t, "/session", a.Request.URL.RequestURI())
	require.Contains(t, text, "Your preferences are saved")
}

func TestValuesAreShownWithTheirTypes(t *testing.T) {
	v := start(t, demo.Options{Store: "memory:"}).visitor()
	v.login(t, "alice")
	v.api(t, "PUT", "/api/data/v", `[1, 2.0, 1e300, "a\"<b>", null, true, {"b": [], "a": 18446744073709551615}]`, 200, "")
	v.api(t, "PUT", "/api/data/long", fmt.Sprintf("%q", strings.Repeat("é", 400)), 200, "")
	_, text := v.do(t, "GET", "/session", "")
	require.Contains(t, text, `[1, 2.0, 1e&#43;300, &#34;a\&#34;&lt;b&gt;&#34;, null, true, {&#34;a&#34;: 18446744073709551615, &#34;b&#34;: []}]`)
	require.Contains(t, text, "<small><code>[]any</code></small>")
	require.Contains(t, text, `time &#34;20`)
	require.Regexp(t, "é …", text)
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	return w
}
