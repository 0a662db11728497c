package hosts

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
)

// Failure is what the error of an observed call means, in one of few words that no
// visitor chooses: for labels.
type Failure uint8

// The failures. Those up to FailureCanceled are no fault of the store.
const (
	FailureNone     Failure = iota // there is no error
	FailureNotFound                // core.ErrNotFound
	FailureConflict                // core.ErrConflict
	FailureRefused                 // another refusal of the core: the session has ended, its record is corrupt
	FailureRecord                  // a record that no store takes: too large, a bad name
	FailureCanceled                // the caller left
	FailureTimeout                 // the time of the call was over
	FailureBusy                    // ErrBusy
	FailureFull                    // ErrFull
	FailureClosed                  // ErrClosed
	FailureUnknown                 // ErrUnknown
	FailureOther                   // ErrUnavailable, and every other error
	Failures                       // how many there are
)

// String returns the failure in a word: "not_found".
func (f Failure) String() string {
	if f >= Failures {
		return "unlisted"
	}
	return [Failures]string{"none", "not_found", "conflict", "refused", "bad_record", "canceled", "timeout", "busy", "full", "closed", "unknown", "unavailable"}[f]
}

// IsFault reports whether the store, or what it stands on, did not do what it was asked.
func (f Failure) IsFault() bool { return f > FailureCanceled }

// FailureOf finds what an error means.
func FailureOf(err error) Failure {
	if err == nil {
		return FailureNone
	}
	for _, known := range []struct {
		err  error
		what Failure
	}{
		{core.ErrNotFound, FailureNotFound}, {core.ErrConflict, FailureConflict}, {ErrUnknown, FailureUnknown},
		{ErrBusy, FailureBusy}, {ErrFull, FailureFull}, {ErrClosed, FailureClosed},
		{context.Canceled, FailureCanceled}, {context.DeadlineExceeded, FailureTimeout},
	} {
		if errors.Is(err, known.err) {
			return known.what
		}
	}
	if _, ok := errors.AsType[*core.Refusal](err); ok {
		return FailureRefused
	}
	if badRecord(err) {
		return FailureRecord
	}
	return FailureOther
}
