package hosts

import (
	"context"

	"github.com/rockstar-web/sessions/core"
)

// Store keeps records. It has no clock: only the core decides what has expired. A
// save always names the version that it replaces, so that a request from before a
// logout cannot write the session back.
//
// A Store is safe for concurrent use, and if it is shared, by several processes.
// Load and Find see every Save and Delete that was acknowledged before they began,
// from any process: read from the primary, not from a replica. A store never evicts
// sessions: a full one refuses (ErrFull). If its engine can evict, the store turns
// that off, or refuses to open. A backend that removes expired records by itself
// does so at ExpiresAt plus a retention of at least a minute, and never before.
//
// Every method returns when its context ends, even in the middle of a call, with an
// error that wraps the context's. If the context has ended before the call, nothing
// is changed. If a client library takes no context, call it in a goroutine that is
// left behind, and limit the number of these. Such a call may still be applied
// later: a Save if its condition holds then, as with a lost answer, and a Delete. A
// SaveMany that was answered with ErrBatch must never be applied. A timeout of the
// driver is a failure like any other: it is neither core.ErrNotFound nor
// core.ErrConflict, and not the context's error unless the context has ended.
//
// See ErrUnavailable for what the manager does with each error. core.AppendRecord and
// core.ReadRecord convert a record to bytes and back.
type Store interface {
	// Load returns the record, also an expired one, or core.ErrNotFound.
	// The caller may keep the record and change its fields, not its bytes.
	Load(ctx context.Context, id core.ID) (core.Record, error)

	// Save is atomic. If prev is core.NoVersion it inserts, and the ID must be new.
	// Otherwise it replaces exactly the version prev. If that is not possible, it
	// returns core.ErrConflict and changes nothing. Save is idempotent: if the
	// stored version is already r.Version, it has succeeded. The store decides this
	// by the stored record, not by a list of earlier requests: after a Delete an
	// insert may use the ID again, even the same Save, and the record is there when
	// that is acknowledged. If the driver retries by itself, its second try may meet
	// the record of its first: compare the version before returning
	// core.ErrConflict. Sealed has up to core.MaxSealed bytes. A record that fails
	// Record.Check is refused, with the error of the check.
	Save(ctx context.Context, r core.Record, prev core.Version) error

	// Delete is unconditional; a missing session is no error. An acknowledged
	// Delete is as durable as the backend can make it.
	Delete(ctx context.Context, id core.ID) error
}

// Sweeper is implemented by stores that do not remove expired records by themselves.
type Sweeper interface {
	// Sweep deletes at most limit records whose ExpiresAt is before the given
	// time, and returns how many. It tests the expiry again in the step that
	// deletes, so that a session that is used in between stays. Fewer than limit
	// and no error means that none are left. If the context ends during the call,
	// Sweep returns an error, whatever it has deleted.
	Sweep(ctx context.Context, before core.Time, limit int) (int, error)
}

// Finder is implemented by stores that can list sessions.
type Finder interface {
	// Find returns at most limit records that match q, in the order of the bytes
	// of their IDs, beginning with the first ID greater than after (zero: from the
	// start). Fewer than limit means the last page; if a part of the page cannot be
	// read, return an error. A record that matches while all pages are read is
	// never missing from them. Find returns what Load returns. For that, write an
	// entry of an index before its record and remove it after it, and check it
	// against the record when you read it: a call may end between the two.
	Find(ctx context.Context, q Query, after core.ID, limit int) ([]core.Record, error)
}

// Batcher is implemented by stores that do many calls in one command. A
// coalesce.Store over it gathers the calls of many requests.
//
// Every call has an answer of its own: if one is refused, the others are not. If
// the command fails as a whole and none of its calls was applied, every answer is
// an error that wraps ErrBatch. The caller may then retry in halves, inserts
// included. An error without ErrBatch means that the save may have been applied, as
// it does for Save, unless it is core.ErrConflict or a refusal of the record.
type Batcher interface {
	// LoadMany answers ids[i] at [i], as Load would.
	LoadMany(ctx context.Context, ids []core.ID) []Loaded
	// SaveMany answers saves[i] at [i], as Save would. IDs are distinct.
	SaveMany(ctx context.Context, saves []Saving) []error
}

// BatchDeleter is implemented by stores that delete many sessions in one command. A
// coalesce.Store over it gathers the logouts of many requests, and Manager.Revoke
// deletes a page of sessions at once.
type BatchDeleter interface {
	// DeleteMany answers ids[i] at [i], as Delete would. An ID may repeat. ErrBatch
	// means what it does for Batcher; without it, an error leaves open whether the
	// session was deleted.
	DeleteMany(ctx context.Context, ids []core.ID) []error
}

// Replicated is implemented by stores whose Delete may fail although the session is gone
// where it is kept, since too few replicas have acknowledged that. A second Delete of the ID
// waits for them again. Manager.Revoke, which no longer finds that session, calls
// WaitForReplicas.
type Replicated interface {
	// WaitForReplicas returns when as many replicas as a Delete waits for have every Delete
	// that was done before the call. Its errors are those of Delete.
	WaitForReplicas(ctx context.Context) error
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
	// Touch: the save only records a use, as TouchContext says for Save.
	Touch bool
}

type touchKey struct{}

// TouchContext marks a Save that only records the use of a session. A backend may
// be configured to make such saves less durable than others: a crash may then lose
// the last few milliseconds of use. In all else they are saves like any other.
func TouchContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, touchKey{}, true)
}

// IsTouch reports whether TouchContext marked the call.
func IsTouch(ctx context.Context) bool { return ctx.Value(touchKey{}) != nil }

type loginSearchKey struct{}

// LoginSearchContext marks a Find by which a login counts the sessions of its user, for
// Config.MaxPerUser and Config.DeviceOf. A backend that finds a user's sessions slowly may
// note where they are, and answer such a Find by its note: after a failover, or where a
// program stores sessions without the note, it may lack some for a time that the backend
// documents. A session whose Save had returned before is in the answer otherwise, as in any
// other. Revoke and Sessions never mark a Find: a logout must reach every session.
func LoginSearchContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, loginSearchKey{}, true)
}

// IsLoginSearch reports whether LoginSearchContext marked the call.
func IsLoginSearch(ctx context.Context) bool { return ctx.Value(loginSearchKey{}) != nil }

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
