package wazero

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
	"github.com/rockstar-web/sessions/hosts"
)

// pool is the instances of one configured machine, the one used last first:
// its memory is warm.
type pool struct {
	engine *Engine
	calls  sync.WaitGroup // under way: code that runs must not be unmapped

	mu      sync.Mutex
	setup   core.Secret // the frame that configures an instance: it holds the keys
	idle    []*guest
	busy    map[*guest]time.Time // since when
	taken   int                  // in a call, or being made for one
	dropped int64
	closed  bool
}

// configure makes the first instance and keeps the frame for the others.
func (l *pool) configure(frame []byte) ([]byte, error) {
	g, err := l.engine.instance(context.Background())
	if err != nil {
		return nil, err
	}
	reply, err := g.ask(context.Background(), frame)
	if err != nil {
		g.close()
		return nil, err
	}
	l.setup = core.NewSecret(frame)
	l.idle = append(l.idle, g)
	return reply, nil
}

func (l *pool) call(frame []byte) ([]byte, error) {
	g, err := l.take()
	if err != nil {
		return nil, err
	}
	// Without a deadline in the context the call costs no goroutine; the
	// watch ends it.
	reply, err := g.ask(context.Background(), frame)
	l.give(g, err == nil)
	return reply, err
}

var errClosed = fmt.Errorf("wazero: the engine is closed: %w", hosts.ErrClosed)

// take returns an instance, for give to take back.
func (l *pool) take() (*guest, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch n := len(l.idle); {
	case l.closed:
		return nil, errClosed
	case l.taken >= l.engine.options.Most:
		return nil, fmt.Errorf("wazero: all %d instances (Options.Most) are in a call: %w", l.engine.options.Most, hosts.ErrBusy)
	case n > 0:
		g := l.idle[n-1]
		l.idle = l.idle[:n-1]
		l.begin(g)
		l.taken++
		l.calls.Add(1)
		return g, nil
	}
	l.taken++
	l.calls.Add(1)
	setup := bytes.Clone(l.setup.Bytes())
	l.mu.Unlock()
	g, err := l.another(setup)
	clear(setup)
	l.mu.Lock()
	if err != nil {
		l.taken--
		l.calls.Done()
		return nil, err
	}
	l.begin(g)
	return g, nil
}

// begin notes since when a call runs, if anybody wants to know.
func (l *pool) begin(g *guest) {
	if l.engine.options.Timeout > 0 {
		l.busy[g] = time.Now()
	}
}

// another makes an instance beside those in use.
func (l *pool) another(setup []byte) (*guest, error) {
	g, err := l.engine.instance(context.Background())
	if err != nil {
		return nil, err
	}
	reply, err := g.ask(context.Background(), setup)
	if err == nil && (len(reply) == 0 || reply[0] != wire.StatusOK) {
		err = fmt.Errorf("%w: it refuses the setup that another instance took", ErrGuest)
	}
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// give puts an instance back, or drops it: after an error, when it has used up
// its memory, or when enough wait already.
func (l *pool) give(g *guest, sound bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.calls.Done()
	delete(l.busy, g)
	l.taken--
	full := uint64(g.memory.Size()) >= uint64(l.engine.options.Pages)<<16
	if !sound || full {
		l.dropped++
	}
	if !sound || full || l.closed || len(l.idle) >= l.engine.options.Idle {
		g.close()
		return
	}
	l.idle = append(l.idle, g)
}

// timedOut is the exit code of a call that ran over its time.
const timedOut = 0xEF

// endOlder ends the calls that began before the moment given.
func (l *pool) endOlder(begun time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for g, since := range l.busy {
		if since.Before(begun) {
			_ = g.module.CloseWithExitCode(context.Background(), timedOut) // its call returns an error
		}
	}
}

// close frees the instances, and waits for the calls that are under way.
func (l *pool) close() {
	l.mu.Lock()
	l.closed = true
	for _, g := range l.idle {
		g.close()
	}
	l.idle = nil
	for g := range l.busy {
		_ = g.module.CloseWithExitCode(context.Background(), timedOut)
	}
	clear(l.setup.Bytes())
	l.mu.Unlock()
	l.calls.Wait()
}
