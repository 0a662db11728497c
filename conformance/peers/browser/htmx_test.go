package browser

import (
	"context"
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

// htmxVersions are the last of each line, with what npm says their packages are.
var htmxVersions = map[string]string{
	"1.9.12": "VZAohXyF7xPGS52IM8d1T1283y+X4D+Owf3qY1NZ9RuBypyu9l8cGsxUMAG5fEAb/DhT7rDoJ9Hpu5/HxFD3cw==",
	"2.0.11": "Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
	"4.0.1":  "oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
}

func htmxScript(t *testing.T, version string) []byte {
	return npmFile(t, "htmx.org", version, htmxVersions[version], "dist/htmx.min.js")
}

// mailbox is a site whose pages use htmx.
type mailbox struct {
	*sessionstest.App
	url    string
	orders atomic.Int64
}

const mailboxPage = `<!doctype html><html><head><title>mail</title><meta name="htmx-config" content='{"historyCacheSize":0}'>
<script src="/htmx.js"></script></head><body>
<h1>%s of %s</h1>
<button id="part" hx-get="/part" hx-target="#here">part</button>
<button id="order" hx-post="/order" hx-target="#here">order</button>
<a id="boosted" hx-boost="true" href="/account?tab=2">account</a>
<a id="public" hx-boost="true" href="/public">public</a>
<p id="here">nothing yet</p>`

func openMailbox(t *testing.T, script []byte) *mailbox {
	m := &mailbox{App: sessionstest.With(t, sessionstest.Setup{
		Config:  hosts.Config{IdleTimeout: time.Hour},
		Options: nethttp.Options{LoginPath: "/login"},
	})}
	page := func(name string) http.Handler {
		return m.Middleware.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			w.Header().Set("Content-Type", "text/html")
			_, err := fmt.Fprintf(w, mailboxPage, name, s.User())
			return err
		})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /htmx.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(script)
	})
	mux.Handle("GET /inbox", m.Middleware.Require(page("inbox")))
	mux.Handle("GET /account", m.Middleware.Require(page("account")))
	mux.Handle("GET /public", page("public"))
	mux.Handle("GET /part", m.Middleware.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the part") })))
	mux.Handle("POST /order", m.Middleware.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "order ", m.orders.Add(1)) })))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html><head><title>login</title></head><body><form method="post" action="/login"><p>%s</p>
			<input type="hidden" name="return_to" value="%s"><button id="enter">enter</button></form>`,
			nethttp.LoginReason(r), nethttp.ReturnTo(r, "/public")) // nothing in it that HTML must escape
	})
	mux.Handle("POST /login", m.Middleware.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		if err := s.Login("alice", 0); err != nil {
			return err
		}
		http.Redirect(w, r, nethttp.ReturnTo(r, "/public"), http.StatusSeeOther)
		return nil
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

// at waits until the page at a path says a text.
func (b *browser) at(target, text string) {
	b.t.Helper()
	b.waitFor(fmt.Sprintf(`location.pathname + location.search === %q && document.body.innerText.includes(%q)`, target, text))
}

// waitFor asks a page that is loaded, again and again: while another takes its
// place, there is none to ask.
func (b *browser) waitFor(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && `+condition))
		if ok && err == nil {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	b.t.Fatalf("not within %v: %s; at %s: %s", patience, condition, evaluate[string](b, "location.href"), b.text())
}

// A session that ends under a page with htmx: whatever is clicked leads to the
// login page as a whole, and back to a page. Nothing is posted twice.
func TestHTMX(t *testing.T) {
	for version := range htmxVersions {
		t.Run(version, func(t *testing.T) {
			m := openMailbox(t, htmxScript(t, version))
			b := visitor(t)
			enter := func(target, text string) {
				b.t.Helper()
				b.do(chromedp.Click("#enter"))
				b.at(target, text)
			}
			b.open(m.url + "/inbox")
			b.at("/login?return_to=%2Finbox", "enter")
			enter("/inbox", "inbox of alice")
			b.do(chromedp.Click("#part"))
			b.at("/inbox", "the part")

			const timeout = "Session timeout due to inactivity"
			m.Clock.Advance(2 * time.Hour)
			b.do(chromedp.Click("#part"))
			b.at("/login?reason=idle&return_to=%2Finbox", timeout)
			enter("/inbox", "inbox of alice")

			m.Clock.Advance(2 * time.Hour)
			b.do(chromedp.Click("#order"))
			b.at("/login?reason=idle&return_to=%2Finbox", timeout)
			require.Zero(t, m.orders.Load())
			enter("/inbox", "inbox of alice")
			require.Zero(t, m.orders.Load(), "an order is placed by hand")

			m.Clock.Advance(2 * time.Hour)
			b.do(chromedp.Click("#boosted"))
			b.at("/login?reason=idle&return_to=%2Faccount%3Ftab%3D2", timeout)
			enter("/account?tab=2", "account of alice")

			b.do(chromedp.Click("#public"))
			b.at("/public", "public of alice")
			m.Clock.Advance(2 * time.Hour)
			evaluate[chromedp.Void](b, "history.back()")
			b.waitFor(`document.querySelector("#enter") !== null && document.body.innerText.includes("` + timeout + `")`)
			enter("/account?tab=2", "account of alice")
		})
	}
}
