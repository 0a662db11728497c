package nethttp_test

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// A login page that knows where the visitor wanted to go and why they are not
// signed in any more.
func ExampleReturnTo() {
	store, _ := cachestore.Open(cachestore.Options{})
	manager, err := hosts.New(store, hosts.Config{Key: siteKey})
	if err != nil {
		panic(err)
	}
	mw, err := nethttp.New(manager, nethttp.Options{LoginPath: "/login"})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /account", mw.Require(http.NotFoundHandler()))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `%s <form method="post"><input type="hidden" name="return_to" value="%s">...</form>`,
			nethttp.LoginReason(r), html.EscapeString(nethttp.ReturnTo(r, "/")))
	})
	mux.Handle("POST /login", mw.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
		if err := s.Login("alice", 0); err != nil { // after the password was checked
			return err
		}
		http.Redirect(w, r, nethttp.ReturnTo(r, "/"), http.StatusSeeOther)
		return nil
	}))

	for _, target := range []string{"/account?tab=2", "/login?reason=idle&return_to=%2Faccount%3Ftab%3D2", "/login?return_to=//evil.example"} {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Sec-Fetch-Mode", "navigate") // as browsers do
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, cmp.Or(w.Header().Get("Location"), strings.TrimSpace(w.Body.String())))
	}
	// Output:
	// 303 /login?return_to=%2Faccount%3Ftab%3D2
	// 200 Session timeout due to inactivity <form method="post"><input type="hidden" name="return_to" value="/account?tab=2">...</form>
	// 200 <form method="post"><input type="hidden" name="return_to" value="/">...</form>
}
