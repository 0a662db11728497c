package slots

import (
	"context"
	"fmt"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// gates let the calls of this process in one after the other for each session:
// first come, first served, where polling for the lock would be a lottery.
type gates struct {
	mu sync.Mutex
	of map[core.ID]*gate // those that somebody has or waits for
}

type gate struct {
	turn  chan struct{}
	calls int // that have it or wait; guarded by gates.mu
}

// enter waits for the turn of a call on session id and for few enough open files;
// leave gives back both.
func (s *Store) enter(ctx context.Context, id core.ID) (leave func(), err error) {
	g := s.files.join(id)
	if err := s.wait(ctx, g.turn); err != nil {
		s.files.part(id, g)
		return nil, err
	}
	if err := s.wait(ctx, s.writes); err != nil {
		<-g.turn
		s.files.part(id, g)
		return nil, err
	}
	return func() {
		<-s.writes
		<-g.turn
		s.files.part(id, g)
	}, nil
}

// wait takes a place in turn, which others give back.
func (s *Store) wait(ctx context.Context, turn chan struct{}) error {
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("fsstore: waiting for other calls: %w", ctx.Err())
	case <-s.calls.Done:
		return place.ErrClosed
	}
}

func (a *gates) join(id core.ID) *gate {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.of[id]
	if g == nil {
		g = &gate{turn: make(chan struct{}, 1)}
		a.of[id] = g
	}
	g.calls++
	return g
}

func (a *gates) part(id core.ID, g *gate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if g.calls--; g.calls == 0 {
		delete(a.of, id)
	}
}
