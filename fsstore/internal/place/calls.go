package place

import (
	"context"
	"fmt"
	"sync"

	"github.com/rockstar-web/sessions/hosts"
)

// Calls counts the calls that run and wait in a store, so that Close can wait
// for them. NewCalls makes one.
type Calls struct {
	Done chan struct{} // closed by Shut

	max     int
	mu      sync.Mutex // guards running and closed
	n       int
	closed  bool
	running sync.WaitGroup
}

// NewCalls lets in max calls at once.
func NewCalls(max int) *Calls { return &Calls{Done: make(chan struct{}), max: max} }

// Begin counts a call in, or refuses it; End counts it out.
func (c *Calls) Begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("fsstore: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if c.n >= c.max {
		return fmt.Errorf("fsstore: %d calls are waiting: %w", c.max, hosts.ErrBusy)
	}
	c.n++
	c.running.Add(1)
	return nil
}

// End counts a call out that Begin has let in.
func (c *Calls) End() {
	c.mu.Lock()
	c.n--
	c.mu.Unlock()
	c.running.Done()
}

// Shut refuses all further calls, tells those that wait, and returns when none
// is left. It may be called more than once.
func (c *Calls) Shut() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.Done)
	}
	c.mu.Unlock()
	c.running.Wait()
}
