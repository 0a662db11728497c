package feed

import (
	"context"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
)

const (
	// Lease is how long an answer of a feed is relied on, counted from the moment
	// at which its question was sent.
	Lease = 500 * time.Millisecond
	// Wait is how long a logout waits after the store has done it. It is longer
	// than Lease by what the clocks of two machines may differ in rate: 15 %.
	Wait = Lease + 100*time.Millisecond
	// MaxChanges is the most that one answer reports. More is a gap.
	MaxChanges = 10_000
)

// Errors of feeds.
var (
	// ErrUnsupported: this store has no feed, or not in this form; the error
	// that wraps it says what to do.
	ErrUnsupported = errors.New("session store reports no changes")
	// ErrCachingOff: an operator has switched caching off for this store.
	ErrCachingOff = errors.New("caching of sessions is switched off in this store")
)

// Change is one save that replaced a record, or a delete.
type Change struct {
	ID      core.ID
	Version core.Version // stored now; zero: deleted, or the store does not know
	Prev    core.Version // replaced; zero: the store does not know
}

// Changes is one answer.
type Changes struct {
	// Entries are the changes, in any order; some may be reported twice, and some
	// that are no change at all.
	Entries []Change
	// Gap says why changes may be missing: a cache must then forget everything. It is
	// nil when the answer is complete.
	Gap error
	// Caching reports whether the store says that caches are in use: the mark is On.
	// It is of the moment of the entries or of one before, never after them.
	Caching bool
}

// Source is implemented by stores that can report changes.
type Source interface {
	// Follow begins to follow the store from now on. It sets up what the backend
	// needs for that, once; its error says what is missing. The follower is the
	// caller's to close.
	Follow(ctx context.Context) (Follower, error)
}

// Follower asks for changes. It is used by one goroutine.
type Follower interface {
	// Changes reports every save that replaced a record and every delete that was
	// acknowledged, by any process, before the call began, and was not reported
	// by an earlier call that returned no error; of several changes of one session it
	// may report the last alone, with what is stored now. It reports none before Load returns
	// it, in any process: a load in between would be of before it, and no entry comes
	// again. New sessions, sweeps and what expires by itself need not be in it, nor
	// saves that only note a use. It returns when ctx ends, with an error that wraps the context's. After an
	// error the next call reports the same once more, or a gap.
	Changes(ctx context.Context) (Changes, error)
	// Close frees what the follower holds.
	Close() error
}

// State says whether caches are in use on a store.
type State int

// The states of a store. A logout waits in On and in Stopping.
const (
	None     State = iota // no cache was ever in use
	On                    // caches may be in use
	Stopping              // caches stop; some may not know yet
	Off                   // an operator has switched caching off
)

// Waits reports whether a logout waits.
func (s State) Waits() bool { return s == On || s == Stopping }

func (s State) String() string {
	if s < None || s > Off {
		return "unknown"
	}
	return [...]string{"none", "on", "stopping", "off"}[s]
}

// Caching is implemented by a Source whose sessions may be cached. It keeps a mark
// that caches are in use, so that every logout waits, whichever process it is in.
// A release that knows no mark refuses to open a store that has one, unless the mark
// is Off.
type Caching interface {
	Source
	// EnableCaching sets the mark On, as durably as the store can, and what the feed
	// needs. It returns ErrCachingOff where the mark is Stopping or Off.
	EnableCaching(ctx context.Context) error
	// CachingState returns the mark, never as of before the call. A logout asks for
	// it after the session was deleted.
	CachingState(ctx context.Context) (State, error)
	// SetCaching sets the mark, for operators. From On to Off they go by Stopping,
	// and wait for Wait in between.
	SetCaching(ctx context.Context, to State) error
}
