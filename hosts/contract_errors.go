package hosts

import (
	"errors"
	"fmt"
)

// Errors of stores and of the manager, beside those of the core. Each may be
// wrapped with the backend's name and the remedy; test with errors.Is. The errors
// that a store returns, and what the manager does then:
//
//   - core.ErrNotFound from Load: the engine was asked and has no such record. The
//     visitor is anonymous. From Delete it is success.
//   - core.ErrConflict from Save: another version is stored, or none. The manager
//     loads the record, applies the change to it, and saves again. A new session
//     gets another ID.
//   - core.ErrCorrupt from Load: the stored bytes are not a record. This session is
//     refused, and other sessions are not affected.
//   - core.ErrBadID, ErrBadRecord, ErrBadName, ErrTooLarge from Save: those of
//     Record.Check. They are returned to the program, without a retry.
//   - ErrRefused, ErrBusy, ErrFull, ErrClosed: nothing was changed. They are
//     returned to the program (HTTP: 503), without a retry.
//   - ErrBatch from a Batcher, for every call of the batch: nothing was applied.
//     Package coalesce retries the batch in halves.
//   - ErrUnavailable, the context's error and every other error: it is not known
//     what was done. Load, Find and Sweep fail (503; a Sweep runs again later). A
//     Delete is retried up to 4 times. A Save is retried up to 4 times with the same
//     bytes; after a conflict the manager loads the record and compares versions to
//     find out whether the save was applied, and else returns ErrUnknown. A save
//     that only records a use is not retried.
//
// When in doubt a store returns ErrUnavailable: that costs a second try. A wrong nil,
// or a wrong error from the first three items, costs a session.
var (
	// ErrUnavailable: the store did not answer. The visitor's session is neither
	// known nor logged out; an HTTP host answers 503.
	ErrUnavailable = errors.New("session store is unavailable")
	// ErrBusy: a named limit of waiting calls is reached; nothing was changed.
	ErrBusy = errors.New("session store is busy")
	// ErrFull: the store's configured bound is reached; nothing was changed
	// and nothing was dropped.
	ErrFull = errors.New("session store is full")
	// ErrRefused: the store refused the call, and has certainly changed nothing, for
	// example because it is read-only. It is ErrUnavailable, too.
	ErrRefused = fmt.Errorf("%w: nothing was changed", ErrUnavailable)
	// ErrUnknown: the answer to a save was lost, and the manager cannot find out
	// whether the save was applied. It is never applied twice.
	ErrUnknown = errors.New("session save has an unknown outcome")
	// ErrBatch: a command of many calls failed as a whole, and nothing of it
	// was applied; see Batcher.
	ErrBatch = errors.New("batch of session calls failed")
	// ErrClosed: the store was closed. From a manager it is ErrUnavailable, too.
	ErrClosed = errors.New("session store is closed")
)
