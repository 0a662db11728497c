package nethttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// HandlerFunc is a handler that has its session, and may fail.
type HandlerFunc func(w http.ResponseWriter, r *http.Request, s *Session) error

// HandlerFunc gives f its session and answers for it when it fails. It brings its
// own Handler where there is none.
//
// ErrNotSignedIn is answered as by Require. For any other error nothing that f
// has changed is stored, and the answer is what Options.Failed makes of it: the
// status and text of a [StatusError], or those of [Failure]. What is a fault of
// the program is logged. An error that comes after the first byte is only logged.
func (h *Middleware) HandlerFunc(f HandlerFunc) http.Handler {
	return h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := h.From(r)
		if err == nil {
			err = f(w, r, s)
		}
		switch {
		case err == nil:
		case errors.Is(err, ErrNotSignedIn):
			h.refuse(w, r, s)
		default:
			requestOf(r.Context(), h.manager).abandon(err)
		}
	}))
}

// abandon stores nothing of a request and sends the error page, if the answer has
// not begun.
func (rq *request) abandon(err error) {
	v := rq.session()
	rq.mu.Lock()
	begun := rq.sent.Swap(true)
	if !begun {
		v.dead = err
		clear(rq.Header())
		for name, values := range rq.given {
			rq.Header()[name] = values
		}
	}
	rq.mu.Unlock()
	switch {
	case !begun:
		rq.middleware.fail(rq.ResponseWriter, rq.request, err)
	case context.Cause(rq.outer) == nil: // else the client has gone, and err says no more
		rq.middleware.manager.Failed(fmt.Errorf("after the answer had begun: %w", err))
	}
}

// StatusError is an error that a handler answers on purpose: 404, 422, 403.
type StatusError struct {
	Status int    // of HTTP, 400 to 599
	Text   string // for the visitor
	Err    error  // for the log; may be nil
}

func (e *StatusError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%d %s: %v", e.Status, e.Text, e.Err)
	}
	return fmt.Sprintf("%d %s", e.Status, e.Text)
}

// Unwrap returns Err.
func (e *StatusError) Unwrap() error { return e.Err }
