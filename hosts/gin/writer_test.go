package ginsessions_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	ginsessions "github.com/rockstar-web/sessions/hosts/gin"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// open returns a middleware over a memory store, and what it logs.
func open(t *testing.T) (*nethttp.Middleware, *cachestore.Store, *bytes.Buffer) {
	gin.SetMode(gin.ReleaseMode)
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	log := new(bytes.Buffer)
	manager, err := hosts.New(store, hosts.Config{Key: core.NewSecret("\x8f\x1bA test key, really not for any use"[:32]),
		AllowInsecure: true, NoCleanup: true, Logger: slog.New(slog.NewTextHandler(log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, manager.Close()) })
	mw, err := nethttp.New(manager, nethttp.Options{})
	require.NoError(t, err)
	return mw, store, log
}

// get asks a real server for a page.
func get(t *testing.T, e http.Handler, method, path string) (*http.Response, string) {
	server := httptest.NewServer(e)
	defer server.Close()
	r, err := http.NewRequest(method, server.URL+path, nil)
	require.NoError(t, err)
	resp, err := server.Client().Transport.RoundTrip(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	return resp, string(body)
}

func login(t *testing.T, c *gin.Context) {
	s, err := ginsessions.From(c)
	if err == nil {
		err = s.Login("alice", 0)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestWaysToAnswer: each of gin's carries the cookie, and gin's own account of the
// answer is right outside of the middleware, too.
func TestWaysToAnswer(t *testing.T) {
	ways := []struct {
		name   string
		answer gin.HandlerFunc
		status int
		size   int
		body   string
	}{
		{"nothing", func(*gin.Context) {}, 200, -1, ""},
		{"status", func(c *gin.Context) { c.Status(204) }, 204, -1, ""},
		{"abort", func(c *gin.Context) { c.AbortWithStatus(418) }, 418, 0, ""},
		{"string", func(c *gin.Context) { c.String(201, "tea") }, 201, 3, "tea"},
		{"json", func(c *gin.Context) { c.JSON(200, gin.H{"tea": 1}) }, 200, 9, `{"tea":1}`},
		{"write", func(c *gin.Context) { _, _ = c.Writer.Write([]byte("tea")) }, 200, 3, "tea"},
		{"write string", func(c *gin.Context) { _, _ = c.Writer.WriteString("tea") }, 200, 3, "tea"},
		{"now", func(c *gin.Context) { c.Status(202); c.Writer.WriteHeaderNow(); c.Writer.WriteHeaderNow() }, 202, 0, ""},
		{"flush", func(c *gin.Context) { c.Status(202); c.Writer.Flush() }, 202, 0, ""},
		{"redirect", func(c *gin.Context) { c.Redirect(303, "/") }, 303, -1, ""},
		{"net/http", func(c *gin.Context) { http.Error(c.Writer, "tea", http.StatusServiceUnavailable) }, 503, 4, "tea\n"},
		{"file", func(c *gin.Context) { c.File("go.mod") }, 200, 0, ""},
	}
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			mw, store, _ := open(t)
			e := gin.New()
			e.Use(func(c *gin.Context) {
				before := c.Writer
				c.Next()
				if c.Writer != before || c.Writer.Status() != w.status {
					t.Error(c.Writer.Status())
				}
				if w.name != "file" && c.Writer.Size() != w.size {
					t.Error(c.Writer.Size())
				}
			}, ginsessions.New(mw))
			e.POST("/", func(c *gin.Context) {
				login(t, c)
				w.answer(c)
			})
			resp, body := get(t, e, http.MethodPost, "/")
			require.Equal(t, w.status, resp.StatusCode)
			require.Len(t, resp.Cookies(), 1)
			require.Equal(t, 1, store.Stats().Sessions)
			if w.name == "file" {
				require.Contains(t, body, "hosts/gin")
			} else {
				require.Equal(t, w.body, body)
			}
		})
	}
}

// TestANaiveAdapterIsToldOfThisOne: gin's handlers answer past the writer, without
// the cookie, so that a login is refused.
func TestANaiveAdapterIsToldOfThisOne(t *testing.T) {
	mw, store, log := open(t)
	e := gin.New()
	e.Use(func(c *gin.Context) {
		mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
	})
	e.POST("/", func(c *gin.Context) {
		login(t, c)
		c.String(200, "welcome")
	})
	resp, body := get(t, e, http.MethodPost, "/")
	require.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	require.Equal(t, "The session of this request cannot be stored: a fault of this server.\n", body)
	require.Zero(t, store.Stats().Sessions)
	require.Contains(t, log.String(), "use its adapter (hosts/gin, hosts/echo)")
}

// TestAbortAnswersAndKeepsTheError, for the log.
func TestAbortAnswersAndKeepsTheError(t *testing.T) {
	mw, _, _ := open(t)
	e := gin.New()
	e.Use(func(c *gin.Context) {
		c.Next()
		if !c.IsAborted() || !errors.Is(c.Errors.Last(), hosts.ErrBusy) {
			t.Error(c.Errors)
		}
	}, ginsessions.New(mw))
	e.GET("/", func(c *gin.Context) { ginsessions.Abort(c, hosts.ErrBusy) }, func(*gin.Context) { t.Error("a handler behind Abort") })
	resp, body := get(t, e, http.MethodGet, "/")
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Contains(t, body, "The session store does not answer.")
}

// TestAbortLogsFaultsAndStoresNothing: those of the application, too, since the
// answer says that they are logged.
func TestAbortLogsFaultsAndStoresNothing(t *testing.T) {
	mw, store, log := open(t)
	for _, failed := range []error{errors.New("db down"), core.ErrType} {
		log.Reset()
		e := gin.New()
		e.Use(ginsessions.New(mw))
		e.POST("/", func(c *gin.Context) {
			login(t, c)
			ginsessions.Abort(c, failed)
		})
		resp, body := get(t, e, http.MethodPost, "/")
		require.Equal(t, http.StatusInternalServerError, resp.StatusCode)
		require.NotContains(t, body, failed.Error())
		require.Empty(t, resp.Cookies())
		require.Zero(t, store.Stats().Sessions)
		require.Contains(t, log.String(), failed.Error())
	}
}

// TestACopyOutlivesTheHandler, and can store nothing.
func TestACopyOutlivesTheHandler(t *testing.T) {
	mw, _, _ := open(t)
	var work sync.WaitGroup
	over := make(chan struct{})
	e := gin.New()
	e.Use(ginsessions.New(mw))
	e.POST("/", func(c *gin.Context) {
		login(t, c)
		later := c.Copy()
		work.Go(func() {
			<-over
			s, err := ginsessions.From(later)
			if err != nil || s.User() != "alice" || !errors.Is(s.Put("n", 1), nethttp.ErrCommitted) {
				t.Error(s, err)
			}
		})
		c.String(200, "welcome")
	})
	get(t, e, http.MethodPost, "/")
	close(over)
	work.Wait()
}

func TestWithoutAMiddlewareTheProgramDoesNotStart(t *testing.T) {
	const sentence = "ginsessions: the middleware is nil: make it with sessions.New, and look at its error"
	require.PanicsWithValue(t, sentence, func() { ginsessions.New(nil) })
	require.PanicsWithValue(t, sentence, func() { ginsessions.Require(nil) })
}
