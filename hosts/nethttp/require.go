package nethttp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rockstar-web/sessions/hosts"
)

// ErrNotSignedIn means that the visitor has a session, and it is anonymous.
var ErrNotSignedIn = errors.New("nobody is signed in")

// ErrLoginRequired means that Require stands before the login page, which then
// nobody can reach.
var ErrLoginRequired = errors.New("the login page itself requires a login: leave the path in Options.LoginPath out of Require")

// Require lets only requests with a signed-in user through to next. It brings
// its own Handler where there is none. With Options.LoginPath people are sent
// there, see [ToLogin]; all others get Options.Unauthorized.
func (h *Middleware) Require(next http.Handler) http.Handler {
	return h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := h.From(r)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		if v.User() != "" {
			next.ServeHTTP(w, r)
			return
		}
		h.refuse(w, r, v)
	}))
}

// refuse answers a request that needs a user and has none.
func (h *Middleware) refuse(w http.ResponseWriter, r *http.Request, v *Session) {
	err := v.Refusal()
	if err == nil {
		err = ErrNotSignedIn
	}
	h.sendTo(h.o.LoginPath, w, r, err, ErrLoginRequired)
}

// checkPage refuses a LoginPath or the like that is no page of this origin.
func checkPage(field, path string) error {
	if path == "" || IsLocal(path) && !strings.Contains(path, "#") {
		return nil
	}
	return fmt.Errorf("nethttp: %w", &hosts.ConfigError{Field: field, Value: path,
		Allowed: "a path of this origin such as /login, with a query or without; without //, dot segments, backslashes and fragment"})
}
