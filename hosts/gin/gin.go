package ginsessions

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// New returns the middleware for a router or a group. On a request that has it
// already it does nothing. It panics when mw is nil.
func New(mw *nethttp.Middleware) gin.HandlerFunc {
	check(mw)
	return around(mw.Handler)
}

// Require is New for a group that only signed-in visitors may enter. All others
// are answered as nethttp.Options.Unauthorized says, and the request is aborted.
func Require(mw *nethttp.Middleware) gin.HandlerFunc {
	check(mw)
	return around(mw.Require)
}

// RequireFresh is Require for users who have proved in the last d who they are: see
// nethttp.Middleware.RequireFresh.
func RequireFresh(mw *nethttp.Middleware, d time.Duration) gin.HandlerFunc {
	check(mw)
	return around(func(next http.Handler) http.Handler { return mw.RequireFresh(d, next) })
}

// RequireMethods is Require for users who last proved by these methods who they are: see
// nethttp.Middleware.RequireMethods.
func RequireMethods(mw *nethttp.Middleware, methods ...string) gin.HandlerFunc {
	check(mw)
	return around(func(next http.Handler) http.Handler { return mw.RequireMethods(next, methods...) })
}

// Quiet is New for a group that no person asks for, such as polls: its requests are no
// use of the session. See nethttp.Middleware.Quiet.
func Quiet(mw *nethttp.Middleware) gin.HandlerFunc {
	check(mw)
	return around(mw.Quiet)
}

// Status answers how long the session lasts, and extends it: see
// nethttp.Middleware.StatusHandler. Script serves the script that asks it.
func Status(mw *nethttp.Middleware) gin.HandlerFunc {
	check(mw)
	return around(func(http.Handler) http.Handler { return mw.StatusHandler() })
}

// Script serves the script that warns before the session ends: see
// nethttp.Middleware.ScriptHandler.
func Script(mw *nethttp.Middleware) gin.HandlerFunc {
	check(mw)
	return around(func(http.Handler) http.Handler { return mw.ScriptHandler() })
}

func check(mw *nethttp.Middleware) {
	if mw == nil {
		panic("ginsessions: the middleware is nil: make it with sessions.New, and look at its error")
	}
}

// From returns the session of the request, as nethttp.From does.
func From(c *gin.Context) (*nethttp.Session, error) {
	s, err := nethttp.From(c.Request)
	if errors.Is(err, nethttp.ErrNoHandler) {
		err = fmt.Errorf("%w; with gin: router.Use(ginsessions.New(app)), before the routes and middlewares that need it", err)
	}
	return s, err
}

// Abort answers with what nethttp.Failure says of an error, keeps the error in
// c.Errors for the log, and ends the request. What the request has changed is
// discarded, unless the error is nethttp.ErrNotSignedIn. A fault of the program is
// logged by the manager, too.
func Abort(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
	status, text, ours := nethttp.Reject(c.Request.Context(), err)
	if !ours { // answered as one of ours, and so logged as one
		_, _, _ = nethttp.Reject(c.Request.Context(), &nethttp.StatusError{Status: status, Text: http.StatusText(status), Err: err})
	}
	c.String(status, text)
}

// around runs the rest of a request's handlers inside of a net/http middleware.
func around(wrap func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		w, r, passed := c.Writer, c.Request, false
		defer func() { c.Writer, c.Request = w, r }() // also for who recovers outside
		wrap(http.HandlerFunc(func(inner http.ResponseWriter, r *http.Request) {
			passed = true
			c.Writer, c.Request = &writer{w, inner}, r
			c.Next()
		})).ServeHTTP(w, r)
		if !passed {
			c.Abort()
		}
	}
}
