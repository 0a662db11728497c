package cachestore

import (
	"context"

	"github.com/rockstar-web/sessions/core"
)

// The heap of expiries has four children to a node: most nodes are leaves, so
// that a touch, which moves a session back, mostly moves nothing. The log of
// fsstore has the same heap over entries of another form. A generic one for both
// would call each comparison through a table, in the path of every touch.
const (
	heapArity   = 4
	heapBytes   = 4   // of a ref
	leastHeap   = 64  // refs; a smaller heap is not worth shrinking
	sweepPieces = 128 // records that are deleted under one hold of a lock
)

// Sweep deletes at most limit records with ExpiresAt before the given moment
// and returns how many. It looks only at records that it deletes, and holds a
// shard for at most sweepPieces of them. When the context ends in the middle,
// the count is of those deleted until then.
func (s *Store) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	swept := 0
	for i := range s.shards {
		for more := true; more && swept < limit; {
			if err := ctx.Err(); err != nil {
				return swept, wrap(err)
			}
			n, err := s.shards[i].sweep(before, min(limit-swept, sweepPieces))
			if err != nil {
				return swept, err
			}
			swept += n
			more = n == sweepPieces
		}
	}
	return swept, nil
}

func (sh *shard) sweep(before core.Time, limit int) (int, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return 0, errClosed
	}
	n := 0
	for n < limit && len(sh.expiry) > 0 && sh.slot(sh.expiry[0]).expires() < before {
		sh.remove(sh.expiry[0])
		n++
	}
	if n > 0 {
		sh.trim()
	}
	return n, nil
}

// expiryRoom makes sure that expiryPush has room.
func (sh *shard) expiryRoom(limit int64) bool {
	return len(sh.expiry) < cap(sh.expiry) || sh.expiryResize(limit)
}

func (sh *shard) expiryTrim() {
	switch n := cap(sh.expiry); {
	case len(sh.expiry) == 0 && n > 0:
		sh.budget.give(int64(n) * heapBytes)
		sh.expiry = nil
	case n > leastHeap && len(sh.expiry)*2 < n:
		sh.expiryResize(sh.budget.max)
	}
}

func (sh *shard) expiryResize(limit int64) bool {
	fresh := grown[ref](sh.budget, len(sh.expiry)*5/4+8, heapBytes, limit)
	if fresh == nil {
		return false
	}
	sh.budget.give(int64(cap(sh.expiry)) * heapBytes)
	sh.expiry = append(fresh, sh.expiry...)
	return true
}

func (sh *shard) expiryPush(r ref) {
	sh.expiry = append(sh.expiry, r)
	sh.expiryUp(len(sh.expiry)-1, r)
}

func (sh *shard) expiryRemove(i int) {
	last := len(sh.expiry) - 1
	moved := sh.expiry[last]
	sh.expiry = sh.expiry[:last]
	if i < last {
		sh.expiryPut(i, moved)
		sh.expiryFix(i)
	}
}

// expiryFix moves an entry whose expiry has changed to where it belongs.
func (sh *shard) expiryFix(i int) {
	r := sh.expiry[i]
	if sh.expiryUp(i, r) == i {
		sh.expiryDown(i, r)
	}
}

func (sh *shard) expiryPut(i int, r ref) {
	sh.expiry[i] = r
	sh.slot(r).setPlace(i)
}

// expiryUp puts r where it belongs between i and the root and returns the place.
func (sh *shard) expiryUp(i int, r ref) int {
	at := sh.slot(r).expires()
	for i > 0 {
		parent := (i - 1) / heapArity
		if sh.slot(sh.expiry[parent]).expires() <= at {
			break
		}
		sh.expiryPut(i, sh.expiry[parent])
		i = parent
	}
	sh.expiryPut(i, r)
	return i
}

// expiryDown puts r where it belongs between i and the leaves.
func (sh *shard) expiryDown(i int, r ref) {
	at := sh.slot(r).expires()
	for {
		least, leastAt := i, at
		for c := i*heapArity + 1; c <= i*heapArity+heapArity && c < len(sh.expiry); c++ {
			if t := sh.slot(sh.expiry[c]).expires(); t < leastAt {
				least, leastAt = c, t
			}
		}
		if least == i {
			break
		}
		sh.expiryPut(i, sh.expiry[least])
		i = least
	}
	sh.expiryPut(i, r)
}
