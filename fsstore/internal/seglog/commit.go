package seglog

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// op is one change, of which the committer makes a record, or an answer at once.
type op struct {
	do     verb
	record core.Record  // of put; else only its ID
	prev   core.Version // of put
	before core.Time    // of expire
	from   span32       // of move and lose: only what lies there still
	sum    uint32       // of move: of Sealed
	base   uint32       // of mark

	at   span32 // where the record was written
	done bool   // it was: a conflict, or nothing to do, is not
	err  error
}

// verb says what an op does.
type verb byte

const (
	put    verb = iota // Save
	end                // Delete
	expire             // delete if it has expired
	lose               // delete what cannot be read any more
	move               // copy to the end of the log
	mark               // void the segments before one
)

// request is ops that are answered together. Its queue is the committer's.
type request struct {
	ops  []op
	done chan struct{}
}

// committer is the queue of requests, with one worker while there are any: all
// that wait are written together, and share a sync.
type committer struct {
	mu      sync.Mutex
	queue   []*request
	working bool
	idle    sync.WaitGroup
}

// submit waits until the ops are answered, or the context ends.
func (s *Store) submit(ctx context.Context, ops []op) error {
	c, q := &s.committer, &request{ops: ops, done: make(chan struct{})}
	c.mu.Lock()
	c.queue = append(c.queue, q)
	if !c.working {
		c.working = true
		c.idle.Go(s.work)
	}
	c.mu.Unlock()
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.queue, q); i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
		return fmt.Errorf("fsstore: %w", ctx.Err())
	}
	return fmt.Errorf("fsstore: %w: %w", hosts.ErrUnknown, ctx.Err())
}

func (s *Store) work() {
	c := &s.committer
	var ops []*op
	for {
		runtime.Gosched() // lets those who were answered just now join
		c.mu.Lock()
		batch := c.queue
		c.queue = nil
		if c.working = len(batch) > 0; !c.working {
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		ops = ops[:0]
		for _, q := range batch {
			for i := range q.ops {
				ops = append(ops, &q.ops[i])
			}
		}
		s.commit(ops)
		for _, q := range batch {
			close(q.done)
		}
		s.wakeCleaner()
	}
}
