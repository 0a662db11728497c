// Package former holds a store to the sessions of an older release: their cookies
// open them, with what they hold. Those of a release were written by it.
package former

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Now is the time at which the sessions were written.
const Now = core.Time(1767225600000) // 2026-01-01

// key of the sessions, in hexadecimal digits.
const key = "6368616e6765207468697320666f722070726f64756374696f6e2c20706c6561"

type clock struct{}

func (clock) Now() core.Time { return Now + core.Minute }

// AreAlive enters every session whose cookie is a line of a file: the i-th has i
// in "n", and is of user-(i%7), but for each fourth, which is nobody's. It leaves
// them as they are, but for a use, which is noted.
func AreAlive(t *testing.T, store hosts.Store, cookies string) {
	t.Helper()
	secret, err := core.ParseKey(key)
	check(t, err)
	m, err := hosts.New(store, hosts.Config{Key: secret, Clock: clock{}, NoCleanup: true})
	check(t, err)
	defer m.Close()
	mw, err := nethttp.New(m, nethttp.Options{})
	check(t, err)
	handler := mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := nethttp.From(r)
		check(t, err)
		n, err := hosts.Get[int](s, "n")
		fmt.Fprintf(w, "%s %d %v", s.User(), n, err)
	}))
	text, err := os.ReadFile(cookies)
	check(t, err)
	for i, cookie := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		user := fmt.Sprintf("user-%d", i%7)
		if i%4 == 3 {
			user = ""
		}
		r := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if want := fmt.Sprintf("%s %d <nil>", user, i); w.Body.String() != want {
			t.Errorf("session %d answers %q, want %q", i, w.Body, want)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
