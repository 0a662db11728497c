package nethttp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// exampleMiddleware keeps sessions in memory, for plain HTTP on this machine.
func exampleMiddleware() *nethttp.Middleware {
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		panic(err)
	}
	manager, err := hosts.New(store, hosts.Config{Key: siteKey, AllowInsecure: true})
	if err != nil {
		panic(err)
	}
	mw, err := nethttp.New(manager, nethttp.Options{})
	if err != nil {
		panic(err)
	}
	return mw
}

// show asks for pages one after the other, as one browser does.
func show(h http.Handler, paths ...string) {
	server := httptest.NewServer(h)
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	for _, path := range paths {
		resp, err := client.Get(server.URL + path)
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%s: %d %s\n", path, resp.StatusCode, bytes.TrimSpace(body))
	}
}

// A counter for each visitor: stored before the answer's first byte, with the
// cookie that a new session needs.
func ExampleMiddleware_Handler() {
	mw := exampleMiddleware()
	count := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int64
		session, err := nethttp.From(r)
		if err == nil {
			n, err = session.Add("visits", 1)
		}
		if err != nil {
			status, text := nethttp.Failure(err)
			http.Error(w, text, status)
			return
		}
		fmt.Fprint(w, "visit ", n)
	})
	show(mw.Handler(count), "/", "/", "/")
	// Output:
	// /: 200 visit 1
	// /: 200 visit 2
	// /: 200 visit 3
}

// Sign in, be greeted, and sign out. Login gives the session a new secret, so
// that whoever knew the old cookie has nothing.
func ExampleSession() {
	mw := exampleMiddleware()
	mux := http.NewServeMux()
	with := func(path string, f func(w http.ResponseWriter, s *nethttp.Session) error) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s, err := nethttp.From(r)
			if err == nil {
				err = f(w, s)
			}
			if err != nil {
				status, text := nethttp.Failure(err)
				http.Error(w, text, status)
			}
		})
	}
	with("/login", func(w http.ResponseWriter, s *nethttp.Session) error {
		if err := s.Login("alice", 0); err != nil { // for the configured lifetime
			return err
		}
		_, err := fmt.Fprint(w, "welcome")
		return err
	})
	with("/", func(w http.ResponseWriter, s *nethttp.Session) error {
		_, err := fmt.Fprintf(w, "hello %q", s.User())
		return err
	})
	with("/logout", func(w http.ResponseWriter, s *nethttp.Session) error {
		if err := s.Destroy(); err != nil { // at once, also for requests in flight
			return err
		}
		_, err := fmt.Fprint(w, "bye")
		return err
	})
	show(mw.Handler(mux), "/", "/login", "/", "/logout", "/")
	// Output:
	// /: 200 hello ""
	// /login: 200 welcome
	// /: 200 hello "alice"
	// /logout: 200 bye
	// /: 200 hello ""
}

// A cart is a struct that several tabs change at once, and a flash message is for
// one page. The function of Update may run again, so it must only compute.
func ExampleSession_Update() {
	type cart struct{ Items []string }
	mw := exampleMiddleware()
	mux := http.NewServeMux()
	with := func(path string, f func(s *nethttp.Session) (string, error)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s, err := nethttp.FromContext(r.Context())
			text := ""
			if err == nil {
				text, err = f(s)
			}
			if err != nil {
				var status int
				status, text = nethttp.Failure(err)
				w.WriteHeader(status)
			}
			fmt.Fprint(w, text)
		})
	}
	with("/buy", func(s *nethttp.Session) (string, error) {
		err := hosts.Update(s, "cart", func(c cart) (cart, error) {
			c.Items = append(c.Items, "tea")
			return c, nil
		})
		if err != nil {
			return "", err
		}
		return "bought", s.Put("flash", "It is in your cart.")
	})
	with("/", func(s *nethttp.Session) (string, error) {
		c, err := hosts.Get[cart](s, "cart")
		if err != nil && !errors.Is(err, hosts.ErrNoValue) {
			return "", err
		}
		flash, err := s.Take("flash") // of two tabs, one shows it
		if errors.Is(err, hosts.ErrNoValue) {
			flash, err = "", nil
		}
		return fmt.Sprint(c.Items, " ", flash), err
	})
	show(mw.Handler(mux), "/", "/buy", "/buy", "/", "/")
	// Output:
	// /: 200 []
	// /buy: 200 bought
	// /buy: 200 bought
	// /: 200 [tea tea] It is in your cart.
	// /: 200 [tea tea]
}

// Only one route needs a user. The others load no session.
func ExampleMiddleware_Require() {
	mw := exampleMiddleware()
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		s, err := nethttp.From(r)
		if err == nil {
			err = s.Login("alice", 0)
		}
		if err != nil {
			status, text := nethttp.Failure(err)
			http.Error(w, text, status)
			return
		}
		fmt.Fprint(w, "welcome")
	})
	mux.Handle("/account", mw.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := nethttp.From(r) // loaded by Require already
		fmt.Fprint(w, "the account of ", s.User())
	})))
	show(mw.Handler(mux), "/account", "/login", "/account")
	// Output:
	// /account: 401 {"error":"Authentication required","reason":"none"}
	// /login: 200 welcome
	// /account: 200 the account of alice
}
