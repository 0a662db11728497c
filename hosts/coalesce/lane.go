package coalesce

import (
	"context"
	"fmt"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// lane gathers the calls of one kind. A call goes directly while few are under
// way; else it waits in line for a worker, which takes all that wait.
type lane[Q, A any] struct {
	kind[Q, A]
	bounds Options
	calls  sync.Pool // of *call[Q, A] that nobody else holds

	mu      sync.Mutex
	line    line[Q, A]
	direct  int // calls under way in their callers' goroutines
	batched int // calls under way in batches
	workers int // that serve the line
	closed  bool
	counted hosts.Queue   // Calls, Commands and Refused
	drained chan struct{} // closed when the lane is and nothing is under way

	enough    int           // calls that a worker awaits; zero: none does
	gather    chan struct{} // signals that they are there
	vain      int           // measures how often that was in vain
	unawaited int           // batches to come that await none
}

func (l *lane[Q, A]) open(o Options, k kind[Q, A]) {
	l.kind, l.bounds = k, o
	l.gather, l.drained = make(chan struct{}, 1), make(chan struct{})
	l.calls.New = func() any { return &call[Q, A]{answer: make(chan verdict[A], 1)} }
}

var errClosed = fmt.Errorf("coalescer: %w", hosts.ErrClosed)

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
		return a, errClosed
	case l.direct < l.bounds.Direct && l.workers == 0:
		l.direct++
		l.mu.Unlock()
		return l.alone(ctx, q, nil), nil
	case l.line.calls >= l.bounds.WaitingCalls || l.line.bytes+bytes > l.bounds.WaitingBytes:
		calls, held := l.line.calls, l.line.bytes
		l.counted.Refused++
		l.mu.Unlock()
		return a, fmt.Errorf("coalescer: %w: %d calls with %d bytes wait", hosts.ErrBusy, calls, held)
	}
	c := l.calls.Get().(*call[Q, A])
	c.q, c.key, c.bytes = q, l.key(q), bytes
	l.line.join(c)
	l.engage()
	l.mu.Unlock()
	select {
	case v := <-c.answer:
		return l.heard(ctx, c, v), nil
	case <-ctx.Done():
		return l.leave(ctx, c)
	}
}

// heard makes of a verdict an answer. Nobody else holds c any more.
func (l *lane[Q, A]) heard(ctx context.Context, c *call[Q, A], v verdict[A]) A {
	if v.alone {
		v.a = l.alone(ctx, c.q, c)
	}
	l.forget(c)
	return v.a
}

func (l *lane[Q, A]) forget(c *call[Q, A]) {
	var none Q
	c.q, c.key = none, core.ID{}
	l.calls.Put(c)
}

// alone asks the backend in the caller's goroutine. c is nil, or has its turn.
func (l *lane[Q, A]) alone(ctx context.Context, q Q, c *call[Q, A]) (a A) {
	defer func() {
		if p := recover(); p != nil {
			a = l.failure(panicked(p, l.lost()))
		}
		l.mu.Lock()
		l.count(1)
		l.aloneOver(c)
		l.mu.Unlock()
	}()
	return l.one(ctx, q)
}

// aloneOver is called with l.mu held.
func (l *lane[Q, A]) aloneOver(c *call[Q, A]) {
	l.direct--
	if c != nil {
		l.line.over(c)
	}
	l.engage()
}

// engage starts a worker if calls wait and one may start, and signals the worker
// that gathers when they are enough. l.mu is held.
func (l *lane[Q, A]) engage() {
	switch {
	case l.enough > 0:
		if l.line.ready.calls >= l.enough || l.closed {
			l.enough = 0
			l.gather <- struct{}{}
		}
	case l.line.ready.calls > 0 && l.workers < l.bounds.Workers:
		l.workers++
		go l.work()
	case l.closed && l.workers+l.direct == 0:
		select {
		case <-l.drained:
		default:
			close(l.drained)
		}
	}
}

// leave ends the wait of a caller whose context has ended.
func (l *lane[Q, A]) leave(ctx context.Context, c *call[Q, A]) (a A, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case v := <-c.answer: // both were ready
		if !v.alone {
			l.forget(c)
			return v.a, nil
		}
		l.aloneOver(c)
	default:
		if !l.line.leave(c) {
			// The worker still holds c and will answer it, to nobody.
			return a, l.left(ctx.Err())
		}
	}
	l.forget(c)
	return a, fmt.Errorf("coalescer: before the call began: %w", ctx.Err())
}

// count notes a command that has answered so many calls. l.mu is held.
func (l *lane[Q, A]) count(calls int) {
	l.counted.Calls += uint64(calls)
	l.counted.Commands++
}

func (l *lane[Q, A]) queue() hosts.Queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.counted
	q.Waiting, q.Bytes, q.UnderWay = l.line.calls, l.line.bytes, l.direct+l.batched
	return q
}

// close answers those that wait.
func (l *lane[Q, A]) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	no := verdict[A]{a: l.failure(errClosed)}
	for _, c := range l.line.empty() {
		c.answer <- no
	}
	l.engage()
}
