package demo_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	"github.com/stretchr/testify/require"
)

// TestNotesAreAsLongAsTheFormAllows: it counts units of UTF-16, and a line end as one.
func TestNotesAreAsLongAsTheFormAllows(t *testing.T) {
	b := &browser{visitor: start(t, demo.Options{Store: "memory:"}).visitor()}
	b.login(t, "alice")
	for _, text := range []string{
		strings.Repeat("é", 500), strings.Repeat("漢", 500), strings.Repeat("😀", 250), "a" + strings.Repeat("\r\n", 498) + "b",
	} {
		a, page := b.post(t, "/notes", url.Values{"text": {text}})
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.Contains(t, page, "The note is saved")
		require.Contains(t, page, strings.ReplaceAll(text, "\r\n", "\n")+"</p>")
	}
}

// TestRefusedNotesSayWhy, and stay in the form.
func TestRefusedNotesSayWhy(t *testing.T) {
	b := &browser{visitor: start(t, demo.Options{Store: "memory:"}).visitor()}
	b.login(t, "alice")
	refused := func(text, why string) {
		t.Helper()
		a, page := b.post(t, "/notes", url.Values{"text": {text}})
		require.Equal(t, http.StatusUnprocessableEntity, a.StatusCode)
		require.Contains(t, page, why)
		require.Contains(t, page, ">"+text+"</textarea>")
	}
	refused("  ", "The note is empty")
	refused(strings.Repeat("😀", 251), "The note has 502 characters, and 500 are the most.")
	for range demo.MaxNotes {
		a, _ := b.post(t, "/notes", url.Values{"text": {"one"}})
		require.Equal(t, http.StatusOK, a.StatusCode)
	}
	refused("one more", "There are 50 notes already")
}

// TestCartSaysThatItIsFull, and goes on where the visitor pressed.
func TestCartSaysThatItIsFull(t *testing.T) {
	app, site := demo.Handlers(t, demo.Options{})
	v := app.Visitor()
	press := func(do string) string {
		return v.Post(site, "/cart", url.Values{"sku": {"tea"}, "do": {do}}).Header().Get("Location")
	}
	for range 98 {
		require.Equal(t, "/cart#tea-add", press("add"))
	}
	require.NotContains(t, v.Get(site, "/cart").Body.String(), "is the most")
	for range 2 {
		press("add")
		page := v.Get(site, "/cart").Body.String()
		require.Contains(t, page, "99 is the most.")
		require.Contains(t, page, `aria-describedby="tea-most"`)
	}
	require.Equal(t, "/cart#tea-less", press("less"))
	require.Equal(t, "/cart#tea-add", press("remove"), "nothing else of it is there")
	require.Equal(t, "/cart", press("dance"))
}

// TestStaleCartSaysWhy: a page of alice changes no cart of somebody else.
func TestStaleCartSaysWhy(t *testing.T) {
	b := &browser{visitor: start(t, demo.Options{Store: "memory:"}).visitor()}
	b.login(t, "alice")
	b.open(t, "/cart", 200)
	stale := b.page
	b.post(t, "/signout", nil) // in another tab
	b.send(t, "/cart", "sku", "tea", "do", "add")
	require.Equal(t, 401, b.status)
	require.Contains(t, b.page, "You were signed out in another tab, and nothing was done.")
	require.Contains(t, b.page, `name="next" value="/cart"`)

	b.login(t, "bob")
	b.page, b.path = stale, "/cart"
	b.send(t, "/cart", "sku", "tea", "do", "add")
	require.Contains(t, b.page, "Somebody else is signed in here by now")
	require.Contains(t, b.page, "The cart is empty.")
}

// TestTheEndLeadsBack to the page, and nowhere else.
func TestTheEndLeadsBack(t *testing.T) {
	app, site := demo.Handlers(t, demo.Options{})
	alice := app.As("alice")
	for path, login := range map[string]string{
		"/notes": "/signin?next=%2Fnotes", "/session?a=b&c": "/signin?next=%2Fsession%3Fa%3Db%26c",
		"/signin?next=/cart": "/signin", `/x%5Cexample.com`: "/signin?next=%2F",
		"/confirm?return_to=%2Fdevices": "/signin?next=%2Fdevices", "/confirm?return_to=//example.com": "/signin?next=%2F",
	} {
		require.Contains(t, alice.Get(site, path).Body.String(), `data-login="`+login+`"`, path)
	}
	w := alice.Post(site, "/notes", url.Values{"text": {""}})
	require.Contains(t, w.Body.String(), `data-login="/signin?next=%2Fnotes"`)
}
