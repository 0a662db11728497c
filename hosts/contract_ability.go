package hosts

import "github.com/rockstar-web/sessions/core"

// Wrapped is a store that stands before another, as a coalesce.Store does, and
// whose records are those of the other, whole and under the same IDs. What it
// cannot do itself is asked of the store behind it: Find and Sweep pass by it.
// A wrapper that keeps an answer, or stores another form of a record, does not
// implement Wrapped, or implements each ability itself.
type Wrapped interface {
	Unwrap() Store
}

// maxWrappers bounds how many stores may stand before one another.
const maxWrappers = 32

// As returns what does for s what T says, [Sweeper] or [Finder] for instance: s
// itself, or else the first store behind it that can. It is how a manager finds
// out what a store can do.
func As[T any](s Store) (able T, ok bool) {
	for range maxWrappers {
		if able, ok = s.(T); ok {
			return able, true
		}
		if o, watched := s.(*observedStore); watched {
			if told := new(T); o.able(told) {
				return *told, true
			}
		}
		w, wraps := s.(Wrapped)
		if !wraps {
			break
		}
		s = w.Unwrap()
	}
	return able, false
}

// Recaller is implemented by a cache before a store, such as cachestore.Cached. A
// manager asks it before it loads a session for a request.
type Recaller interface {
	// Recall returns the record of a session without a call of the store. It reflects
	// every change that was acknowledged more than feed.Lease ago: so no session that
	// was logged out, since logouts wait. Not ok means that the store must be asked.
	Recall(id core.ID) (r core.Record, ok bool)
	// Doubt counts a read that asked the store after all.
	Doubt(why Doubt)
}

// Doubt is why a read asked the store where there is a cache.
type Doubt int

// The causes of a Doubt.
const (
	DoubtCold    Doubt = iota // the session was not cached
	DoubtFeed                 // the feed had no answer younger than feed.Lease
	DoubtChanged              // the visitor has changed the session a moment ago, maybe elsewhere
	DoubtUnsafe               // a request that is to change something reads a value first
	DoubtRefused              // by what is cached the request would be refused
	Doubts                    // how many there are
)

func (d Doubt) String() string {
	if d < 0 || d >= Doubts {
		return "unknown"
	}
	return [...]string{"cold", "feed", "changed", "unsafe", "refused"}[d]
}
