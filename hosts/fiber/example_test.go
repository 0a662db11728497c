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
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	manager, err := hosts.New(store, hosts.Config{ // AllowInsecure: plain HTTP, on this machine only
		Key: core.NewSecret("\x8f\x1bAn example's key, not for others"[:32]), AllowInsecure: true})
	if err != nil {
		log.Fatal(err)
	}
	defer manager.Close()
	mw, err := nethttp.New(manager, nethttp.Options{})
	if err != nil {
		log.Fatal(err)
	}

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
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/", "/", "/account", "/login", "/account", "/"} {
		resp, err := client.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.StatusCode, string(body))
	}
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
