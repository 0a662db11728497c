package sessions

import (
	"context"
	"net/http"

	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// From returns the session of a request that came through a Middleware. A visitor
// without one gets a new session, of which nothing is stored until something is in
// it. The error says that the middleware is missing, or wraps ErrUnavailable.
func From(r *http.Request) (*Session, error) { return nethttp.From(r) }

// FromContext is From for code that has the request's context alone.
func FromContext(ctx context.Context) (*Session, error) { return nethttp.FromContext(ctx) }

// Failure says in HTTP what an error of a session means: the status, and a
// sentence fit for a visitor. HandlerFunc does it by itself.
func Failure(err error) (status int, text string) { return nethttp.Failure(err) }

// ReturnTo returns the page that a visitor wanted before they were sent to the
// login page, or otherwise: only a path of this origin, whatever the request says.
func ReturnTo(r *http.Request, otherwise string) string { return nethttp.ReturnTo(r, otherwise) }

// LoginReason returns the sentence for a login page that says why the visitor's
// session is over; nothing where they had none.
func LoginReason(r *http.Request) string { return nethttp.LoginReason(r) }
