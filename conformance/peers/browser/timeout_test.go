package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/sessionstest"
)

const (
	officeIdle = 122 * time.Second // two seconds after the page is loaded the script asks
	officePage = `<!doctype html><html lang="en"><head><title>office</title><meta name="color-scheme" content="light dark">
<script src="%s" data-status="/status" data-login="/login" %s defer></script></head><body><main>
<h1>Office</h1><label>Letter <input id="letter"></label></main>`
	officePolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
)

// office is a site whose pages have the script, under a strict policy.
type office struct {
	*sessionstest.App
	url  string
	down atomic.Bool // the status has no answer
}

func openOffice(t *testing.T, attributes string) *office {
	o := &office{App: sessionstest.With(t, sessionstest.Setup{Config: hosts.Config{IdleTimeout: officeIdle}})}
	status := o.Middleware.StatusHandler()
	mux := http.NewServeMux()
	mux.HandleFunc("/status", func(w http.ResponseWriter, r *http.Request) {
		if o.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		status.ServeHTTP(w, r)
	})
	mux.Handle("GET /timeout.js", o.Middleware.ScriptHandler())
	page := func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", officePolicy)
		_, err := fmt.Fprintf(w, officePage, o.Middleware.ScriptURL("/timeout.js"), attributes)
		return err
	}
	for path, act := range map[string]func(s *nethttp.Session) error{
		"GET /{$}":    func(s *nethttp.Session) error { return nil },
		"GET /login":  func(s *nethttp.Session) error { return s.Login("alice", 0) },
		"GET /logout": (*nethttp.Session).Destroy,
	} {
		mux.Handle(path, o.Middleware.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			if err := act(s); err != nil {
				return err
			}
			return page(w)
		}))
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

const (
	asked   = `document.querySelector("#session-box")?.open === true`
	unasked = `!document.querySelector("#session-box")?.open`
)

func says(text string) string {
	return asked + fmt.Sprintf(` && document.querySelector("#session-box").innerText.includes(%q)`, text)
}

// within waits for a condition and returns how long it took.
func (b *browser) within(condition string) time.Duration {
	b.t.Helper()
	begun := time.Now()
	b.waitFor(condition)
	return time.Since(begun)
}

// TestTheScriptWarnsInAllTabs before the session ends, extends it by one click, and says
// when it has ended.
func TestTheScriptWarnsInAllTabs(t *testing.T) {
	axe := string(npmFile(t, "axe-core", axeVersion, axeSum, "axe.min.js"))
	o := openOffice(t, "")
	one := visitor(t)
	one.open(o.url + "/login")
	other := one.tab()
	other.open(o.url)
	tabs := []*browser{one, other}
	for _, b := range tabs {
		b.do(chromedp.Focus("#letter"))
		b.waitFor(unasked)
	}
	warned := func() {
		t.Helper()
		one.waitFor(says("Your session ends in 1"))
		require.Less(t, other.within(says("Your session ends in 1")), time.Second)
	}
	quiet := func() {
		t.Helper()
		for _, b := range tabs {
			b.waitFor(unasked)
		}
	}

	o.Clock.Advance(10 * time.Second)
	warned()
	for _, scheme := range []string{"light", "dark"} {
		one.look(390, scheme)
		one.judge(axe, "the warning, "+scheme)
	}
	require.Equal(t, "Stay signed in", evaluate[string](one, `document.activeElement.textContent`), "a press of the key extends it")
	one.do(chromedp.KeyEvent("\r"))
	quiet()
	require.Equal(t, "letter", evaluate[string](one, `document.activeElement.id`), "the reader goes on where they were")

	o.Clock.Advance(10 * time.Second)
	warned()
	other.do(chromedp.Click("#session-box button"))
	quiet()

	o.Clock.Advance(10 * time.Second)
	warned()
	one.do(chromedp.KeyEvent("\x1b")) // Escape puts it away in this tab
	one.waitFor(unasked)
	o.down.Store(true)
	o.Clock.Advance(officeIdle)
	<-time.After(11 * time.Second) // it asks every ten seconds
	require.False(t, evaluate[bool](other, says("Your session has ended")), "what has no answer is no end")
	o.down.Store(false)
	for _, b := range tabs {
		b.waitFor(says("Your session has ended."))
	}
	one.judge(axe, "the end")
	require.Equal(t, "Sign in", evaluate[string](one, `document.activeElement.textContent`))
	one.load(chromedp.Click("#session-box a"))
	quiet()

	other.open(o.url + "/logout")
	one.waitFor(says("Your session has ended."))
	require.False(t, evaluate[bool](other, asked), "who has signed out knows")
}

// TestTheScriptSpeaksOtherLanguages, and has the time that it is given, never less than
// WCAG 2.2.1 wants.
func TestTheScriptSpeaksOtherLanguages(t *testing.T) {
	o := openOffice(t, `data-warn="1" data-title="Sitzung" data-soon="Noch {n} Sekunden." data-stay="Angemeldet bleiben"`)
	b := visitor(t)
	b.open(o.url + "/login")
	const ask = `document.dispatchEvent(new Event("visibilitychange")), fetch("/status").then(() => true)`
	o.Clock.Advance(officeIdle - 22*time.Second)
	require.True(t, evaluate[bool](b, ask))
	<-time.After(2 * time.Second)
	require.True(t, evaluate[bool](b, unasked), "22 seconds are left, and 20 are enough")
	o.Clock.Advance(2 * time.Second)
	b.waitFor(says("Noch 20 Sekunden."))
	require.Equal(t, "Angemeldet bleiben", evaluate[string](b, `document.activeElement.textContent`))
	require.Equal(t, "Sitzung", evaluate[string](b, `document.querySelector("#session-box").ariaLabel`))
}

// TestTheScriptAsksAnotherOrigin: the page is at one origin and its API at another, as
// docs/set-ups.md has it.
func TestTheScriptAsksAnotherOrigin(t *testing.T) {
	csrf, mux := http.NewCrossOriginProtection(), http.NewServeMux()
	app := sessionstest.With(t, sessionstest.Setup{Config: hosts.Config{IdleTimeout: officeIdle}, Options: nethttp.Options{CrossOrigin: csrf}})
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/timeout.js" {
			app.Middleware.ScriptHandler().ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src "+api.URL)
		fmt.Fprintf(w, `<!doctype html><title>office</title><script src="/timeout.js" data-status="%s/status" defer></script>`, api.URL)
	}))
	t.Cleanup(pages.Close)
	require.NoError(t, csrf.AddTrustedOrigin(pages.URL))
	mux.HandleFunc("/status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", pages.URL)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		app.Middleware.StatusHandler().ServeHTTP(w, r)
	})
	mux.Handle("/login", app.Middleware.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error { return s.Login("alice", 0) }))

	b := visitor(t)
	b.open(api.URL + "/login")
	b.open(pages.URL)
	b.waitFor(unasked)
	app.Clock.Advance(10 * time.Second)
	b.waitFor(says("Your session ends in 1"))
	b.do(chromedp.Click("#session-box button"))
	b.waitFor(unasked)
}
