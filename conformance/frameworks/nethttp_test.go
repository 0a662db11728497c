package frameworks_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rockstar-web/sessions/conformance/frameworks"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// TestNetHTTP holds net/http itself to the table that adapters are held to.
func TestNetHTTP(t *testing.T) {
	frameworks.Run(t, frameworks.Framework{Serve: serve, Remedy: "(*nethttp.Middleware).Handler", GoesOn: true})
}

type middleware = func(http.Handler) http.Handler

func serve(t *testing.T, a frameworks.App) string {
	mux := http.NewServeMux()
	for _, r := range a.Routes {
		h := handler(a, r.Handle)
		if r.Timeout > 0 {
			h = http.TimeoutHandler(h, r.Timeout, "timeout")
		}
		switch r.Ready {
		case frameworks.Status:
			h = a.Middleware.StatusHandler()
		case frameworks.Script:
			h = a.Middleware.ScriptHandler()
		}
		if r.Private {
			h = a.Middleware.Require(h)
		}
		if r.Fresh > 0 {
			h = a.Middleware.RequireFresh(r.Fresh, h)
		}
		if len(r.Methods) > 0 {
			h = a.Middleware.RequireMethods(h, r.Methods...)
		}
		if r.Quiet {
			h = a.Middleware.Quiet(h)
		}
		path := r.Path
		if path == "/" {
			path = "/{$}"
		}
		mux.Handle(path, h)
	}
	if a.Page != nil {
		mux.Handle("/devices", a.Page)
	}
	h := wrap(mux, a, a.Inside)
	for range a.Times {
		h = a.Middleware.Handler(h)
	}
	server := httptest.NewUnstartedServer(wrap(h, a, a.Outside))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func handler(a frameworks.App, f func(frameworks.Ctx) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(a, ctx{w, r}, f) })
}

func answer(a frameworks.App, c ctx, f func(frameworks.Ctx) error) (passed bool) {
	err := f(c)
	if err != nil {
		_, _, _ = nethttp.Reject(c.r.Context(), err)
	}
	if err != nil && a.OnError != nil {
		err = a.OnError(c, err)
	}
	if err != nil {
		status, text := nethttp.Failure(err)
		http.Error(c.w, text, status)
	}
	return err == nil
}

func wrap(h http.Handler, a frameworks.App, layers []frameworks.Layer) http.Handler {
	for i := len(layers) - 1; i >= 0; i-- {
		h = map[frameworks.Kind]middleware{
			frameworks.Gzip: compress, frameworks.Recover: recovers, frameworks.Call: calls(a, layers[i].Call),
		}[layers[i].Kind](h)
	}
	return h
}

func calls(a frameworks.App, f func(frameworks.Ctx) error) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if answer(a, ctx{w, r}, f) {
				next.ServeHTTP(w, r)
			}
		})
	}
}

func recovers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "a mistake", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		next.ServeHTTP(packed{w, z}, r)
	})
}

type packed struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (p packed) Write(b []byte) (int, error) { return p.z.Write(b) }

// ctx is a request of net/http.
type ctx struct {
	w http.ResponseWriter
	r *http.Request
}

func (c ctx) Context() context.Context           { return c.r.Context() }
func (c ctx) Session() (*nethttp.Session, error) { return nethttp.From(c.r) }
func (c ctx) Header(name, value string)          { c.w.Header().Set(name, value) }

func (c ctx) Text(status int, text string) error {
	c.w.WriteHeader(status)
	_, err := io.WriteString(c.w, text)
	return err
}

func (c ctx) Redirect(to string) error {
	http.Redirect(c.w, c.r, to, http.StatusSeeOther)
	return nil
}

func (c ctx) Stream(events <-chan string) error {
	c.w.Header().Set("Content-Type", "text/event-stream")
	for e := range events {
		fmt.Fprintf(c.w, "data: %s\n\n", e)
		if err := http.NewResponseController(c.w).Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (c ctx) Upgrade(greeting string) error {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n", frameworks.Accept())
	_, err = conn.Write(frameworks.Frame(greeting))
	return err
}
