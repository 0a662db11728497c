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
	case core.ReasonCredentials:
		return "Session ended - the password or the rights of this account were changed"
	case core.ReasonNotFresh:
		return "Confirm that it is you"
	case core.ReasonMethods:
		return "Another proof is needed that it is you"
	case core.ReasonTheft:
		return "Session ended - its cookie was used twice"
	}
	return "Authentication required"
}

const (
	notStored = " Nothing of this request was stored."
	mistake   = "The server has made a mistake, and has logged it."
)

// answers are the statuses and texts of errors, the first that fits. What is not
// here is an error of the application.
var answers = []struct {
	status int
	text   string
	errs   []error
}{
	{http.StatusUnauthorized, "The session has ended in the meantime." + notStored, []error{core.ErrEnded, ErrSessionEnded}},
	{http.StatusUnauthorized, "The session was signed in anew in the meantime." + notStored, []error{core.ErrSuperseded}},
	{http.StatusForbidden, "Another site sent this request, so that it began no session." + notStored, []error{core.ErrCrossSite}},
	{http.StatusForbidden, "You are signed in at as many places as are allowed. Log out elsewhere first.", []error{hosts.ErrSessionLimit}},
	{http.StatusUnauthorized, "The password or the rights of this account were changed: please sign in anew." + notStored, []error{core.ErrCredentialsChanged}},
	{http.StatusUnauthorized, "Please sign in.", []error{ErrNotSignedIn, core.ErrNobody}},
	{http.StatusConflict, "The session was changed by another request." + notStored, []error{core.ErrConflict}},
	{http.StatusRequestEntityTooLarge, "The session is too large." + notStored, []error{core.ErrTooLarge, core.ErrValueSize}},
	{http.StatusBadRequest, "No session can be kept under this host name.", []error{core.ErrBadName}},
	{http.StatusBadRequest, "The request names something that no session can have." + notStored,
		[]error{core.ErrBadUser, core.ErrLifetime, core.ErrValueName, core.ErrBadID, core.ErrNesting, core.ErrTime}},
	{http.StatusInternalServerError, "The session holds something else than this page expects.",
		[]error{hosts.ErrValueType, hosts.ErrNoValue, core.ErrBadValue, core.ErrIntSize, core.ErrCounter}},
	{http.StatusInternalServerError, "The session of this request cannot be stored: a fault of this server.", []error{ErrBypassed}},
	{http.StatusInternalServerError, "This server runs in development mode and answers on loopback addresses alone.", []error{ErrDevelopment}},
	{http.StatusServiceUnavailable, "You are logged out. Other servers may take a second to know; try again.", []error{hosts.ErrNotFinal}},
	{http.StatusServiceUnavailable, "It cannot be checked at the moment whether you are signed in. Nothing of this request was stored; try again.", []error{hosts.ErrCredentials}},
	{http.StatusServiceUnavailable, "The session store does not answer. What this request changed may not be stored; try again.",
		[]error{hosts.ErrUnavailable, hosts.ErrUnknown, hosts.ErrBusy, hosts.ErrFull, hosts.ErrClosed, hosts.ErrBatch, core.ErrSeed}},
	{http.StatusInternalServerError, mistake, []error{core.ErrType, ErrHeadersSent, ErrCommitted, ErrUpdating, ErrSameCookie, ErrLoginRequired, ErrConfirmRequired, ErrNoHandler,
		hosts.ErrNoStamp, core.ErrStamp, core.ErrMethod, hosts.ErrNoAnswer, hosts.ErrNoSecret, hosts.ErrNoFinder, hosts.ErrNoFeed, hosts.ErrNoSweeper, core.ErrBadRecord, core.ErrAgain}},
}

// Failure says in HTTP what an error of a session means: the status, and a
// sentence fit for a visitor. 401 is for a visitor without a session, 400, 409
// and 413 for what the request asked for, 503 for a store that does not answer,
// and 500 for a fault of the program, which it should log.
func Failure(err error) (status int, text string) {
	status, text, _ = answerTo(err)
	return status, text
}

// answerTo is Failure, and reports whether the error is one of sessions.
func answerTo(err error) (status int, text string, ours bool) {
	if s, ok := errors.AsType[*StatusError](err); ok && s.Status >= 400 && s.Status <= 599 {
		return s.Status, s.Text, true
	}
	if c, ok := errors.AsType[*core.ConflictError](err); ok { // for the developer who meets it first
		return http.StatusConflict, "The " + c.Error() + "." + notStored, true
	}
	for _, a := range answers {
		for _, known := range a.errs {
			if errors.Is(err, known) {
				return a.status, a.text, true
			}
		}
	}
	if _, ok := errors.AsType[*core.Refusal](err); ok {
		return http.StatusUnauthorized, Explain(err) + ".", true
	}
	if _, ok := errors.AsType[*hosts.ConfigError](err); ok { // of an argument: a limit, a query
		return http.StatusBadRequest, "The request asks for something that is not allowed." + notStored, true
	}
	return http.StatusInternalServerError, mistake, false
}

func failed(w http.ResponseWriter, _ *http.Request, err error) {
	status, text := Failure(err)
	NoStore(w.Header())
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, text, status)
}
