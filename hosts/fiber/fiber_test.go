package fibersessions_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gofiber/fiber/v3/middleware/compress"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/timeout"
	"github.com/rockstar-web/sessions/conformance/frameworks"
	fibersessions "github.com/rockstar-web/sessions/hosts/fiber"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

func TestFiber(t *testing.T) {
	frameworks.Run(t, frameworks.Framework{Serve: serve, Remedy: "fibersessions.New(app)", GoesOn: true, RecoverFails: true})
}

func serve(t *testing.T, a frameworks.App) string {
	config := fiber.Config{}
	if a.OnError != nil {
		config.ErrorHandler = func(c fiber.Ctx, err error) error { return a.OnError(ctx{c}, err) }
	}
	app := fiber.New(config)
	for _, l := range a.Outside {
		app.Use(layer(l))
	}
	for range a.Times {
		app.Use(fibersessions.New(a.Middleware))
	}
	for _, l := range a.Inside {
		app.Use(layer(l))
	}
	if a.Page != nil {
		app.All("/devices", adaptor.HTTPHandler(a.Page))
	}
	for _, r := range a.Routes {
		h := func(c fiber.Ctx) error { return r.Handle(ctx{c}) }
		if r.Timeout > 0 {
			h = timeout.New(h, timeout.Config{Timeout: r.Timeout})
		}
		switch r.Ready {
		case frameworks.Status:
			h = fibersessions.Status(a.Middleware)
		case frameworks.Script:
			h = fibersessions.Script(a.Middleware)
		}
		switch {
		case r.Private:
			app.All(r.Path, fibersessions.Require(a.Middleware), h)
		case r.Fresh > 0:
			app.All(r.Path, fibersessions.RequireFresh(a.Middleware, r.Fresh), h)
		case len(r.Methods) > 0:
			app.All(r.Path, fibersessions.RequireMethods(a.Middleware, r.Methods...), h)
		case r.Quiet:
			app.All(r.Path, fibersessions.Quiet(a.Middleware), h)
		default:
			app.All(r.Path, h)
		}
	}
	return listen(t, app)
}

func listen(t *testing.T, app *fiber.App) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, app, l)
	return "http://" + l.Addr().String()
}

func serveOn(t *testing.T, app *fiber.App, l net.Listener) {
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() {
		require.NoError(t, app.Shutdown())
		require.NoError(t, <-ended)
	})
}

func layer(l frameworks.Layer) fiber.Handler {
	switch l.Kind {
	case frameworks.Recover:
		return recover.New()
	case frameworks.Gzip:
		return compress.New()
	}
	return func(c fiber.Ctx) error {
		if err := l.Call(ctx{c}); err != nil {
			return err
		}
		return c.Next()
	}
}

// ctx is a request of fiber.
type ctx struct{ c fiber.Ctx }

func (c ctx) Context() context.Context           { return c.c.Context() }
func (c ctx) Session() (*nethttp.Session, error) { return fibersessions.From(c.c) }
func (c ctx) Header(name, value string)          { c.c.Set(name, value) }
func (c ctx) Text(status int, text string) error { return c.c.Status(status).SendString(text) }

func (c ctx) Redirect(to string) error {
	return c.c.Redirect().Status(http.StatusSeeOther).To(to)
}

func (c ctx) Stream(events <-chan string) error {
	c.c.Set("Content-Type", "text/event-stream")
	return c.c.SendStreamWriter(func(w *bufio.Writer) {
		for e := range events {
			fmt.Fprintf(w, "data: %s\n\n", e)
			if w.Flush() != nil {
				return
			}
		}
	})
}

func (c ctx) Upgrade(greeting string) error {
	c.c.Status(http.StatusSwitchingProtocols)
	c.c.Set("Connection", "Upgrade")
	c.c.Set("Upgrade", "websocket")
	c.c.Set("Sec-WebSocket-Accept", frameworks.Accept())
	c.c.RequestCtx().Hijack(func(conn net.Conn) { _, _ = conn.Write(frameworks.Frame(greeting)) })
	return nil
}
