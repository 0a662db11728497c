package hosts

import (
	"errors"
	"fmt"
)

// Errors of stores and of the manager, beside those of the core. Each may be
// wrapped with the backend's name and the remedy; test with errors.Is. What a
// store answers, and what a manager makes of it:
//
//   - core.ErrNotFound from Load: the session is over, and the visitor anonymous.
//     It is said only of what the engine has looked for. From Delete it is success.
//   - core.ErrConflict from Save: another version is stored, or none. The manager
//     loads, makes the change on what is there, and saves that; a new session gets
//     another ID.
//   - core.ErrCorrupt from Load: these bytes are no record. This session is refused,
//     the others go on.
//   - core.ErrBadID, ErrBadRecord, ErrBadName, ErrTooLarge from Save: of
//     Record.Check. The program hears it, and nothing is tried again.
//   - ErrRefused, ErrBusy, ErrFull, ErrClosed: nothing was changed. The program
//     hears it (HTTP: 503), and nothing is tried again.
//   - ErrBatch from a Batcher, for all calls: nothing was applied. Package coalesce
//     does the batch in halves.
//   - ErrUnavailable, the context's error and every other error: it is not known
//     what was done. A Load, Find or Sweep has failed (503; a Sweep comes again). A
//     Delete is made again, 4 times. A Save is sent again, the same bytes, 4 times;
//     on a conflict then the manager loads and finds out by the versions whether it
//     was applied, and otherwise says ErrUnknown. A save that notes a use is let go.
//
// When in doubt a store says ErrUnavailable: that costs a second try. A wrong nil, or
// a wrong word from the first three lines, costs a session.
var (
	// ErrUnavailable: the store could not be asked. The visitor's session is
	// neither known nor ended; an HTTP host answers 503.
	ErrUnavailable = errors.New("session store is unavailable")
	// ErrBusy: a named limit of waiting calls is reached; nothing was changed.
	ErrBusy = errors.New("session store is busy")
	// ErrFull: the store's configured bound is reached; nothing was changed
	// and nothing was dropped.
	ErrFull = errors.New("session store is full")
	// ErrRefused: the store cannot be asked, and certainly has changed nothing:
	// it may only read, for instance. It is ErrUnavailable, too.
	ErrRefused = fmt.Errorf("%w: nothing was changed", ErrUnavailable)
	// ErrUnknown: the answer to a save was lost and it cannot be found out
	// whether it was applied. It is never applied twice.
	ErrUnknown = errors.New("session save has an unknown outcome")
	// ErrBatch: a command of many calls failed as a whole, and nothing of it
	// was applied; see Batcher.
	ErrBatch = errors.New("batch of session calls failed")
	// ErrClosed: the store was closed; a manager makes it ErrUnavailable, too.
	ErrClosed = errors.New("session store is closed")
)
