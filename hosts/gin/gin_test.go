package ginsessions_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/rockstar-web/sessions/conformance/frameworks"
	ginsessions "github.com/rockstar-web/sessions/hosts/gin"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func TestGin(t *testing.T) {
	frameworks.Run(t, frameworks.Framework{Serve: serve, Remedy: "ginsessions.New(app)"})
}

func serve(t *testing.T, a frameworks.App) string {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	for _, l := range a.Outside {
		e.Use(layer(a, l))
	}
	for range a.Times {
		e.Use(ginsessions.New(a.Middleware))
	}
	if a.OnError != nil {
		e.Use(func(c *gin.Context) {
			c.Next()
			if err := c.Errors.Last(); err != nil {
				if s, failed := ginsessions.From(c); failed == nil {
					_ = s.Discard()
				}
				_ = a.OnError(ctx{c}, err.Err)
			}
		})
	}
	for _, l := range a.Inside {
		e.Use(layer(a, l))
	}
	if a.Page != nil {
		e.Any("/devices", gin.WrapH(a.Page))
	}
	private, quiet := e.Group("", ginsessions.Require(a.Middleware)), e.Group("", ginsessions.Quiet(a.Middleware))
	for _, r := range a.Routes {
		group := &e.RouterGroup
		if r.Private {
			group = private
		}
		if r.Fresh > 0 {
			group = e.Group("", ginsessions.RequireFresh(a.Middleware, r.Fresh))
		}
		if len(r.Methods) > 0 {
			group = e.Group("", ginsessions.RequireMethods(a.Middleware, r.Methods...))
		}
		if r.Quiet {
			group = quiet
		}
		h := func(c *gin.Context) {
			if r.Timeout > 0 {
				limited, cancel := context.WithTimeout(c.Request.Context(), r.Timeout)
				defer cancel()
				c.Request = c.Request.WithContext(limited)
			}
			answer(a, c, r.Handle)
		}
		switch r.Ready {
		case frameworks.Status:
			h = ginsessions.Status(a.Middleware)
		case frameworks.Script:
			h = ginsessions.Script(a.Middleware)
		}
		group.Match([]string{"GET", "HEAD", "POST"}, r.Path, h)
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server.URL
}

// answer calls a handler; an error is for the error handler or is answered.
func answer(a frameworks.App, c *gin.Context, f func(frameworks.Ctx) error) {
	switch err := f(ctx{c}); {
	case err == nil:
	case a.OnError != nil:
		_ = c.Error(err)
		c.Abort()
	default:
		ginsessions.Abort(c, err)
	}
}

func layer(a frameworks.App, l frameworks.Layer) gin.HandlerFunc {
	switch l.Kind {
	case frameworks.Recover:
		return gin.RecoveryWithWriter(io.Discard)
	case frameworks.Gzip:
		return compress
	}
	return func(c *gin.Context) { answer(a, c, l.Call) }
}

// compress does as gin-contrib/gzip does.
func compress(c *gin.Context) {
	c.Header("Content-Encoding", "gzip")
	w := c.Writer
	z := gzip.NewWriter(w)
	c.Writer = packed{w, z}
	defer func() {
		_ = z.Close()
		c.Writer = w
	}()
	c.Next()
}

type packed struct {
	gin.ResponseWriter
	z *gzip.Writer
}

func (p packed) Write(b []byte) (int, error)       { return p.z.Write(b) }
func (p packed) WriteString(s string) (int, error) { return p.z.Write([]byte(s)) }

// ctx is a request of gin.
type ctx struct{ c *gin.Context }

func (c ctx) Context() context.Context           { return c.c.Request.Context() }
func (c ctx) Session() (*nethttp.Session, error) { return ginsessions.From(c.c) }
func (c ctx) Header(name, value string)          { c.c.Header(name, value) }

func (c ctx) Text(status int, text string) error {
	c.c.String(status, "%s", text)
	return nil
}

func (c ctx) Redirect(to string) error {
	c.c.Redirect(http.StatusSeeOther, to)
	return nil
}

func (c ctx) Stream(events <-chan string) error {
	c.c.Header("Content-Type", "text/event-stream")
	c.c.Stream(func(w io.Writer) bool {
		e, more := <-events
		if more {
			fmt.Fprintf(w, "data: %s\n\n", e)
		}
		return more
	})
	return nil
}

func (c ctx) Upgrade(greeting string) error {
	conn, _, err := c.c.Writer.Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n", frameworks.Accept())
	_, err = conn.Write(frameworks.Frame(greeting))
	return err
}
