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

// FromContext is From for code that has only the request's context.
func FromContext(ctx context.Context) (*Session, error) { return nethttp.FromContext(ctx) }

// Failure returns the HTTP status for an error of a session, and a sentence that can
// be shown to the visitor. HandlerFunc does it by itself.
func Failure(err error) (status int, text string) { return nethttp.Failure(err) }

// ReturnTo returns the page that a visitor wanted before they were sent to the login
// page, or otherwise if there is none. It only returns paths of this origin.
func ReturnTo(r *http.Request, otherwise string) string { return nethttp.ReturnTo(r, otherwise) }

// LoginReason returns a sentence for the login page that says why the visitor's session
// is over, or "" if they had none.
func LoginReason(r *http.Request) string { return nethttp.LoginReason(r) }
