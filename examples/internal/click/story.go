package click

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Alice is what the examples let in.
var Alice = url.Values{"user": {"alice"}, "password": {"wonderland"}}

// AtOnce is how many requests add to a counter at the same moment.
const AtOnce = 20

// Together calls f at once, as many times as AtOnce says.
func Together(f func()) {
	var wait sync.WaitGroup
	for range AtOnce {
		wait.Go(f)
	}
	wait.Wait()
}

// Story is the visit to an example with pages: /, /login, /logout, /account.
func (b *Browser) Story() {
	b.t.Helper()
	see := func(what string, parts ...any) func(status int, text string) {
		b.t.Helper()
		return func(status int, text string) {
			b.t.Helper()
			for _, part := range parts {
				if part != status && !strings.Contains(text, fmt.Sprint(part)) {
					b.t.Errorf("%s: no %v in %d %s", what, part, status, text)
				}
			}
		}
	}
	see("first visit", http.StatusOK, "visit 1<")(b.Get("/"))
	Together(func() { see("at once", http.StatusOK)(b.Get("/")) })
	see("afterwards", fmt.Sprintf("visit %d<", AtOnce+2))(b.Get("/"))
	see("closed", http.StatusUnauthorized)(b.Get("/account"))
	see("wrong password", http.StatusForbidden)(b.Post("/login", url.Values{"user": {"alice"}}))
	see("login", http.StatusOK, "Welcome, alice.", "sign out", "visit")(b.Post("/login", Alice))
	if _, text := b.Get("/account"); strings.Contains(text, "Welcome") || strings.Contains(text, "no value") {
		b.t.Errorf("the flash is there twice: %s", text)
	}
	see("another visitor", http.StatusUnauthorized)(b.Another().Get("/account"))
	see("logout", http.StatusOK, "You are signed out.", "sign in", "visit 1<")(b.Post("/logout", nil))
	see("closed again", http.StatusUnauthorized)(b.Get("/account"))
	b.Header.Set("Sec-Fetch-Site", "cross-site")
	see("another site", http.StatusForbidden)(b.Post("/login", Alice))
}
