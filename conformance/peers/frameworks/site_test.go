// Package frameworks holds our middleware to what it promises inside of the
// frameworks that people use.
package frameworks

import (
	"bytes"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
	"github.com/urfave/negroni/v3"
	"golang.org/x/net/http2"
)

// careless mounts page in each framework so that it writes past our writer.
var careless = map[string]func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler{
	"net/http": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler { return closed(h, page) },
	"gin.New":  func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler { return ginEngine(gin.New(), h, page) },
	"gin.Default": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		return ginEngine(gin.Default(), h, page)
	},
	"echo": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		e := echo.New()
		e.Use(middleware.Recover(), func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) (err error) {
				h.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					c.SetRequest(r)
					err = next(c)
				})).ServeHTTP(c.Response(), c.Request())
				return err
			}
		})
		e.Any("/", func(c echo.Context) error { page(c.Response(), c.Request()); return nil })
		return e
	},
	"chi": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		r := chi.NewRouter()
		r.Use(chimiddleware.RequestLogger(&chimiddleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0)}), chimiddleware.Recoverer)
		r.Handle("/", closed(h, page))
		return r
	},
	"negroni": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		n := negroni.New(negroni.NewRecovery())
		n.UseHandler(closed(h, page))
		return n
	},
	"gorilla": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		return handlers.RecoveryHandler(handlers.RecoveryLogger(log.New(io.Discard, "", 0)))(handlers.LoggingHandler(io.Discard, closed(h, page)))
	},
}

// closed is a handler that closes over the outer writer.
func closed(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(outer http.ResponseWriter, r *http.Request) {
		h.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { page(outer, r) })).ServeHTTP(outer, r)
	})
}

func ginEngine(e *gin.Engine, h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
	e.Use(func(c *gin.Context) {
		h.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
	})
	e.Any("/", func(c *gin.Context) { page(c.Writer, c.Request) })
	return e
}

type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// site is a server whose sessions are kept in memory.
type site struct {
	t       *testing.T
	memory  *cachestore.Store
	manager *hosts.Manager
	mw      *nethttp.Middleware
	log     logbook
}

func open(t *testing.T) *site {
	gin.SetMode(gin.ReleaseMode)
	gin.DefaultWriter, gin.DefaultErrorWriter = io.Discard, io.Discard
	s := &site{t: t}
	var err error
	s.memory, err = cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	s.manager, err = hosts.New(s.memory, hosts.Config{Key: core.NewSecret("\x8f\x1bA test key, really not for any use"[:32]), AllowInsecure: true, NoCleanup: true,
		Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.manager.Close()) })
	s.mw, err = nethttp.New(s.manager, nethttp.Options{})
	require.NoError(t, err)
	return s
}

// protocols are how a client may speak to the server.
var protocols = []string{"HTTP/1.1", "HTTP/1.1 over TLS", "HTTP/2", "HTTP/2 of x/net"}

func (s *site) serve(t *testing.T, protocol string, h http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(&s.log, "", 0)
	switch protocol {
	case "HTTP/1.1":
		server.Start()
	case "HTTP/2 of x/net":
		//lint:ignore SA1019 servers that are configured so are still in use, and have a writer of their own
		require.NoError(t, http2.ConfigureServer(server.Config, nil))
		server.TLS, server.EnableHTTP2 = server.Config.TLSConfig, true
		server.StartTLS()
	default:
		server.EnableHTTP2 = protocol == "HTTP/2"
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	return server
}

// answer is what a client sees; err is also that of a body that is cut off.
type answer struct {
	proto  int // the major version of HTTP
	status int
	header http.Header
	body   string
	err    error
}

func ask(server *httptest.Server, method, cookie string) answer {
	r, err := http.NewRequest(method, server.URL, nil)
	if err != nil {
		return answer{err: err}
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	resp, err := server.Client().Transport.RoundTrip(r)
	if err != nil {
		return answer{err: err}
	}
	body, err := io.ReadAll(resp.Body)
	return answer{resp.ProtoMajor, resp.StatusCode, resp.Header, string(body), errors.Join(err, resp.Body.Close())}
}
