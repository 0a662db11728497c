package ginsessions_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/gin-gonic/gin"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	ginsessions "github.com/rockstar-web/sessions/hosts/gin"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// A counter for each visitor, and a page for those who have signed in.
func Example() {
	mw := newMiddleware()
	defer mw.Manager().Close()
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery(), ginsessions.New(mw))
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
	account := router.Group("/account", ginsessions.Require(mw))
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
