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
	before core.Time    // of expire and sweep
	limit  int          // of sweep
	from   span32       // of move and lose: only what lies there still
	sum    uint32       // of move: of Sealed
	base   uint32       // of mark

	at    span32    // where the record was written
	done  bool      // it was: a conflict, or nothing to do, is not
	swept []core.ID // by sweep
	err   error
}

// verb says what an op does.
type verb byte

const (
	put    verb = iota // Save
	end                // Delete
	expire             // delete if it has expired
	sweep              // delete all that have expired, alone in its write
	lose               // delete what cannot be read any more
	move               // copy to the end of the log
	mark               // void the segments before one
)

// ends reports whether the verb is one of those that end sessions.
func (v verb) ends() bool { return v == end || v == expire || v == sweep || v == lose }

// keepsReserve reports whether the verb must leave the room that is kept for the
// compaction, without which no room can be won back.
func (v verb) keepsReserve() bool { return v == put || v == end || v == expire || v == sweep }

// request is ops that are answered together, each about a session of its own.
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
	q, first := s.enqueue(ops)
	c := &s.committer
	if first {
		c.idle.Go(func() { s.work(nil) })
	}
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

// do waits until the ops are answered. It works itself where nobody does: that
// is sooner than to wake another.
func (s *Store) do(ops []op) {
	q, first := s.enqueue(ops)
	if first {
		s.work(q)
	}
	<-q.done
}

// enqueue reports true to the first, who is to see that somebody works.
func (s *Store) enqueue(ops []op) (q *request, first bool) {
	c := &s.committer
	q = &request{ops: ops, done: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, q)
	first = !c.working
	c.working = true
	return q, first
}

// work commits what waits until nothing does, or until own is answered.
func (s *Store) work(own *request) {
	var ops []*op
	for {
		batch := s.next(own)
		if len(batch) == 0 {
			return
		}
		ops = ops[:0]
		for _, q := range batch {
			for i := range q.ops {
				ops = append(ops, &q.ops[i])
			}
		}
		s.joined = len(batch) > 1
		s.commit(ops)
		for _, q := range batch {
			close(q.done)
		}
		if number, _ := s.dirty(); number != 0 {
			s.wakeCleaner()
		}
		if own == nil {
			runtime.Gosched() // lets those who were answered just now join
		}
	}
}

// next returns all that wait; none when the work is over, or is another's.
func (s *Store) next(own *request) []*request {
	c := &s.committer
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.working = false
		return nil
	}
	if own != nil && !slices.Contains(c.queue, own) {
		c.idle.Go(func() { s.work(nil) })
		return nil
	}
	batch := c.queue
	c.queue = nil
	return batch
}
