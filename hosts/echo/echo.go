package echosessions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// New returns the middleware for an echo or a group. On a request that has it
// already it does nothing. It panics when mw is nil.
func New(mw *nethttp.Middleware) echo.MiddlewareFunc {
	check(mw)
	return around(mw.Handler)
}

// Require is New for a group that only signed-in visitors may enter. All others
// are answered as nethttp.Options.Unauthorized says.
func Require(mw *nethttp.Middleware) echo.MiddlewareFunc {
	check(mw)
	return around(mw.Require)
}

// RequireFresh is Require for users who have proved in the last d who they are: see
// nethttp.Middleware.RequireFresh.
func RequireFresh(mw *nethttp.Middleware, d time.Duration) echo.MiddlewareFunc {
	check(mw)
	return around(func(next http.Handler) http.Handler { return mw.RequireFresh(d, next) })
}

// RequireMethods is Require for users who last proved by these methods who they are: see
// nethttp.Middleware.RequireMethods.
func RequireMethods(mw *nethttp.Middleware, methods ...string) echo.MiddlewareFunc {
	check(mw)
	return around(func(next http.Handler) http.Handler { return mw.RequireMethods(next, methods...) })
}

// Quiet is New for a group that no person asks for, such as polls: its requests are no
// use of the session. See nethttp.Middleware.Quiet.
func Quiet(mw *nethttp.Middleware) echo.MiddlewareFunc {
	check(mw)
	return around(mw.Quiet)
}

// Status answers how long the session lasts, and extends it: see
// nethttp.Middleware.StatusHandler. Script serves the script that asks it.
func Status(mw *nethttp.Middleware) echo.HandlerFunc {
	check(mw)
	return around(func(http.Handler) http.Handler { return mw.StatusHandler() })(nil)
}

// Script serves the script that warns before the session ends: see
// nethttp.Middleware.ScriptHandler.
func Script(mw *nethttp.Middleware) echo.HandlerFunc {
	check(mw)
	return around(func(http.Handler) http.Handler { return mw.ScriptHandler() })(nil)
}

func check(mw *nethttp.Middleware) {
	if mw == nil {
		panic("echosessions: the middleware is nil: make it with sessions.New, and look at its error")
	}
}

// From returns the session of the request, as nethttp.From does.
func From(c *echo.Context) (*nethttp.Session, error) {
	s, err := nethttp.From(c.Request())
	if errors.Is(err, nethttp.ErrNoHandler) {
		err = fmt.Errorf("%w; with echo: e.Use(echosessions.New(app)), before the middlewares that need it", err)
	}
	return s, err
}

// around runs the rest of a request's handlers inside of a net/http middleware. An
// error is handled by the outermost, so that middlewares between two of them, such as
// New and Require, see it.
func around(wrap func(http.Handler) http.Handler) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) (err error) {
			w, r := c.Response(), c.Request()
			defer func() { // also for who recovers outside
				c.SetResponse(w)
				c.SetRequest(r)
			}()
			wrap(http.HandlerFunc(func(inner http.ResponseWriter, request *http.Request) {
				if request == r { // the middleware stands further out, too
					err = next(c)
					return
				}
				c.SetRequest(request)
				c.SetResponse(echo.NewResponse(inner, c.Echo().Logger))
				if failed := next(c); failed != nil {
					c.Echo().HTTPErrorHandler(c, rejected(request.Context(), failed))
				}
			})).ServeHTTP(w, r)
			return err
		}
	}
}

// rejected discards what the request has changed, and gives the errors of sessions
// their status, unless they have one.
func rejected(ctx context.Context, err error) error {
	status, text, ours := nethttp.Reject(ctx, err)
	var has echo.HTTPStatusCoder
	if !ours || errors.As(err, &has) {
		return err
	}
	return echo.NewHTTPError(status, text).Wrap(err)
}
