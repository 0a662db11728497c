package hosts

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
		w, wraps := s.(Wrapped)
		if !wraps {
			break
		}
		s = w.Unwrap()
	}
	return able, false
}
