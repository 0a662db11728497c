package core

import (
	"errors"
)

// Reason is the stable code of a refusal, for events, metrics and tests. New
// ones may be added; none is ever renumbered.
type Reason uint8

// The reasons. None is zero so that a forgotten one does not look like success
// of anything: there was no session to refuse.
const (
	ReasonNone         Reason = iota // no cookie of the name
	ReasonMalformed                  // not the cookie format
	ReasonUnknownKey                 // sealed under a key that is not in the ring
	ReasonNotAuthentic               // changed, or sealed for another name, tenant or purpose
	ReasonUnknown                    // no such session
	ReasonTenant                     // a session of another tenant, asked for by ID
	ReasonIdle                       // unused for longer than the idle timeout
	ReasonExpired                    // past its deadline
	ReasonSuperseded                 // a login or renewal has replaced this cookie
	ReasonTheft                      // an old secret came back after its grace
	ReasonIP                         // the bound IP address changed
	ReasonUserAgent                  // the bound user agent changed
	ReasonEnded                      // the session was ended
	ReasonCorrupt                    // the stored record does not open
	ReasonIPFamily                   // an address of the other family, which is not known of the session
	ReasonCrossSite                  // another site sent the request, so that the browser left the cookie out
	ReasonCredentials                // the user's password, roles or the like have changed since the login
	ReasonNotFresh                   // the user has not proved lately who they are
	ReasonMethods                    // the user has not proved who they are by the methods that are wanted
	reasons                          // how many there are
)

var reasonNames = [reasons]string{
	"none", "malformed", "unknown_key", "not_authentic", "unknown_session", "wrong_tenant", "idle",
	"expired", "superseded", "theft", "ip_changed", "user_agent_changed", "ended", "corrupt", "ip_family", "cross_site",
	"credentials_changed", "not_fresh", "methods_missing",
}

// String returns the code in words: "unknown_key".
func (r Reason) String() string {
	if r < reasons {
		return reasonNames[r]
	}
	return "unlisted"
}

// Refusal is the error of a session that is not given to a visitor. Compare
// with errors.Is against the sentinels below; Reason is the same in one byte.
type Refusal struct {
	Reason Reason
	Recent bool // of ErrSuperseded and ErrCredentialsChanged: within SupersededHold; see Request.Superseded
	text   string
}

func (e *Refusal) Error() string { return e.text }

// Is makes every refusal with one reason equal, whatever detail it tells.
func (e *Refusal) Is(target error) bool {
	t, ok := target.(*Refusal)
	return ok && t.Reason == e.Reason
}

func refusal(r Reason, text string) *Refusal { return &Refusal{Reason: r, text: text} }

// NewRefusal is for hosts of a guest, which hands reason, recency and text over.
// It returns nil for a Reason that is not listed.
func NewRefusal(r Reason, recent bool, text string) *Refusal {
	if r >= reasons {
		return nil
	}
	return &Refusal{r, recent, text}
}

// The refusals.
var (
	ErrNoCookie           = refusal(ReasonNone, "session cookie not found")
	ErrMalformed          = refusal(ReasonMalformed, "failed to decrypt session ID: cookie is malformed")
	ErrUnknownKey         = refusal(ReasonUnknownKey, "failed to decrypt session ID: unknown key")
	ErrNotAuthentic       = refusal(ReasonNotAuthentic, "failed to decrypt session ID: cookie is not authentic")
	ErrNotFound           = refusal(ReasonUnknown, "session not found")
	ErrWrongTenant        = refusal(ReasonTenant, "session belongs to another tenant")
	ErrIdle               = refusal(ReasonIdle, "session timeout due to inactivity")
	ErrExpired            = refusal(ReasonExpired, "session expired")
	ErrSuperseded         = refusal(ReasonSuperseded, "session cookie was superseded by a later login or renewal")
	ErrTheft              = refusal(ReasonTheft, "session ended: a superseded cookie was used again")
	ErrIPChanged          = refusal(ReasonIP, "session invalid: IP address changed")
	ErrIPFamily           = refusal(ReasonIPFamily, "session not open to this IP address: nobody has signed in over its family; sign in once")
	ErrUserAgentChanged   = refusal(ReasonUserAgent, "session invalid: user agent changed")
	ErrEnded              = refusal(ReasonEnded, "session has ended")
	ErrCorrupt            = refusal(ReasonCorrupt, "session record does not open: changed in the store, or sealed under a key that is gone")
	ErrCrossSite          = refusal(ReasonCrossSite, "another site sent this request, so the browser left the session cookie out: no session begins but by a login")
	ErrCredentialsChanged = refusal(ReasonCredentials, "session ended: its user's credentials have changed since the login")
	ErrNotFresh           = refusal(ReasonNotFresh, "the user has not proved lately who they are: a confirmation is needed")
	ErrMethodsMissing     = refusal(ReasonMethods, "the user has not proved who they are by the methods that are needed: a confirmation is needed")
)

var (
	errSupersededRecently  = &Refusal{ReasonSuperseded, true, ErrSuperseded.text}
	errCredentialsRecently = &Refusal{ReasonCredentials, true, ErrCredentialsChanged.text}
)

// Error is a constant error text.
type Error string

func (e Error) Error() string { return string(e) }

// Errors that are no refusal of a visitor.
const (
	ErrConflict  Error = "session was changed by another request"
	ErrBadRecord Error = "session record is outside its bounds"
	ErrBadName   Error = "tenant or user is not valid UTF-8 of at most 255 bytes without control characters"
	ErrTooLarge  Error = "session is too large"
	ErrSeed      Error = "entropy is all zero: no session is issued without randomness"
)

// More errors of the verbs of a Session.
const (
	ErrBadUser   Error = "user is empty, or not valid UTF-8 of at most 255 bytes without control characters"
	ErrValueName Error = "name of a session value must be 1 to 128 bytes of valid UTF-8"
	ErrLifetime  Error = "session lifetime must be positive and at most the policy's MaxLifetime"
	ErrCounter   Error = "session value cannot be added to: it is no int or int64, or the sum leaves 64 bits"
	ErrStamp     Error = "stamp of credentials is empty, or longer than 4 KiB"
	ErrMethod    Error = "methods must be 1 to 8 names such as pwd and otp (RFC 8176), each of 1 to 32 visible ASCII characters without quotes and backslashes"
	ErrNobody    Error = "nobody is signed in, so that there is nobody to confirm and no credentials to stamp"
	ErrAgain     Error = "session value must be computed anew before the commit: see Session.Again"
)

// ConflictError names the value that another request has changed since this one
// read it, or that is in Policy.Exclusive. It is ErrConflict to errors.Is.
type ConflictError struct{ Name string }

func (e *ConflictError) Error() string {
	return "session value " + quote(e.Name) + " was changed by another request since this one read it: " +
		"change it with Update or Add, which never conflict, or name it in LastWins if the later request may win"
}

// Is reports ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// SizeError tells which value made a session larger than the policy allows.
// It is ErrTooLarge to errors.Is.
type SizeError struct {
	Name        string
	Size, Limit int // bytes
}

func (e *SizeError) Error() string {
	return "session is too large: " + decimal(e.Size) + " bytes with value " + quote(e.Name) +
		", the limit (SessionSize) is " + decimal(e.Limit) + "; keep large things elsewhere and their IDs here"
}

// Is reports ErrTooLarge.
func (e *SizeError) Is(target error) bool { return target == ErrTooLarge }

// ReasonOf returns the reason of the Refusal in err's chain, or ReasonNone.
func ReasonOf(err error) Reason {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Reason
	}
	return ReasonNone
}
