package frameworks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
	"github.com/urfave/negroni/v3"
)

// careful is what the documentation recommends.
var careful = map[string]func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler{
	"gin": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		e := gin.Default()
		e.Any("/", func(c *gin.Context) { page(c.Writer, c.Request) })
		return h.Handler(e)
	},
	"echo": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		e := echo.New()
		e.Any("/", func(c echo.Context) error { page(c.Response(), c.Request()); return nil })
		return h.Handler(e)
	},
	"echo.WrapMiddleware": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		e := echo.New()
		e.Use(echo.WrapMiddleware(h.Handler))
		e.Any("/", func(c echo.Context) error { page(c.Response(), c.Request()); return nil })
		return e
	},
	"chi": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		r := chi.NewRouter()
		r.Use(h.Handler)
		r.Handle("/", page)
		return r
	},
	"negroni": func(h *nethttp.Middleware, page http.HandlerFunc) http.Handler {
		n := negroni.New(negroni.NewRecovery())
		n.UseHandler(h.Handler(page))
		return n
	},
}

func TestTheRemedySignsIn(t *testing.T) {
	for name, mount := range careful {
		for _, protocol := range protocols {
			t.Run(name+"/"+protocol, func(t *testing.T) {
				s := open(t)
				server := s.serve(t, protocol, mount(s.mw, func(w http.ResponseWriter, r *http.Request) {
					v, err := nethttp.From(r)
					if err == nil && r.Method == "POST" {
						err = v.Login("alice", 0)
					}
					fmt.Fprint(w, v.User(), err)
				}))
				a := ask(server, "POST", "")
				require.NoError(t, a.err)
				require.Equal(t, 200, a.status)
				cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
				a = ask(server, "GET", cookie)
				require.Equal(t, "alice<nil>", a.body)
				require.Equal(t, "Cookie", a.header.Get("Vary"))
				require.NotContains(t, s.log.String(), "mw.Handler(engine)")
			})
		}
	}
}
