package cachestore

import (
	"slices"
	"sync/atomic"
)

// budget counts the bytes that all shards hold, against the bound.
type budget struct {
	held atomic.Int64
	max  int64
}

// anonymousEighths of the bound may be taken by sessions without a user; the
// rest is kept for logins.
const anonymousEighths = 7

// limit is how far sessions with or without a user may go, in bytes.
func (b *budget) limit(anonymous bool) int64 {
	if anonymous {
		return b.max / 8 * anonymousEighths
	}
	return b.max
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
