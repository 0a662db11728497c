package echosessions_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
	"github.com/rockstar-web/sessions/conformance/frameworks"
	echosessions "github.com/rockstar-web/sessions/hosts/echo"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func TestEcho(t *testing.T) {
	frameworks.Run(t, frameworks.Framework{Serve: serve, Remedy: "echosessions.New(app)", RecoverFails: true})
}

func serve(t *testing.T, a frameworks.App) string {
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	if a.OnError != nil {
		e.HTTPErrorHandler = func(c *echo.Context, err error) {
			if failed := a.OnError(ctx{c}, err); failed != nil {
				echo.DefaultHTTPErrorHandler(false)(c, errors.Join(err, failed))
			}
		}
	}
	for _, l := range a.Outside {
		e.Use(layer(l))
	}
	for range a.Times {
		e.Use(echosessions.New(a.Middleware))
	}
	for _, l := range a.Inside {
		e.Use(layer(l))
	}
	if a.Page != nil {
		e.Any("/devices", echo.WrapHandler(a.Page))
	}
	for _, r := range a.Routes {
		h := func(c *echo.Context) error { return r.Handle(ctx{c}) }
		var limits []echo.MiddlewareFunc
		if r.Timeout > 0 {
			limits = append(limits, middleware.ContextTimeout(r.Timeout))
		}
		switch r.Ready {
		case frameworks.Status:
			h = echosessions.Status(a.Middleware)
		case frameworks.Script:
			h = echosessions.Script(a.Middleware)
		}
		methods := []string{"GET", "HEAD", "POST"}
		group := e.Group(r.Path)
		switch {
		case r.Private:
			group.Use(echosessions.Require(a.Middleware))
		case r.Fresh > 0:
			group.Use(echosessions.RequireFresh(a.Middleware, r.Fresh))
		case len(r.Methods) > 0:
			group.Use(echosessions.RequireMethods(a.Middleware, r.Methods...))
		case r.Quiet:
			group.Use(echosessions.Quiet(a.Middleware))
		default:
			e.Match(methods, r.Path, h, limits...)
			continue
		}
		group.Match(methods, "", h, limits...)
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server.URL
}

func layer(l frameworks.Layer) echo.MiddlewareFunc {
	switch l.Kind {
	case frameworks.Recover:
		return middleware.Recover()
	case frameworks.Gzip:
		return middleware.Gzip()
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			if err := l.Call(ctx{c}); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// ctx is a request of echo.
type ctx struct{ c *echo.Context }

func (c ctx) Context() context.Context           { return c.c.Request().Context() }
func (c ctx) Session() (*nethttp.Session, error) { return echosessions.From(c.c) }
func (c ctx) Header(name, value string)          { c.c.Response().Header().Set(name, value) }
func (c ctx) Text(status int, text string) error { return c.c.String(status, text) }
func (c ctx) Redirect(to string) error           { return c.c.Redirect(http.StatusSeeOther, to) }

func (c ctx) Stream(events <-chan string) error {
	c.c.Response().Header().Set("Content-Type", "text/event-stream")
	for e := range events {
		fmt.Fprintf(c.c.Response(), "data: %s\n\n", e)
		if err := http.NewResponseController(c.c.Response()).Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (c ctx) Upgrade(greeting string) error {
	conn, _, err := http.NewResponseController(c.c.Response()).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Accept: "+frameworks.Accept()+"\r\n\r\n"+string(frameworks.Frame(greeting)))
	return err
}
