package nethttp

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// ErrConfirmRequired means that RequireFresh or RequireMethods stands before the page
// where users confirm who they are, which then nobody can use.
var ErrConfirmRequired = errors.New("the page to confirm who one is itself requires that: leave the path in Options.ConfirmPath out of RequireFresh and RequireMethods")

// RequireFresh is Require for what is sensitive, such as changing an e-mail address: it
// lets only users through who have proved who they are, by a login or Session.Confirm, in
// the last d. Uses and refreshes do not count. With Options.ConfirmPath people are
// sent there, and back, as Require sends them to the login page; all others get
// Options.Unauthorized with core.ErrNotFresh: 401 with the reason not_fresh.
//
// It panics where d is not positive.
func (h *Middleware) RequireFresh(d time.Duration, next http.Handler) http.Handler {
	if d <= 0 {
		panic(fmt.Sprintf("nethttp: RequireFresh within %v; allowed: a positive duration, such as 10 * time.Minute", d))
	}
	within := core.Milliseconds(d)
	return h.requireProof(next, func(s *core.Session) error {
		if !s.ProvenWithin(within, h.manager.Now()) {
			return core.ErrNotFresh
		}
		return nil
	})
}

// RequireMethods is Require for users who last proved who they are by all of these
// methods, such as "otp": see hosts.Login and Session.Confirm. Within RequireFresh it asks
// for a proof by them in that time. All others are answered as by RequireFresh, with
// core.ErrMethodsMissing and the reason methods_missing.
//
// It panics where methods are none that a session can have, or are methods of HTTP: no
// user has proved who they are by "POST".
func (h *Middleware) RequireMethods(next http.Handler, methods ...string) http.Handler {
	if err := core.CheckMethods(methods); err != nil {
		panic(fmt.Sprintf("nethttp: RequireMethods %q: %v", methods, err))
	}
	for _, method := range methods {
		switch method {
		case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
			panic(fmt.Sprintf("nethttp: RequireMethods %q: %s is a method of HTTP; name how users prove who they are, such as \"otp\" (RFC 8176)", methods, method))
		}
	}
	methods = slices.Clone(methods)
	return h.requireProof(next, func(s *core.Session) error {
		if !s.ProvenBy(methods...) {
			return core.ErrMethodsMissing
		}
		return nil
	})
}

// requireProof lets those signed-in users through of whom missing returns nil.
func (h *Middleware) requireProof(next http.Handler, missing func(*core.Session) error) http.Handler {
	return h.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := h.From(r)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		if err := view(v, missing); err != nil {
			h.sendTo(h.o.ConfirmPath, w, r, err, ErrConfirmRequired)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// sendTo refuses a request: people are sent to a page, if there is one. loop is the
// error where they come from it.
func (h *Middleware) sendTo(page string, w http.ResponseWriter, r *http.Request, err, loop error) {
	switch {
	case page != "" && pathOf(ownTarget(r)) == pathOf(page):
		h.fail(w, r, fmt.Errorf("nethttp: %s: %w", page, loop))
	case page == "" || !ToLogin(w, r, page, err):
		h.o.Unauthorized(w, r, err)
	}
}
