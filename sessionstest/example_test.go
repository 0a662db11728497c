package sessionstest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/sessionstest"
)

// example runs a test as go test does.
func example(test func(t testing.TB)) {
	if failed := new(fakeT).run(test); failed != "" {
		fmt.Println("FAIL:", failed)
	}
}

// cart is a page that shows what a visitor wants to buy.
var cart = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	s, err := nethttp.From(r)
	if err != nil {
		status, text := nethttp.Failure(err)
		http.Error(w, text, status)
		return
	}
	items, _ := hosts.Get[[]string](s, "cart") // none at first
	fmt.Fprintf(w, "%s buys %s", s.User(), strings.Join(items, ", "))
})

// A handler as alice, who has something in her cart.
func Example() {
	example(func(t testing.TB) { // func TestCart(t *testing.T)
		app := sessionstest.New(t)
		w := app.As("alice").With("cart", []string{"tea"}).Get(cart, "/cart")
		fmt.Println(w.Code, w.Body)
	})
	// Output: 200 alice buys tea
}

// Signed out after an hour without a request: the time is the test's.
func ExampleClock_Advance() {
	example(func(t testing.TB) {
		app := sessionstest.With(t, sessionstest.Setup{
			Config:  hosts.Config{IdleTimeout: time.Hour},
			Options: nethttp.Options{LoginPath: "/login"},
		})
		page := app.Middleware.Require(cart)
		alice := app.As("alice")
		alice.Header.Set("Accept", "text/html") // a person
		fmt.Println(alice.Get(page, "/cart").Code)
		app.Clock.Advance(2 * time.Hour)
		w := alice.Get(page, "/cart")
		fmt.Println(w.Code, w.Header().Get("Location"))
	})
	// Output:
	// 200
	// 303 /login?reason=idle&return_to=%2Fcart
}

// What happened to the sessions, and what the store has of a user.
func ExampleApp_Events() {
	example(func(t testing.TB) {
		app := sessionstest.New(t)
		alice := app.As("alice").With("theme", "dark")
		alice.Get(cart, "/cart")
		fmt.Println(app.Session("alice").Data["theme"])
		alice.Get(app.Middleware.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *nethttp.Session) error {
			return s.Destroy()
		}), "/logout")
		for _, e := range app.Events() {
			fmt.Println(e.Kind, e.User)
		}
		fmt.Println(len(app.Sessions("alice")))
	})
	// Output:
	// dark
	// session created alice
	// session login alice
	// session resumed alice
	// session resumed alice
	// session ended alice
	// 0
}

// A real server, and a client that keeps its cookies and follows redirects.
func ExampleVisitor_Client() {
	example(func(t testing.TB) {
		app := sessionstest.New(t)
		server := app.Serve(cart)
		resp, err := app.As("alice").Client(server).Get(server.URL + "/cart")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
	})
	// Output: 200 OK
}

// An application that makes its manager by itself.
func ExamplePrepare() {
	// newShop is the application's own constructor.
	newShop := func(c hosts.Config) (*nethttp.Middleware, error) {
		manager, err := hosts.New(exampleStore(), c)
		if err != nil {
			return nil, err
		}
		return nethttp.New(manager, nethttp.Options{})
	}
	example(func(t testing.TB) {
		config := hosts.Config{Lifetime: 8 * time.Hour}
		app := sessionstest.Prepare(t, &config)
		shop, err := newShop(config)
		if err != nil {
			t.Fatal(err)
		}
		app.Use(shop)
		fmt.Println(app.As("alice").Get(cart, "/cart").Body)
	})
	// Output: alice buys
}

// exampleStore stands for the application's own.
func exampleStore() hosts.Store {
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		panic(err)
	}
	return store
}
