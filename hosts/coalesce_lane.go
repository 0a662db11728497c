package hosts

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/rockstar-web/sessions/core"
)

// kind is what a lane knows of its calls.
type kind[Q, A any] interface {
	one(ctx context.Context, q Q) A
	many(ctx context.Context, qs []Q) []A
	errorOf(a A) error
	failure(err error) A
	key(q Q) core.ID // no two of a batch share it; zero: they may
}

// call is one caller's question. Its answer is sent once, and buffered.
type call[Q, A any] struct {
	q      Q
	bytes  int
	answer chan A
	left   bool // its caller has gone; guarded by the lane
}

// lane is a queue of calls of one kind.
type lane[Q, A any] struct {
	kind[Q, A]
	bounds Coalescing

	mu      sync.Mutex
	idle    sync.Cond // signalled when the last worker and direct call end
	queue   []*call[Q, A]
	bytes   int // that wait
	direct  int
	workers int
	closed  bool
}

func (l *lane[Q, A]) begin(o Coalescing, k kind[Q, A]) {
	l.kind, l.bounds, l.idle.L = k, o, &l.mu
}

var errCoalescerClosed = fmt.Errorf("coalescer: %w", ErrClosed)

// do asks the backend, alone or with others. err is the lane's own: the
// backend's is in the answer.
func (l *lane[Q, A]) do(ctx context.Context, q Q, bytes int) (a A, err error) {
	if err := ctx.Err(); err != nil {
		return a, err
	}
	l.mu.Lock()
	switch {
	case l.closed:
		l.mu.Unlock()
		return a, errCoalescerClosed
	case len(l.queue) == 0 && l.direct+l.workers < l.bounds.Direct:
		l.direct++
		l.mu.Unlock()
		defer l.directDone()
		return l.one(ctx, q), nil
	case len(l.queue) >= l.bounds.WaitingCalls || l.bytes+bytes > l.bounds.WaitingBytes:
		n, held := len(l.queue), l.bytes
		l.mu.Unlock()
		return a, fmt.Errorf("%w: %d calls with %d bytes wait", ErrBusy, n, held)
	}
	c := &call[Q, A]{q: q, bytes: bytes, answer: make(chan A, 1)}
	l.queue = append(l.queue, c)
	l.bytes += bytes
	l.engage()
	l.mu.Unlock()
	select {
	case a := <-c.answer:
		return a, nil
	case <-ctx.Done():
		return l.leave(ctx, c)
	}
}

func (l *lane[Q, A]) directDone() {
	l.mu.Lock()
	l.direct--
	l.engage()
	l.idle.Broadcast()
	l.mu.Unlock()
}

// engage starts a worker if calls wait and one may start. l.mu is held.
func (l *lane[Q, A]) engage() {
	if len(l.queue) > 0 && l.workers < l.bounds.Workers {
		l.workers++
		go l.work()
	}
}

// leave ends the wait of a caller whose context has ended.
func (l *lane[Q, A]) leave(ctx context.Context, c *call[Q, A]) (a A, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case a := <-c.answer: // both were ready
		return a, nil
	default:
	}
	for i, other := range l.queue {
		if other == c {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			l.bytes -= c.bytes
			return a, fmt.Errorf("coalescer: before the call began: %w", ctx.Err())
		}
	}
	c.left = true
	return a, fmt.Errorf("coalescer: %w: %w", ErrUnknown, ctx.Err())
}

// take returns the next batch, or nil and ends the worker when none waits.
func (l *lane[Q, A]) take() []*call[Q, A] {
	l.mu.Lock()
	defer l.mu.Unlock()
	var batch, rest []*call[Q, A]
	seen := make(map[core.ID]bool, len(l.queue))
	bytes := 0
	for i, c := range l.queue {
		if len(batch) == l.bounds.BatchCalls || len(batch) > 0 && bytes+c.bytes > l.bounds.BatchBytes {
			rest = append(rest, l.queue[i:]...)
			break
		}
		if k := l.key(c.q); !k.IsZero() {
			if seen[k] {
				rest = append(rest, c)
				continue
			}
			seen[k] = true
		}
		batch = append(batch, c)
		bytes += c.bytes
	}
	l.queue = rest
	l.bytes -= bytes
	if len(batch) == 0 {
		l.workers--
		l.idle.Broadcast()
	}
	return batch
}

func (l *lane[Q, A]) work() {
	for {
		runtime.Gosched() // lets callers that are ready join
		batch := l.take()
		if len(batch) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), l.bounds.Timeout)
		l.run(ctx, batch)
		cancel()
	}
}

// run asks for a batch and answers it, in halves where it fails as a whole.
func (l *lane[Q, A]) run(ctx context.Context, batch []*call[Q, A]) {
	if len(batch) == 1 {
		batch[0].answer <- l.one(ctx, batch[0].q)
		return
	}
	qs := make([]Q, len(batch))
	for i, c := range batch {
		qs[i] = c.q
	}
	answers := l.many(ctx, qs)
	if len(answers) != len(batch) {
		err := fmt.Errorf("coalescer: %d answers to %d calls: %w", len(answers), len(batch), ErrUnknown)
		for _, c := range batch {
			c.answer <- l.failure(err)
		}
		return
	}
	if errors.Is(l.errorOf(answers[0]), ErrBatch) && ctx.Err() == nil {
		l.run(ctx, batch[:len(batch)/2])
		l.run(ctx, batch[len(batch)/2:])
		return
	}
	for i, c := range batch {
		c.answer <- answers[i]
	}
}

func (l *lane[Q, A]) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.queue {
		c.answer <- l.failure(errCoalescerClosed)
	}
	l.queue, l.bytes = nil, 0
	for l.workers+l.direct > 0 {
		l.idle.Wait()
	}
}

type loadBatch struct{ b Batched }

func (k loadBatch) one(ctx context.Context, id core.ID) Loaded {
	r, err := k.b.Load(ctx, id)
	return Loaded{r, err}
}
func (k loadBatch) many(ctx context.Context, ids []core.ID) []Loaded { return k.b.LoadMany(ctx, ids) }
func (k loadBatch) errorOf(a Loaded) error                           { return a.Err }
func (k loadBatch) failure(err error) Loaded                         { return Loaded{Err: err} }
func (k loadBatch) key(core.ID) core.ID                              { return core.ID{} }

type saveBatch struct{ b Batched }

func (k saveBatch) one(ctx context.Context, s Saving) error {
	if s.Touch {
		ctx = TouchContext(ctx)
	}
	return k.b.Save(ctx, s.Record, s.Prev)
}
func (k saveBatch) many(ctx context.Context, s []Saving) []error { return k.b.SaveMany(ctx, s) }
func (k saveBatch) errorOf(err error) error                      { return err }
func (k saveBatch) failure(err error) error                      { return err }
func (k saveBatch) key(s Saving) core.ID                         { return s.Record.ID }

var _ Store = (*Coalescer)(nil)
