package cachestore

import (
	"slices"
	"sync/atomic"
)

// budget counts the bytes that all shards hold, against the bounds.
type budget struct {
	held    atomic.Int64
	max     int64
	maxUser int64 // of one user's new sessions
	users   shares
}

// What may be taken of the bound, in sixteenths: a reserve is kept for what is
// there already, which may grow, and one for users against visitors.
const (
	parts          = 16
	newVisitor     = 13 // a session without a user
	changedVisitor = 14
	newSession     = 15 // or one that gets another user
	changedSession = 16
	userChanges    = 1 // more than one user's new sessions
	defaultUser    = 4 // of one user's new sessions, unless Options say otherwise
)

// limit is how far the store may fill for a session, in bytes.
func (b *budget) limit(anonymous, fresh bool) int64 {
	n := int64(changedSession)
	switch {
	case anonymous && fresh:
		n = newVisitor
	case anonymous:
		n = changedVisitor
	case fresh:
		n = newSession
	}
	return b.max - b.max/parts*(parts-n)
}

// userLimit is how much one user's sessions may have, in bytes.
func (b *budget) userLimit(fresh bool) int64 {
	if fresh {
		return b.maxUser
	}
	return b.maxUser + b.max/parts*userChanges
}

// take reserves n bytes, or nothing when that would pass the limit.
func (b *budget) take(n, limit int64) bool {
	for {
		held := b.held.Load()
		if held+n > limit {
			return false
		}
		if b.held.CompareAndSwap(held, held+n) {
			return true
		}
	}
}

func (b *budget) give(n int64) { b.held.Add(-n) }

// grown returns an empty slice with room for at least n elements of the given
// width in bytes, or nil when the budget has not as much. The allocator rounds
// up; what it adds is used and counted too.
func grown[T any](b *budget, n int, width, limit int64) []T {
	if b.held.Load()+int64(n)*width > limit {
		return nil // spares the allocation
	}
	s := slices.Grow([]T(nil), n)
	if !b.take(int64(cap(s))*width, limit) {
		return nil
	}
	return s
}
