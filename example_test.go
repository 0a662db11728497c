package sessions_test

import (
	"fmt"
	"net/http"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
)

func Example() {
	store, err := cachestore.Open(cachestore.Options{}) // sessions end with the process
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	key, err := sessions.KeyFromSecret("pT7mXq2Ld9vKc4RzWb8Hn3Ys6Gf1Ja5E") // one that the application has
	if err != nil {
		fmt.Println(err)
		return
	}
	app, err := sessions.New(store, sessions.Config{Key: key})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer app.Close()
	http.Handle("GET /hello", app.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
		n, err := visits.Add(s, 1)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "hello %s, visit %d", s.User(), n)
		return err
	}))
	// Output:
}

func ExampleValue() {
	cart := sessions.Value[[]string]("cart")
	add := func(s *sessions.Session, item string) error {
		return cart.Update(s, func(items []string) ([]string, error) { // runs again if another request was faster
			return append(items, item), nil
		})
	}
	_ = add
	// Output:
}
