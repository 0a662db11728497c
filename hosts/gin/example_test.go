package ginsessions_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/gin-gonic/gin"
	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/cachestore"
	ginsessions "github.com/rockstar-web/sessions/hosts/gin"
)

// A counter for each visitor, and a page for those who have signed in.
func Example() {
	app := newApp()
	defer app.Close()
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery(), ginsessions.New(app))
	router.GET("/", func(c *gin.Context) {
		s, err := ginsessions.From(c)
		if err != nil {
			ginsessions.Abort(c, err)
			return
		}
		n, err := s.Add("visits", 1)
		if err != nil {
			ginsessions.Abort(c, err)
			return
		}
		c.String(http.StatusOK, "visit %d", n)
	})
	router.GET("/login", func(c *gin.Context) { // of an application: POST, and look at the password
		s, err := ginsessions.From(c)
		if err == nil {
			err = s.Login("alice", 0)
		}
		if err != nil {
			ginsessions.Abort(c, err)
			return
		}
		c.String(http.StatusOK, "welcome")
	})
	account := router.Group("/account", ginsessions.Require(app))
	account.GET("", func(c *gin.Context) {
		s, err := ginsessions.From(c)
		if err != nil {
			ginsessions.Abort(c, err)
			return
		}
		c.String(http.StatusOK, "the account of %s", s.User())
	})

	server := httptest.NewServer(router)
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
