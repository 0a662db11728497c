package fibersessions_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	fibersessions "github.com/rockstar-web/sessions/hosts/fiber"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// A counter for each visitor, and a page for those who have signed in.
func Example() {
	mw := newMiddleware()
	defer mw.Manager().Close()
	app := fiber.New()
	app.Use(recover.New(), fibersessions.New(mw))
	app.Get("/", func(c fiber.Ctx) error {
		s, err := fibersessions.From(c)
		if err != nil {
			return err
		}
		n, err := s.Add("visits", 1)
		if err != nil {
			return err
		}
		return c.SendString(fmt.Sprint("visit ", n))
	})
	app.Get("/login", func(c fiber.Ctx) error { // of an application: POST, and look at the password
		s, err := fibersessions.From(c)
		if err != nil {
			return err
		}
		if err := s.Login("alice", 0); err != nil {
			return err
		}
		return c.SendString("welcome")
	})
	account := app.Group("/account", fibersessions.Require(mw))
	account.Get("/", func(c fiber.Ctx) error {
		s, err := fibersessions.From(c)
		if err != nil {
			return err
		}
		return c.SendString("the account of " + s.User())
	})

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	visit("http://"+listener.Addr().String(), "/", "/", "/account", "/login", "/account", "/")
	fmt.Println(app.Shutdown(), <-ended)
	// Output:
	// 200 visit 1
	// 200 visit 2
	// 401 {"error":"Authentication required","reason":"none"}
	//
	// 200 welcome
	// 200 the account of alice
	// 200 visit 3
	// <nil> <nil>
}

// newMiddleware keeps sessions in memory, for plain HTTP on this machine.
func newMiddleware() *nethttp.Middleware {
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	manager, err := hosts.New(store, hosts.Config{Key: core.NewSecret("\x8f\x1bAn example's key, not for others"[:32]), AllowInsecure: true})
	if err != nil {
		log.Fatal(err)
	}
	mw, err := nethttp.New(manager, nethttp.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return mw
}

// visit asks for pages one after the other, as one browser does.
func visit(url string, paths ...string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range paths {
		resp, err := client.Get(url + path)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(resp.StatusCode, string(body))
	}
}
