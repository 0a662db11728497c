package fibersessions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/valyala/fasthttp"
)

// New returns the middleware for an app or a group. On a request that has it
// already it does nothing. It panics when mw is nil.
func New(mw *nethttp.Middleware) fiber.Handler {
	check(mw)
	return around(mw.Handler)
}

// Require is New for a group that only signed-in visitors may enter. All others
// are answered as nethttp.Options.Unauthorized says.
func Require(mw *nethttp.Middleware) fiber.Handler {
	check(mw)
	return around(mw.Require)
}

// RequireFresh is Require for users who have proved in the last d who they are: see
// nethttp.Middleware.RequireFresh.
func RequireFresh(mw *nethttp.Middleware, d time.Duration) fiber.Handler {
	check(mw)
	return around(func(next http.Handler) http.Handler { return mw.RequireFresh(d, next) })
}

// RequireMethods is Require for users who last proved by these methods who they are: see
// nethttp.Middleware.RequireMethods.
func RequireMethods(mw *nethttp.Middleware, methods ...string) fiber.Handler {
	check(mw)
	return around(func(next http.Handler) http.Handler { return mw.RequireMethods(next, methods...) })
}

// Quiet is New for a group that no person asks for, such as polls: its requests are no
// use of the session. See nethttp.Middleware.Quiet.
func Quiet(mw *nethttp.Middleware) fiber.Handler {
	check(mw)
	return around(mw.Quiet)
}

// Status answers how long the session lasts, and extends it: see
// nethttp.Middleware.StatusHandler. Script serves the script that asks it.
func Status(mw *nethttp.Middleware) fiber.Handler {
	check(mw)
	return around(func(http.Handler) http.Handler { return mw.StatusHandler() })
}

// Script serves the script that warns before the session ends: see
// nethttp.Middleware.ScriptHandler.
func Script(mw *nethttp.Middleware) fiber.Handler {
	check(mw)
	return around(func(http.Handler) http.Handler { return mw.ScriptHandler() })
}

func check(mw *nethttp.Middleware) {
	if mw == nil {
		panic("fibersessions: the middleware is nil: make it with sessions.New, and look at its error")
	}
}

// From returns the session of the request, as nethttp.From does. It outlives the
// handler, which c does not.
func From(c fiber.Ctx) (*nethttp.Session, error) {
	s, err := nethttp.FromContext(c.Context())
	if errors.Is(err, nethttp.ErrNoHandler) {
		err = fmt.Errorf("%w; with fiber: app.Use(fibersessions.New(app)), before the routes and middlewares that need it", err)
	}
	return s, err
}

// ReturnTo returns the page that a visitor wanted before they were sent to the
// login page, or otherwise: see nethttp.ReturnTo.
func ReturnTo(c fiber.Ctx, otherwise string) string {
	if target := c.FormValue("return_to"); nethttp.IsLocal(target) {
		return strings.Clone(target) // c is used again
	}
	return otherwise
}

// LoginReason says on a login page why the visitor is not signed in any more, or
// nothing: see nethttp.LoginReason.
func LoginReason(c fiber.Ctx) string { return nethttp.LoginReason(request(c)) }

// around runs the rest of a request's handlers inside of a net/http middleware,
// which sees a copy of the request, and of the answer as they leave it. An error is
// handled by the outermost, so that middlewares between two of them, such as New and
// Require, see it.
func around(wrap func(http.Handler) http.Handler) fiber.Handler {
	return func(c fiber.Ctx) (err error) {
		outer, seen := c.Context(), request(c)
		a := &answer{response: c.Response()}
		defer func() { // also for who recovers outside
			if !c.IsAbandoned() {
				c.SetContext(outer)
			}
		}()
		wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r == seen { // the middleware stands further out, too
				err = c.Next()
				return
			}
			c.SetContext(r.Context())
			failed := c.Next()
			switch {
			case !c.IsAbandoned():
				if failed != nil {
					handle(c, failed)
				}
			case outer.Err() == nil: // a timeout inside: its handler goes on, with c.Response
				a.response = c.RequestCtx().LastTimeoutErrorResponse()
			default: // one outside, which has answered: nobody gets this answer
				a.response = new(fasthttp.Response)
			}
			a.header, a.before = nil, nil                     // to be copied once more
			if http.NewResponseController(w).Flush() != nil { // commits; an error page is in a
				a.WriteHeader(http.StatusInternalServerError) // where Options.Failed wrote none
			}
		})).ServeHTTP(a, seen)
		a.send()
		return err
	}
}

// handle has the application's error handler answer.
func handle(c fiber.Ctx, err error) {
	if c.App().ErrorHandler(c, rejected(c.Context(), err)) != nil {
		_ = c.SendStatus(http.StatusInternalServerError)
	}
}

// rejected discards what the request has changed, and gives the errors of sessions
// their status, unless they have one.
func rejected(ctx context.Context, err error) error {
	status, text, ours := nethttp.Reject(ctx, err)
	if _, has := errors.AsType[*fiber.Error](err); has || !ours {
		return err
	}
	return &failure{fiber.NewError(status, text), err}
}

// failure is an error of fiber's that was one of ours.
type failure struct {
	shown *fiber.Error
	cause error
}

func (f *failure) Error() string   { return f.shown.Message }
func (f *failure) Unwrap() []error { return []error{f.shown, f.cause} }
