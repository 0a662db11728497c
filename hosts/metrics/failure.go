package metrics

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// failure is what an error means, as a label.
type failure int

const (
	notFound failure = iota
	conflict
	refused
	badRecord
	busy
	full
	unknown
	closed
	canceled
	timeout
	unavailable
	failures
)

var failureNames = [failures]string{"not_found", "conflict", "refused", "bad_record", "busy", "full", "unknown", "closed", "canceled", "timeout", "unavailable"}

// failureOf tells what an error means: the first that it is.
func failureOf(err error) failure {
	for _, known := range []struct {
		err  error
		what failure
	}{
		{core.ErrNotFound, notFound}, {core.ErrConflict, conflict}, {hosts.ErrUnknown, unknown}, {hosts.ErrBusy, busy},
		{hosts.ErrFull, full}, {hosts.ErrClosed, closed}, {context.Canceled, canceled}, {context.DeadlineExceeded, timeout},
		{hosts.ErrUnavailable, unavailable}, {core.ErrTooLarge, badRecord}, {core.ErrBadRecord, badRecord},
		{core.ErrBadName, badRecord}, {core.ErrBadID, badRecord},
	} {
		if errors.Is(err, known.err) {
			return known.what
		}
	}
	if _, ok := errors.AsType[*core.Refusal](err); ok {
		return refused
	}
	return unavailable
}
