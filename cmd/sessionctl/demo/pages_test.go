package demo_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	"github.com/stretchr/testify/require"
)

// A browser without scripts: it shows a page, and can send the forms on it.
type browser struct {
	*visitor
	page   string
	status int
	path   string
}

func (b *browser) open(t *testing.T, path string, status int) {
	t.Helper()
	a, text := b.do(t, "GET", path, "")
	require.NotNil(t, a, text)
	require.Equal(t, status, a.StatusCode, text)
	b.page, b.status, b.path = text, a.StatusCode, a.Request.URL.RequestURI()
	require.Equal(t, strings.Count(text, `<script src="/timeout.js?`), strings.Count(text, "<script"), "but the one that warns before the end")
	require.NotContains(t, text, "style=")
	require.NotContains(t, text, "ZgotmplZ")
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form([^>]*)>(.*?)</form>`)
	actionOfForm = regexp.MustCompile(` action="([^"]*)"`) // without one it is the page itself
	fieldPattern = regexp.MustCompile(`<(?:input|textarea|select|button)\b[^>]*>`)
	attribute    = regexp.MustCompile(`\b(name|value|type)="([^"]*)"`)
)

// send fills in and submits the first form of the page with that action that
// has all the fields and values chosen; a hidden field keeps its value.
func (b *browser) send(t *testing.T, action string, fill ...string) {
	t.Helper()
	for _, form := range formPattern.FindAllStringSubmatch(b.page, -1) {
		values, to := url.Values{}, b.path
		if given := actionOfForm.FindStringSubmatch(form[1]); given != nil {
			to = html.UnescapeString(given[1])
		}
		if to != action || !chosen(form[2], fill, values) {
			continue
		}
		a, text := b.post(t, action, values)
		require.NotNil(t, a, text)
		b.page, b.status, b.path = text, a.StatusCode, a.Request.URL.RequestURI()
		return
	}
	t.Fatalf("no form %s with %q on %s", action, fill, b.path)
}

func chosen(body string, fill []string, values url.Values) bool {
	found := 0
	for _, field := range fieldPattern.FindAllString(body, -1) {
		at := map[string]string{}
		for _, pair := range attribute.FindAllStringSubmatch(field, -1) {
			at[pair[1]] = html.UnescapeString(pair[2])
		}
		hidden, button := at["type"] == "hidden", strings.HasPrefix(field, "<button")
		if hidden {
			values.Set(at["name"], at["value"])
		}
		for i := 0; i < len(fill); i += 2 {
			if at["name"] != fill[i] || (hidden || button) && at["value"] != fill[i+1] {
				continue
			}
			values.Set(fill[i], fill[i+1])
			found++
		}
	}
	return found == len(fill)/2
}

func TestPagesWithoutScripts(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		r := start(t, demo.Options{Store: store})
		b := &browser{visitor: r.visitor()}
		b.open(t, "/", 200)
		require.Contains(t, b.page, `href="/signin"`)
		require.Contains(t, b.page, "Development key")
		b.open(t, "/session", 200)
		require.Contains(t, b.page, "You have no session yet")
		b.open(t, "/cart", 200)
		require.Empty(t, b.cookies(t), "looking stores nothing")

		for range 2 {
			b.send(t, "/cart", "sku", "tea", "do", "add")
		}
		b.send(t, "/cart", "sku", "lamp", "do", "add")
		require.Contains(t, b.page, "118.00 €")
		anonymous := b.cookies(t)[0].Value

		b.open(t, "/notes", 401)
		require.Contains(t, b.page, "Please sign in to see this page.")
		b.send(t, "/signin", "user", "alice", "password", "wrong")
		require.Equal(t, 401, b.status)
		require.Contains(t, b.page, "do not match")
		require.Contains(t, b.page, `value="alice"`)
		require.Equal(t, anonymous, b.cookies(t)[0].Value)
		b.send(t, "/signin", "user", "alice", "password", "wonderland", "remember", "1")
		require.Equal(t, 200, b.status)
		require.Equal(t, "/notes", b.path, "where it wanted to go")
		require.Contains(t, b.page, "You are signed in.")
		b.open(t, "/notes", 200)
		require.NotContains(t, b.page, "You are signed in.", "one page takes it")
		require.NotEqual(t, anonymous, b.cookies(t)[0].Value)

		b.send(t, "/notes", "text", `<b>Milk</b> & "#bread", #tea.`)
		require.Contains(t, b.page, "&lt;b&gt;Milk&lt;/b&gt; &amp; &#34;#bread&#34;, #tea.")
		require.Contains(t, b.page, `<span class="tag">tea</span>`)
		b.send(t, "/notes", "text", strings.Repeat("x", 501))
		require.Contains(t, b.page, "The note has 501 characters, and 500 are the most.")
		b.send(t, "/notes/delete")
		require.Contains(t, b.page, "No notes yet.")

		b.open(t, "/cart", 200)
		require.Contains(t, b.page, "118.00 €", "signing in keeps the cart")
		b.send(t, "/cart", "sku", "tea", "do", "less")
		b.send(t, "/cart", "sku", "lamp", "do", "remove")
		require.Contains(t, b.page, "<strong>14.50 €</strong>")
		b.send(t, "/cart", "sku", "tea", "do", "less")
		require.Contains(t, b.page, "The cart is empty.")

		b.open(t, "/session", 200)
		require.Contains(t, b.page, "29 d 23 h")
		require.Contains(t, b.page, `[&#34;customer&#34;, &#34;admin&#34;]`)
		b.send(t, "/session/preferences", "theme", "dark")
		require.Contains(t, b.page, `data-theme="dark"`)
		b.open(t, "/nothing", 404)
		require.Contains(t, b.page, `<span class="user">alice</span>`)
		b.open(t, "/session", 200)
		b.send(t, "/session/refresh")
		require.Contains(t, b.page, "The session is extended")
		b.send(t, "/signout")
		require.Contains(t, b.page, "You are signed out.")
		require.Equal(t, "/signed-out", b.path)
		require.Empty(t, b.cookies(t))
		b.open(t, "/nothing", 404)
	})
}

func TestDevices(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		r := start(t, demo.Options{Store: store})
		phone, desk, bob := &browser{visitor: r.visitor()}, &browser{visitor: r.visitor()}, &browser{visitor: r.visitor()}
		phone.header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1")
		desk.header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		phone.login(t, "alice")
		desk.login(t, "alice")
		bob.login(t, "bob")
		id := func(b *browser) string { return b.api(t, "GET", "/api/session", "", 200, "")["id"].(string) }

		desk.open(t, "/devices", 200)
		require.Contains(t, desk.page, "Safari on iPhone")
		require.Contains(t, desk.page, "Firefox on Linux")
		require.Equal(t, 1, strings.Count(desk.page, "this device"))
		require.NotContains(t, desk.page, id(bob))

		bob.open(t, "/devices", 200)
		a, text := bob.post(t, "/devices", url.Values{"end": {id(phone)}})
		require.Equal(t, 200, a.StatusCode)
		require.NotContains(t, text, "Firefox")
		id(phone)
		a, _ = bob.post(t, "/devices", url.Values{"end": {"nonsense"}})
		require.Equal(t, 400, a.StatusCode)

		desk.send(t, "/devices", "end", id(phone))
		require.Contains(t, desk.page, "That device is signed out.")
		phone.open(t, "/notes", 401)
		require.Contains(t, phone.page, "You were signed out on another device.")
		phone.api(t, "GET", "/api/session", "", 401, "unknown_session")
		id(desk)

		phone.login(t, "alice")
		desk.open(t, "/devices", 200)
		desk.send(t, "/signout/everywhere")
		require.Contains(t, desk.page, "You are signed out everywhere.")
		require.Empty(t, desk.cookies(t))
		phone.api(t, "GET", "/api/session", "", 401, "unknown_session")
		id(bob)

		bob.open(t, "/devices", 200)
		require.Contains(t, bob.page, "You are signed in on no other device.")
		bob.send(t, "/signout")
		require.Contains(t, bob.page, "You are signed out.")
		require.Empty(t, bob.cookies(t))
	})
}

// TestDevicesAskForAFreshSignIn: the page asks for the password once more, and is there
// afterwards.
func TestDevicesAskForAFreshSignIn(t *testing.T) {
	app, site := demo.Handlers(t, demo.Options{})
	alice := app.As("alice")
	alice.Header.Set("Sec-Fetch-Mode", "navigate")
	require.Equal(t, 200, alice.Get(site, "/devices").Code)
	app.Clock.Advance(10 * time.Minute)
	confirm := alice.Get(site, "/devices").Header().Get("Location")
	require.Equal(t, "/confirm?reason=not_fresh&return_to=%2Fdevices", confirm)
	w := alice.Get(site, confirm)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), `type="password"`)
	w = alice.Post(site, confirm, url.Values{"password": {"wrong"}})
	require.Equal(t, 403, w.Code)
	require.Contains(t, w.Body.String(), "That is not the password.")
	w = alice.Post(site, confirm, url.Values{"password": {"wonderland"}})
	require.Equal(t, "/devices", w.Header().Get("Location"))
	require.Equal(t, 200, alice.Get(site, "/devices").Code)
}

func TestNoFormLeadsAway(t *testing.T) {
	r := start(t, demo.Options{Store: "memory:"})
	for _, next := range []string{"https://example.com/", "//example.com/", `/\example.com/`, "/\t/example.com", "javascript:1", ""} {
		b := &browser{visitor: r.visitor()}
		b.open(t, "/signin?next="+url.QueryEscape(next), 200)
		b.send(t, "/signin", "user", "alice", "password", "wonderland")
		require.Equal(t, "/", b.path, next)
		require.Contains(t, b.page, "You are signed in.")
	}
	b := &browser{visitor: r.visitor()}
	a, text := b.post(t, "/session/preferences", url.Values{"theme": {"loud"}})
	require.Equal(t, 400, a.StatusCode, text)
	require.NotContains(t, text, `href="/signin"`, "an error page does not know who it is")
	a, text = b.post(t, "/signin", url.Values{"user": {strings.Repeat("x", 200<<10)}})
	require.Equal(t, 413, a.StatusCode, text)
}
