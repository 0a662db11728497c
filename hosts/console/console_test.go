package console_test

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/console"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/sessionstest"
	"github.com/stretchr/testify/require"
)

const (
	onMac   = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	onPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1"
)

// page is a console in an application.
func page(t *testing.T, o console.Options) (*sessionstest.App, http.Handler) {
	app := sessionstest.With(t, sessionstest.Setup{Options: nethttp.Options{LoginPath: "/login", ConfirmPath: "/confirm"}})
	o.Middleware = app.Middleware
	h, err := console.New(o)
	require.NoError(t, err)
	return app, h
}

// at is a visitor who is signed in with a browser.
func at(app *sessionstest.App, user, userAgent string) *sessionstest.Visitor {
	v := app.As(user)
	v.Header.Set("User-Agent", userAgent)
	return v
}

func get(t *testing.T, v *sessionstest.Visitor, h http.Handler, target string) string {
	t.Helper()
	w := v.Get(h, target)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

func idOf(t *testing.T, app *sessionstest.App, v *sessionstest.Visitor) (id core.ID) {
	t.Helper()
	v.Get(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s, err := app.Middleware.From(r)
		require.NoError(t, err)
		id = s.ID()
	}), "/")
	return id
}

func signedIn(t *testing.T, app *sessionstest.App, v *sessionstest.Visitor) bool {
	t.Helper()
	w := v.Get(app.Middleware.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), "/")
	return w.Code == http.StatusOK
}

func TestTheList(t *testing.T) {
	app, h := page(t, console.Options{})
	mac, phone, bob := at(app, "ann", onMac), at(app, "ann", onPhone), at(app, "bob", onMac)
	get(t, bob, h, "/account/devices")
	get(t, phone, h, "/account/devices")
	app.Clock.Advance(5 * time.Minute)
	text := get(t, mac, h, "/account/devices")
	require.Contains(t, text, `Chrome on macOS, <strong>this device</strong></h2>`)
	require.Contains(t, text, `Safari on iPhone</h2>`)
	require.Less(t, strings.Index(text, "this device"), strings.Index(text, "iPhone"))
	old := get(t, phone, h, "/account/devices")
	require.Less(t, strings.Index(old, "this device"), strings.Index(old, "Chrome on"), "the own one comes first, whenever it was used")
	require.Equal(t, 2, strings.Count(text, "<h2"))
	require.Equal(t, 1, strings.Count(text, `name="end"`), "the own one has no button")
	require.Contains(t, text, `value="`+idOf(t, app, phone).String()+`"`)
	require.Contains(t, text, "127.0.0.1")
	seen := app.Session("bob").CreatedAt.UTC()
	require.Contains(t, text, seen.Format("2006-01-02 15:04")+" UTC")
	require.NotContains(t, text, "<script")
	require.NotContains(t, text, "style=\"")
}

func TestFields(t *testing.T) {
	app, h := page(t, console.Options{})
	ann := at(app, "ann", onMac)
	w := ann.Get(h, "/devices")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'")
	require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	_, rest, _ := strings.Cut(w.Body.String(), `<link rel="stylesheet" href="`)
	style, _, _ := strings.Cut(rest, `"`)
	require.Regexp(t, `^\?css=[0-9a-f]{12}$`, style)
	w = app.Visitor().Get(h, "/devices"+style)
	require.Equal(t, http.StatusOK, w.Code, "the style sheet needs no login")
	require.Equal(t, "text/css; charset=utf-8", w.Header().Get("Content-Type"))
	require.Contains(t, w.Header().Get("Cache-Control"), "immutable")

	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		h.ServeHTTP(w, r)
	})
	require.Equal(t, "default-src 'self'", ann.Get(outer, "/devices").Header().Get("Content-Security-Policy"))
	r := httptest.NewRequest(http.MethodPut, "https://example.com/devices", nil)
	w = ann.Do(h, r)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "GET, HEAD, POST", w.Header().Get("Allow"))
}

func TestOneEnds(t *testing.T) {
	app, h := page(t, console.Options{})
	mac, phone, bob := at(app, "ann", onMac), at(app, "ann", onPhone), at(app, "bob", onMac)
	own, other, foreign := idOf(t, app, mac), idOf(t, app, phone), idOf(t, app, bob)
	post := func(form url.Values) *httptest.ResponseRecorder { return mac.Post(h, "/account/devices?ended=x", form) }

	w := post(url.Values{"end": {other.String()}})
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
	require.Equal(t, "?ended="+other.String(), w.Header().Get("Location"))
	require.False(t, signedIn(t, app, phone))
	text := get(t, mac, h, "/account/devices"+w.Header().Get("Location"))
	require.Contains(t, text, `role="status">That device is logged out.`)
	require.NotContains(t, text, "iPhone")

	again, none := post(url.Values{"end": {other.String()}}), post(url.Values{"end": {foreign.String()}})
	require.Equal(t, again.Code, none.Code, "one of somebody else is as one that there is not")
	require.Equal(t, http.StatusSeeOther, none.Code)
	require.True(t, signedIn(t, app, bob))

	w = post(url.Values{"end": {own.String()}})
	require.Equal(t, http.StatusConflict, w.Code)
	require.Contains(t, w.Body.String(), `role="alert">This is the device that you are using.`)
	require.True(t, signedIn(t, app, mac))
	text = get(t, mac, h, "/account/devices?ended="+own.String())
	require.NotContains(t, text, "logged out", "a link cannot have it said where it is not so")

	for name, form := range map[string]url.Values{
		"empty": {}, "nonsense": {"end": {"nonsense"}}, "two": {"end": {other.String(), foreign.String()}},
		"both": {"end": {other.String()}, "others": {"1"}}, "long": {"end": {other.String()}, "more": {strings.Repeat("x", 5000)}},
	} {
		w := post(form)
		require.Equal(t, http.StatusBadRequest, w.Code, name)
		require.Contains(t, w.Body.String(), "Nothing was done.", name)
	}
	w = mac.Get(h, "/account/devices?others=1&end="+own.String())
	require.Equal(t, http.StatusOK, w.Code)
	require.True(t, signedIn(t, app, mac), "a GET ends nothing")
}

func TestAllOthersEnd(t *testing.T) {
	app, h := page(t, console.Options{})
	mac, phone, bob := at(app, "ann", onMac), at(app, "ann", onPhone), at(app, "bob", onMac)
	for _, v := range []*sessionstest.Visitor{mac, phone, bob} {
		require.True(t, signedIn(t, app, v))
	}
	thief := app.Visitor()
	stolen := mac.Cookies("/")
	w := mac.Post(h, "/devices", url.Values{"others": {"1"}})
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
	require.True(t, signedIn(t, app, mac))
	require.False(t, signedIn(t, app, phone))
	require.True(t, signedIn(t, app, bob))
	r := httptest.NewRequest(http.MethodGet, "https://example.com/devices", nil)
	r.AddCookie(stolen[0])
	require.Equal(t, http.StatusUnauthorized, thief.Do(h, r).Code, "the secret is a new one")
	text := get(t, mac, h, "/devices"+w.Header().Get("Location"))
	require.Contains(t, text, "All other devices are logged out.")
	require.NotContains(t, text, "<form")
	require.Contains(t, get(t, mac, h, "/devices"), "You are logged in on no other device.")
}

// TestOtherSitesEndNothing: a form that another site submits brings the cookie where
// SameSite is None.
func TestOtherSitesEndNothing(t *testing.T) {
	app, h := page(t, console.Options{})
	mac, phone := at(app, "ann", onMac), at(app, "ann", onPhone)
	require.True(t, signedIn(t, app, phone))
	for _, fields := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
	} {
		r := httptest.NewRequest(http.MethodPost, "https://example.com/devices", strings.NewReader("others=1"))
		r.Header = fields
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, http.StatusForbidden, mac.Do(h, r).Code, fields)
	}
	require.True(t, signedIn(t, app, phone))
}

func TestAFreshSignInComesFirst(t *testing.T) {
	app, h := page(t, console.Options{Fresh: 5 * time.Minute})
	mac, phone := at(app, "ann", onMac), at(app, "ann", onPhone)
	person := http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"same-origin"}, "Referer": {"https://example.com/devices"}, "User-Agent": {onMac}}
	ask := func(method, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "https://example.com/devices", strings.NewReader(body))
		r.Header = person.Clone()
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return mac.Do(h, r)
	}
	require.True(t, signedIn(t, app, phone))
	require.Equal(t, http.StatusOK, ask("GET", "").Code)
	app.Clock.Advance(5 * time.Minute)
	for _, method := range []string{"GET", "POST"} {
		w := ask(method, "others=1")
		require.Equal(t, http.StatusSeeOther, w.Code)
		require.Equal(t, "/confirm?reason=not_fresh&return_to=%2Fdevices", w.Header().Get("Location"))
	}
	require.True(t, signedIn(t, app, phone))
	mac.Given(func(s *nethttp.Session) error { return s.Confirm("pwd") })
	require.Equal(t, http.StatusOK, ask("GET", "").Code)

	nobody := app.Visitor()
	require.Equal(t, http.StatusUnauthorized, nobody.Get(h, "/devices").Code)

	app, h = page(t, console.Options{NoFresh: true})
	mac = at(app, "ann", onMac)
	require.True(t, signedIn(t, app, mac))
	app.Clock.Advance(time.Hour)
	get(t, mac, h, "/devices")
}

// TestManyDevices are shown in pages, and the own one on the first.
func TestManyDevices(t *testing.T) {
	app, h := page(t, console.Options{Limit: 3})
	seen := map[core.ID]bool{}
	var all []*sessionstest.Visitor
	for range 8 {
		v := at(app, "ann", onMac)
		seen[idOf(t, app, v)] = true
		all = append(all, v)
	}
	for _, v := range all {
		text := get(t, v, h, "/devices")
		require.Equal(t, 1, strings.Count(text, "this device"))
	}
	left, target := len(seen), "/devices"
	for pages := 0; target != ""; pages++ {
		require.Less(t, pages, 4)
		text := get(t, all[0], h, target)
		for id := range seen {
			if seen[id] && strings.Contains(text, `id="device-`+id.String()) {
				seen[id] = false
				left--
			}
		}
		_, rest, more := strings.Cut(text, `<a href="`)
		if target = ""; more {
			target, _, _ = strings.Cut(rest, `"`)
			target = "/devices" + target
		}
		require.Contains(t, text, "Log out all other devices")
	}
	require.Zero(t, left, "every device was on a page")
}

func TestHostileNames(t *testing.T) {
	app, h := page(t, console.Options{})
	for _, userAgent := range []string{
		`<script>alert(1)</script>" onload="x`, "a\u202eb\u2066c", "\x1b[2J\x07bell", strings.Repeat("🦊", 63), "\xff\xfe\xfd", strings.Repeat("W", 512),
	} {
		ann := at(app, "ann", userAgent)
		text := get(t, ann, h, "/devices")
		require.NotContains(t, text, "<script")
		require.NotContains(t, text, `" onload`)
		for _, odd := range []string{"\u202e", "\u2066", "\x1b", "\x07", "🦊", "\xff", strings.Repeat("W", 161)} {
			require.NotContains(t, text, odd)
		}
	}
}

// marked are texts of which each is known.
func marked() (texts console.Texts, marks []string) {
	v := reflect.ValueOf(&texts).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String && v.Type().Field(i).Name != "Time" {
			mark := fmt.Sprintf("ZZ%02dZZ", i)
			v.Field(i).SetString(mark)
			marks = append(marks, mark)
		}
	}
	texts.Name = "{system}: {browser} " + texts.Name
	return texts, marks
}

// TestEveryTextIsTranslated: each text is shown somewhere, and beside them no word is
// left but those of the browsers.
func TestEveryTextIsTranslated(t *testing.T) {
	texts, marks := marked()
	texts.Time, texts.Zone = "15h04 -0700", time.FixedZone("", -3600)
	app, h := page(t, console.Options{Limit: 2, Texts: func(*http.Request) console.Texts { return texts }})
	mac := at(app, "ann", onMac)
	mac.Header.Set("User-Agent", onMac)
	all := get(t, mac, h, "/devices") // alone
	phone := at(app, "ann", "(Linux) Something")
	other := idOf(t, app, phone)
	require.True(t, signedIn(t, app, at(app, "ann", "")))
	all += get(t, mac, h, "/devices")
	all += mac.Post(h, "/devices", url.Values{"end": {idOf(t, app, mac).String()}}).Body.String()
	all += mac.Post(h, "/devices", nil).Body.String()
	mac.Post(h, "/devices", url.Values{"end": {other.String()}})
	all += get(t, mac, h, "/devices?ended="+other.String())
	mac.Post(h, "/devices", url.Values{"others": {"1"}})
	all += get(t, mac, h, "/devices?ended=others")
	unknown := at(app, "cat", "")
	r := httptest.NewRequest(http.MethodGet, "https://example.com/devices", nil)
	r.RemoteAddr = "@"
	all += unknown.Do(h, r).Body.String()
	for i, mark := range marks {
		require.Contains(t, all, mark, "text %d is not shown", i)
	}
	require.Contains(t, all, "macOS: Chrome")
	require.Regexp(t, `\d\dh\d\d -0100`, all)
	english := reflect.ValueOf(console.English())
	for i := range english.NumField() {
		if word, ok := english.Field(i).Interface().(string); ok && len(word) > 3 {
			require.NotContains(t, all, ">"+word, "%s is not translated", english.Type().Field(i).Name)
		}
	}
	app, h = page(t, console.Options{Texts: func(*http.Request) console.Texts { return console.Texts{Lang: "de", Title: "Geräte"} }})
	text := get(t, at(app, "ann", onMac), h, "/devices")
	require.Contains(t, text, `<html lang="de" dir="ltr"`)
	require.Contains(t, text, "<h1>Geräte</h1>")
	require.Contains(t, text, "Last used", "what is empty is English")
}

func TestOwnPages(t *testing.T) {
	own := template.Must(template.New("").Parse(`<p>Hello {{.User}}</p>{{range .Devices}}<b>{{.Name}}</b>{{end}}<link href="{{.Style}}">{{.HTML}}`))
	app, h := page(t, console.Options{Template: own})
	w := at(app, "<ann>", onMac).Get(h, "/devices")
	text := w.Body.String()
	require.Contains(t, text, `<p>Hello &lt;ann&gt;</p><b>Chrome on macOS</b><link href="?css=`)
	require.Contains(t, text, "<h1>Devices</h1>")
	require.Equal(t, "frame-ancestors 'none'", w.Header().Get("Content-Security-Policy"))

	app, h = page(t, console.Options{Template: template.Must(template.New("").Parse(`half {{.Nothing}}`))})
	w = at(app, "ann", onMac).Get(h, "/devices")
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.NotContains(t, w.Body.String(), "half")

	app, h = page(t, console.Options{Render: func(w http.ResponseWriter, _ *http.Request, status int, p console.Page) error {
		if p.Trouble != "" {
			return errors.New("cannot")
		}
		w.WriteHeader(status)
		_, err := fmt.Fprint(w, len(p.Devices), p.Devices[0].This)
		return err
	}})
	ann := at(app, "ann", onMac)
	require.Equal(t, "1 true", get(t, ann, h, "/devices"))
	require.Equal(t, http.StatusInternalServerError, ann.Post(h, "/devices", nil).Code)
}

// unsearchable is a store that is no Finder.
type unsearchable struct{ hosts.Store }

func TestRefusedOptions(t *testing.T) {
	memory, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, memory.Close()) }()
	blind := sessionstest.With(t, sessionstest.Setup{Store: unsearchable{memory}})
	mw := sessionstest.New(t).Middleware
	render := func(http.ResponseWriter, *http.Request, int, console.Page) error { return nil }
	for want, o := range map[string]console.Options{
		"Options.Middleware is nil": {},
		hosts.ErrNoFinder.Error():   {Middleware: blind.Middleware},
		"Fresh":                     {Middleware: mw, Fresh: -1},
		"NoFresh":                   {Middleware: mw, Fresh: 1, NoFresh: true},
		"1 to 1000":                 {Middleware: mw, Limit: 1001},
		"Limit":                     {Middleware: mw, Limit: -1},
		"Template":                  {Middleware: mw, Render: render, Template: template.New("")},
	} {
		_, err := console.New(o)
		require.ErrorContains(t, err, want)
	}
}
