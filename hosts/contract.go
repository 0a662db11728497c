package hosts

import (
	"context"

	"github.com/rockstar-web/sessions/core"
)

// Store keeps records. It has no clock and no opinions: the core alone judges
// expiry, and there is no blind put, so that a session which has ended cannot
// be written back by a request that began before the end.
//
// A Store is safe for concurrent use, also by other processes where it is
// shared. Load and Find see every Save and Delete that was acknowledged before
// they began, from any process: ask the primary, not a copy that follows it.
// Nothing is forgotten for want of room: a store that is full refuses (ErrFull), and
// an engine that evicts is set up not to, or refused when the store opens. A
// backend that forgets by itself does so at ExpiresAt plus the retention that it is
// set up with, a minute at the least, and never before.
//
// Every method returns when its context ends, also in the middle of its way, with
// an error that wraps the context's; one whose context has ended before changes
// nothing. A client that knows no contexts is called in a goroutine that is left
// behind, bounded in number. What such a call may still do when it lands: a Save is
// applied if its condition holds then, as one whose answer was lost; a Delete ends
// the session; a SaveMany that was answered with ErrBatch does nothing, ever. A
// driver's own timeout is a failure like any other: not the context's error unless
// that has ended, and neither core.ErrNotFound nor core.ErrConflict.
//
// What each error means to the manager is said at the errors of this package, see
// ErrUnavailable. A record as bytes has core.AppendRecord and core.ReadRecord.
type Store interface {
	// Load returns the record, also an expired one, or core.ErrNotFound.
	// The caller may keep the record and change its fields, not its bytes.
	Load(ctx context.Context, id core.ID) (core.Record, error)

	// Save is atomic. Without prev it inserts, and the ID must be new; else
	// it replaces exactly the version prev. Otherwise it returns
	// core.ErrConflict and nothing is changed. It is idempotent: when the
	// stored version is already r.Version it has succeeded. That is judged by
	// what is stored, not by a memory of requests: an ID that has ended is new
	// to an insert, also to the very Save that once began it, and what is
	// acknowledged then is there. A driver that sends a request again by itself
	// must not take its own first try for another's: look at the version before
	// answering core.ErrConflict. Sealed has up to core.MaxSealed bytes. A record
	// that fails Record.Check is refused, with the error of the check.
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
	// limit and no error means that none are left: a call that is cut off on
	// its way returns an error, whatever it has deleted.
	Sweep(ctx context.Context, before core.Time, limit int) (int, error)
}

// Finder is implemented by stores that can list sessions.
type Finder interface {
	// Find returns the records that match q, ordered by the bytes of their ID,
	// beginning behind after (zero: from the start), at most limit of them.
	// Fewer than limit means the last page, so that a page of which a part is
	// missing is an error. A record that matches during the whole of a walk is
	// never missing from it. What Load returns Find returns: an entry of an index
	// is written before its record and removed after it, and looked at again by
	// the record when it is read, for a call may end between the two.
	Find(ctx context.Context, q Query, after core.ID, limit int) ([]core.Record, error)
}

// Batcher is implemented by stores that do many calls in one command. A
// coalesce.Store over it gathers the calls of many requests.
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

// BatchDeleter is implemented by stores that delete many sessions in one command. A
// coalesce.Store over it gathers the logouts of many requests, and Manager.Revoke ends
// a page of sessions at once.
type BatchDeleter interface {
	// DeleteMany answers ids[i] at [i], as Delete would. An ID may repeat. ErrBatch
	// means what it does for Batcher; without it, an error leaves open whether the
	// session was deleted.
	DeleteMany(ctx context.Context, ids []core.ID) []error
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

// Clock returns the time. The core has none.
type Clock interface{ Now() core.Time }

// Entropy fills p with random bytes fit for keys, or fails; it is read for 32
// bytes for each commit, until they are full. The core has none.
type Entropy interface {
	Read(p []byte) (n int, err error)
}
