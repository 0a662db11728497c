package redis

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

// registry has the turns that are under way, by their numbers.
type registry [maxGates * maxCalls]atomic.Pointer[turn]

// gate lets maxCalls at a time use the connections, first come, first served,
// and bounds those that wait.
type gate struct {
	turns   *registry
	timeout time.Duration
	free    chan int64 // numbers of turns
	waiting atomic.Int64
	closed  chan struct{}
	once    sync.Once
	empty   sync.Once
}

// newGate returns the gate whose turns have the nth share of the numbers.
func newGate(turns *registry, n int, timeout time.Duration) *gate {
	g := &gate{turns: turns, timeout: timeout, free: make(chan int64, maxCalls), closed: make(chan struct{})}
	for i := range maxCalls {
		g.free <- int64(n*maxCalls + i)
	}
	return g
}

// turn is one call's use of connections, and the context that the client is
// given for it. The client writes and reads in the goroutine of the call: an
// exchange between goroutines would cost half as much again as the call. So
// nothing but a connection's deadline can end it, and a turn moves that of its
// connections when its context ends.
//
// The client tells a connection whose call it serves by the deadline that it
// sets, which is the context's: its lowest bits are the number of the turn.
type turn struct {
	context.Context // of the caller
	gate            *gate
	number          int64
	deadline        time.Time
	stop            func() bool

	mu    sync.Mutex
	conns []*conn
	ended bool
}

// numberMask holds a number in the nanoseconds of a deadline.
const numberMask = maxGates*maxCalls - 1

// enter waits for a turn.
func (g *gate) enter(ctx context.Context) (*turn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	number, err := g.take(ctx)
	if err != nil {
		return nil, err
	}
	t := &turn{Context: ctx, gate: g, number: number, deadline: time.Now().Add(g.timeout)}
	if d, ok := ctx.Deadline(); ok && d.Before(t.deadline) {
		t.deadline = d
	}
	t.deadline = t.deadline.Add(time.Duration(number - t.deadline.UnixNano()&numberMask))
	g.turns[number].Store(t)
	if ctx.Done() != nil {
		t.stop = context.AfterFunc(ctx, t.end)
	}
	return t, nil
}

func (g *gate) take(ctx context.Context) (int64, error) {
	select {
	case <-g.closed:
		return 0, errClosed
	case n := <-g.free:
		return n, nil
	default:
	}
	if g.waiting.Add(1) > maxWaiting {
		g.waiting.Add(-1)
		return 0, fmt.Errorf("redis: %d calls wait for a connection: %w", maxWaiting, hosts.ErrBusy)
	}
	defer g.waiting.Add(-1)
	select {
	case <-g.closed:
		return 0, errClosed
	case n := <-g.free:
		return n, nil
	case <-ctx.Done():
		return 0, fmt.Errorf("redis: before the call began: %w", ctx.Err())
	}
}

// refuse ends the waiting, and every call that begins from now on.
func (g *gate) refuse() { g.once.Do(func() { close(g.closed) }) }

// drain returns when all turns have been left. It keeps them.
func (g *gate) drain() {
	g.refuse()
	g.empty.Do(func() {
		for range maxCalls {
			<-g.free
		}
	})
}

// Deadline implements context.Context.
func (t *turn) Deadline() (time.Time, bool) { return t.deadline, true }

func (t *turn) leave() {
	if t.stop != nil {
		t.stop()
	}
	t.gate.turns[t.number].Store(nil)
	t.gate.free <- t.number
}

// pause reports whether there is time for another try, after d.
func (t *turn) pause(d time.Duration) bool {
	if time.Until(t.deadline) < 2*d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.Done():
		return false
	}
}

// end has reads and writes of the turn's connections fail at once.
func (t *turn) end() {
	t.mu.Lock()
	t.ended = true
	conns := t.conns
	t.mu.Unlock()
	for _, c := range conns {
		c.interrupt(t)
	}
}

// add reports whether the turn has ended already.
func (t *turn) add(c *conn) (ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns = append(t.conns, c)
	return t.ended
}
