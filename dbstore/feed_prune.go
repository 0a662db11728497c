package dbstore

import (
	"context"
	"sync"
	"time"
)

// Bounds of pruning. What is pruned was seen by this process keepEntries ago: an
// entry whose transaction was open for long is kept as long after its commit as
// any other, whatever its number is. A follower that slept for longer meets a gap.
const (
	keepEntries   = 5 * time.Minute
	pruneEvery    = 10 * time.Second
	pruneStep     = 500 // entries that are deleted at once
	pruneSteps    = 200 // of one turn; what is left is for the next
	prunePatience = 5 * time.Second
)

// pruner remembers how far the feed was read, and when.
type pruner struct {
	mu      sync.Mutex
	seen    []seenAt // oldest first, pruneEvery apart
	pruned  int64
	running bool
}

type seenAt struct {
	at     time.Time
	number int64
}

// saw notes a number and returns one below which entries are to be deleted, or 0.
// The caller then calls done.
func (p *pruner) saw(now time.Time, number int64) (below int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.seen); n > 0 && now.Sub(p.seen[n-1].at) < pruneEvery {
		return 0
	}
	p.seen = append(p.seen, seenAt{now, number})
	old := 0
	for old+1 < len(p.seen) && now.Sub(p.seen[old+1].at) >= keepEntries {
		old++
	}
	p.seen = append(p.seen[:0], p.seen[old:]...)
	first := p.seen[0]
	if p.running || now.Sub(first.at) < keepEntries || first.number <= p.pruned {
		return 0
	}
	p.running = true
	return first.number
}

// done ends a turn, which has deleted all below a number if that is not 0.
func (p *pruner) done(below int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = false
	p.pruned = max(p.pruned, below)
}

// prune notes what was seen, and deletes old entries beside the calls. Entries that
// cannot be deleted now are deleted later.
func (s *Store) prune(seen int64) {
	below := s.pruner.saw(time.Now(), seen)
	if below == 0 {
		return
	}
	go func() {
		all := int64(0)
		defer func() { s.pruner.done(all) }()
		ctx, cancel := context.WithTimeout(context.Background(), prunePatience)
		defer cancel()
		if s.enter(ctx) != nil {
			return
		}
		defer s.leave()
		for range pruneSteps {
			start := time.Now()
			n, err := s.dialect.(FeedDialect).Prune(ctx, s.db, s.table, below, pruneStep)
			if err == nil && n < pruneStep {
				all = below
				return
			}
			if err != nil || s.pause(ctx, time.Since(start)) != nil {
				return
			}
		}
	}()
}
