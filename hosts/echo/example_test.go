package echosessions_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
	echosessions "github.com/rockstar-web/sessions/hosts/echo"
)

// A counter for each visitor, and a page for those who have signed in.
func Example() {
	app := newApp()
	defer app.Close()
	e := echo.New()
	e.Use(middleware.Recover(), echosessions.New(app))
	e.GET("/", func(c *echo.Context) error {
		s, err := echosessions.From(c)
		if err != nil {
			return err
		}
		n, err := s.Add("visits", 1)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, fmt.Sprint("visit ", n))
	})
	e.GET("/login", func(c *echo.Context) error { // of an application: POST, and look at the password
		s, err := echosessions.From(c)
		if err != nil {
			return err
		}
		if err := s.Login("alice", 0); err != nil {
			return err
		}
		return c.String(http.StatusOK, "welcome")
	})
	account := e.Group("/account", echosessions.Require(app))
	account.GET("", func(c *echo.Context) error {
		s, err := echosessions.From(c)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, "the account of "+s.User())
	})

	server := httptest.NewServer(e)
	defer server.Close()
	visit(server.URL, "/", "/", "/account", "/login", "/account", "/")
	// Output:
	// 200 visit 1
	// 200 visit 2
	// 401 {"error":"Authentication required","reason":"none"}
	//
	// 200 welcome
	// 200 the account of alice
	// 200 visit 3
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
