package scs_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"

	oldscs "github.com/alexedwards/scs/v2"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/migrate"
	scsmigrate "github.com/rockstar-web/sessions/hosts/migrate/scs"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// The application used scs, and visitors are signed in. It goes on with ours.
func Example() {
	old := oldscs.New() // with its store, codec and cookie, as the application had it
	cookie := signIn(old)

	// Of the new program: sessions as the README sets them up.
	key := core.NewSecret([]byte("\x07of this example, no other use!!")) // from the environment: hosts.KeyFromEnv
	store, err := cachestore.Open(cachestore.Options{})
	fatal(err)
	defer store.Close()
	manager, err := hosts.New(store, hosts.Config{Key: key})
	fatal(err)
	defer manager.Close()
	middleware, err := nethttp.New(manager, nethttp.Options{})
	fatal(err)

	// And of the move.
	source, err := scsmigrate.Source(old)
	fatal(err)
	mover, err := migrate.New(middleware, migrate.Options{
		Source: source,
		Key:    key,
		User: func(values map[string]any) (string, bool) {
			id, ok := values["user_id"].(int) // as the old program stored it
			return strconv.Itoa(id), ok
		},
	})
	fatal(err)
	handler := mover.Handler(http.HandlerFunc(home)) // in place of middleware.Handler

	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Body)
	// Output: user 42 has 3 things in the basket
}

func home(w http.ResponseWriter, r *http.Request) {
	s, err := nethttp.From(r)
	if err != nil {
		status, text := nethttp.Failure(err)
		http.Error(w, text, status)
		return
	}
	n, err := hosts.Get[int](s, "basket")
	fmt.Fprintf(w, "user %s has %d things in the basket", s.User(), n)
	if err != nil {
		log.Print(err)
	}
}

// signIn is the old program.
func signIn(old *oldscs.SessionManager) *http.Cookie {
	w := httptest.NewRecorder()
	old.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		old.Put(r.Context(), "user_id", 42)
		old.Put(r.Context(), "basket", 3)
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w.Result().Cookies()[0]
}

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
