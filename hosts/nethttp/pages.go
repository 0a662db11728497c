package nethttp

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Unauthorized answers 401 with a JSON object {"error","reason"}, as Require
// does unless Options say otherwise.
func Unauthorized(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set("Content-Type", "application/json")
	NoStore(w.Header())
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprintf(w, "{\"error\":%q,\"reason\":%q}\n", Explain(err), core.ReasonOf(err))
}

// Explain says in a few words, fit for a visitor, why there is no session.
func Explain(err error) string {
	switch core.ReasonOf(err) {
	case core.ReasonExpired, core.ReasonSuperseded, core.ReasonEnded:
		return "Session expired"
	case core.ReasonIdle:
		return "Session timeout due to inactivity"
	case core.ReasonIP:
		return "Session invalid - IP address changed"
	case core.ReasonIPFamily:
		return "Session not open to this IP address - sign in once more"
	case core.ReasonUserAgent:
		return "Session invalid - user agent changed"
	case core.ReasonTheft:
		return "Session ended - its cookie was used twice"
	}
	return "Authentication required"
}

// Failure tells in HTTP what an error of a session means that was not loaded or
// stored: the status, and a sentence fit for a visitor.
func Failure(err error) (status int, text string) {
	switch {
	case errors.Is(err, core.ErrEnded):
		return http.StatusUnauthorized, "The session has ended in the meantime. Nothing of this request was stored."
	case errors.Is(err, core.ErrSuperseded):
		return http.StatusUnauthorized, "The session was signed in anew in the meantime. Nothing of this request was stored."
	case errors.Is(err, core.ErrConflict):
		return http.StatusConflict, "The session was changed by another request. Nothing of this request was stored."
	case errors.Is(err, core.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, "The session is too large. Nothing of this request was stored."
	case errors.Is(err, core.ErrBadName):
		return http.StatusBadRequest, "No session can be kept under this host name."
	case errors.Is(err, ErrBypassed):
		return http.StatusInternalServerError, "The session of this request cannot be stored: a fault of this server."
	case errors.Is(err, hosts.ErrValueType), errors.Is(err, hosts.ErrNoValue), errors.Is(err, core.ErrType):
		return http.StatusInternalServerError, "The session holds something else than this page expects."
	}
	return http.StatusServiceUnavailable, "The session store does not answer. What this request changed may not be stored; try again."
}

func failed(w http.ResponseWriter, _ *http.Request, err error) {
	status, text := Failure(err)
	NoStore(w.Header())
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, text, status)
}
