package feed

import (
	"context"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
)

const (
	// Lease is how long an answer of a feed is trusted, counted from the time at
	// which its question was sent.
	Lease = 500 * time.Millisecond
	// Wait is how long a logout waits after the store has done it. It is longer
	// than Lease, because the rates of two machines' clocks may differ by 15 %.
	Wait = Lease + 100*time.Millisecond
	// MaxChanges is the largest number of changes in an answer. More are a gap.
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
	// Entries are the changes, in any order. Some may be reported twice, and some may
	// be no change at all.
	Entries []Change
	// Gap says why changes may be missing: then a cache must drop everything. It is
	// nil if the answer is complete.
	Gap error
	// Caching reports whether the store says that caches are in use: the mark is On.
	// It was read together with the entries or before them, never after them.
	Caching bool
}

// Source is implemented by stores that can report changes.
type Source interface {
	// Follow begins to follow the store from now on. It sets up what the backend
	// needs for that, once; its error says what is missing. The caller closes the
	// follower.
	Follow(ctx context.Context) (Follower, error)
}

// Follower asks for changes. It is used by one goroutine.
type Follower interface {
	// Changes reports every save that replaced a record and every delete that was
	// acknowledged before the call began, by any process, and that no earlier call
	// without an error has reported. Of several changes of one session it may report
	// only the last, with what is stored now. No change is reported before Load
	// returns it in every process: a load in between would return the earlier state,
	// and the change is not reported again. New sessions, sweeps, sessions that
	// expire and saves that only record a use need not be reported. Changes returns
	// when ctx ends, with an error that wraps the context's. After an error the next
	// call reports the same changes again, or a gap.
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
// that caches are in use, so that every logout waits, in every process. A release
// that does not know the mark refuses to open a database that has it, unless the mark
// is Off. On Redis it opens the store: docs/freshness.md says what to do.
type Caching interface {
	Source
	// EnableCaching sets the mark to On, as durably as the store can, and sets up what
	// the feed needs. It returns ErrCachingOff if the mark is Stopping or Off.
	EnableCaching(ctx context.Context) error
	// CachingState returns the mark as it is during the call, never an earlier one. A
	// logout calls it after the session was deleted.
	CachingState(ctx context.Context) (State, error)
	// SetCaching sets the mark, for operators. To change it from On to Off, set it to
	// Stopping first, and wait for Wait in between.
	SetCaching(ctx context.Context, to State) error
}
