package hosts

import (
	"context"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/core"
)

// Store keeps records. It has no clock and no opinions: the core alone judges
// expiry, and there is no blind put, so that a session which has ended cannot
// be written back by a request that began before the end.
//
// A Store is safe for concurrent use, also by other processes where it is
// shared. Load and Find see every Save and Delete that was acknowledged before
// they began, from any process. Every method returns when its context ends,
// with an error that wraps the context's; one whose context has ended before
// changes nothing. A backend that forgets by itself does so at ExpiresAt plus the
// retention that it is set up with, a minute at the least, and never before.
type Store interface {
	// Load returns the record, also an expired one, or core.ErrNotFound.
	// The caller may keep the record and change its fields, not its bytes.
	Load(ctx context.Context, id core.ID) (core.Record, error)

	// Save is atomic. Without prev it inserts, and the ID must be new; else
	// it replaces exactly the version prev. Otherwise it returns
	// core.ErrConflict and nothing is changed. It is idempotent: when the
	// stored version is already r.Version it has succeeded. A record that
	// fails Record.Check is refused, with the error of the check.
	Save(ctx context.Context, r core.Record, prev core.Version) error

	// Delete is unconditional; a missing session is no error. An acknowledged
	// Delete is as durable as the backend can make it.
	Delete(ctx context.Context, id core.ID) error
}

// Sweeper is implemented by stores that do not forget by themselves.
type Sweeper interface {
	// Sweep deletes at most limit records whose ExpiresAt is before the given
	// moment and returns how many. It tests the expiry again in the step that
	// deletes, so that a session touched in between survives. Fewer than
	// limit means that none are left.
	Sweep(ctx context.Context, before core.Time, limit int) (int, error)
}

// Finder is implemented by stores that can list sessions.
type Finder interface {
	// Find returns the records that match q, ordered by the bytes of their ID,
	// beginning behind after (zero: from the start), at most limit of them.
	// Fewer than limit means the last page. A record that matches during the
	// whole of a walk is never missing from it.
	Find(ctx context.Context, q Query, after core.ID, limit int) ([]core.Record, error)
}

// Batcher is implemented by stores that do many calls in one command. A
// [Coalescer] over it gathers the calls of many requests.
//
// Every call has an answer of its own: one that is refused takes no other with
// it. A command that fails as a whole, with nothing of it applied, answers
// every call with an error that wraps ErrBatch: it may then be done again in
// halves, inserts too. Without ErrBatch an answer other than nil,
// core.ErrConflict and a refusal of the record means that the save may have
// been applied, as it does for Save.
type Batcher interface {
	// LoadMany answers ids[i] at [i], as Load would.
	LoadMany(ctx context.Context, ids []core.ID) []Loaded
	// SaveMany answers saves[i] at [i], as Save would. IDs are distinct.
	SaveMany(ctx context.Context, saves []Saving) []error
}

// Loaded is one answer of Batcher.LoadMany.
type Loaded struct {
	Record core.Record
	Err    error
}

// Saving is one call of Batcher.SaveMany.
type Saving struct {
	Record core.Record
	Prev   core.Version
	// Touch: the save only notes a use, as TouchContext says for Save.
	Touch bool
}

type touchKey struct{}

// TouchContext marks a Save that only notes the use of a session. A backend
// may make it less durable than others where it is configured to: a crash may
// then undo it, a few milliseconds of use. Everything else it does as ever.
func TouchContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, touchKey{}, true)
}

// IsTouch reports whether TouchContext marked the call.
func IsTouch(ctx context.Context) bool { return ctx.Value(touchKey{}) != nil }

// Query selects sessions. To a Finder, one with neither User nor AnyUser selects
// the anonymous sessions. Manager.Revoke and Manager.Sessions take that for a
// user that was forgotten, and want Anonymous for it.
type Query struct {
	Tenant        string
	AnyTenant     bool // whatever the tenant
	User          string
	AnyUser       bool      // whatever the user, also none
	Anonymous     bool      // nobody signed in: without User and AnyUser
	ExpiresBefore core.Time // zero: whatever the expiry
}

// Matches reports whether q selects r.
func (q Query) Matches(r *core.Record) bool {
	return (q.AnyTenant || r.Tenant == q.Tenant) &&
		(q.AnyUser || r.User == q.User) &&
		(q.ExpiresBefore == 0 || r.ExpiresAt < q.ExpiresBefore)
}

// Clock tells the time. The core has none.
type Clock interface{ Now() core.Time }

// Entropy fills p with random bytes fit for keys, or fails; it is read for 32
// bytes for each commit, until they are full. The core has none.
type Entropy interface {
	Read(p []byte) (n int, err error)
}

// Errors of stores and of the manager, beside those of the core. Each may be
// wrapped with the backend's name and the remedy; test with errors.Is.
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
