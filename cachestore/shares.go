package cachestore

import (
	"hash/maphash"
	"math"
	"sync/atomic"
)

const (
	shareRows    = 4
	shareColumns = 1024 // in a row; a power of two
	columnBits   = 10
)

// shares counts the bytes of each user's sessions without a word for each user:
// it adds them to one counter in every row, and the least of these says what
// they have at most. They have less if another user shares each of their counters.
// Only several users at their limit who share all of them could keep somebody from
// the store, and the seed keeps anyone from choosing that.
type shares struct {
	seed maphash.Seed
	rows [shareRows][shareColumns]atomic.Int64
}

// owner is a hash of tenant and user, zero without a user.
type owner uint64

func (s *shares) owner(tenant, user []byte) owner {
	if len(user) == 0 {
		return 0
	}
	return max(1, owner(maphash.Bytes(s.seed, tenant)*3^maphash.Bytes(s.seed, user)))
}

// add notes n bytes more, or fewer, and returns how many there are now.
func (s *shares) add(o owner, n int64) int64 {
	if o == 0 {
		return 0
	}
	least := int64(math.MaxInt64)
	for i := range s.rows {
		least = min(least, s.rows[i][o>>(i*columnBits)%shareColumns].Add(n))
	}
	return least
}

// change notes that a session of old bytes, zero for none, takes size from now
// on, or returns false when it grows and the user would have more than the
// limit. One session alone may be of any size.
func (s *shares) change(o owner, old, size int, limit int64) bool {
	n := int64(size - old)
	if o == 0 || n == 0 {
		return true
	}
	if has := s.add(o, n); n > 0 && has > limit && has > int64(size) {
		s.add(o, -n)
		return false
	}
	return true
}

func (s *shares) reset() {
	for i := range s.rows {
		for j := range s.rows[i] {
			s.rows[i][j].Store(0)
		}
	}
}
