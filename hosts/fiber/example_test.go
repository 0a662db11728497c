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
	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
	fibersessions "github.com/rockstar-web/sessions/hosts/fiber"
)

// A counter for each visitor, and a page for those who have signed in.
func Example() {
	app := newApp()
	defer app.Close()
	router := fiber.New()
	router.Use(recover.New(), fibersessions.New(app))
	router.Get("/", func(c fiber.Ctx) error {
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
	router.Get("/login", func(c fiber.Ctx) error { // of an application: POST, and look at the password
		s, err := fibersessions.From(c)
		if err != nil {
			return err
		}
		if err := s.Login("alice", 0); err != nil {
			return err
		}
		return c.SendString("welcome")
	})
	account := router.Group("/account", fibersessions.Require(app))
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
	go func() { ended <- router.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	visit("http://"+listener.Addr().String(), "/", "/", "/account", "/login", "/account", "/")
	fmt.Println(router.Shutdown(), <-ended)
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

// newApp keeps sessions in memory, for plain HTTP on this machine. With
// sessions.Config{} the key is that of the environment, and cookies are Secure.
func newApp() *sessions.Middleware {
	store, err := cachestore.Open(cachestore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	key, err := sessions.KeyFromSecret("bD4qVt8Wm2ZkXr6PyJs9Lc3Hf7Gn5RaE") // an example's, not for others
	if err != nil {
		log.Fatal(err)
	}
	app, err := sessions.New(store, sessions.Config{Key: key, AllowInsecure: true})
	if err != nil {
		log.Fatal(err)
	}
	return app
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
