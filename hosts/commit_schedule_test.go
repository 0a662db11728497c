package hosts_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// gate is a store whose calls wait until a schedule lets them go, one by one.
type gate struct {
	*cachestore.Store
	mu       sync.Mutex
	open     bool // calls go through
	waiting  []*call
	ended    []core.ID // deleted while they were there
	finished int
	wake     chan struct{}
}

type call struct {
	who  int
	verb conformance.Verb
	turn chan conformance.Fault
}

type whoKey struct{}

// pass waits for the turn of a call and makes it.
func (g *gate) pass(ctx context.Context, verb conformance.Verb, do func() error) error {
	g.mu.Lock()
	if g.open {
		g.mu.Unlock()
		return do()
	}
	c := &call{ctx.Value(whoKey{}).(int), verb, make(chan conformance.Fault)}
	g.waiting = append(g.waiting, c)
	g.mu.Unlock()
	g.poke()
	switch <-c.turn {
	case conformance.Fail:
		return hosts.ErrUnavailable
	case conformance.LoseAnswer:
		_ = do() // its answer is what gets lost
		return hosts.ErrUnavailable
	}
	return do()
}

func (g *gate) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *gate) Load(ctx context.Context, id core.ID) (r core.Record, err error) {
	err = g.pass(ctx, conformance.Load, func() (e error) { r, e = g.Store.Load(ctx, id); return e })
	return r, err
}

func (g *gate) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return g.pass(ctx, conformance.Save, func() error { return g.Store.Save(ctx, r, prev) })
}

func (g *gate) Delete(ctx context.Context, id core.ID) error {
	return g.pass(ctx, conformance.Delete, func() error {
		if _, err := g.Store.Load(ctx, id); err == nil {
			g.mu.Lock()
			g.ended = append(g.ended, id)
			g.mu.Unlock()
		}
		return g.Store.Delete(ctx, id)
	})
}

func (g *gate) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) (found []core.Record, err error) {
	err = g.pass(ctx, conformance.Find, func() (e error) { found, e = g.Store.Find(ctx, q, after, limit); return e })
	return found, err
}

// together runs n requests at once and lets choose order their store calls. It
// returns when all have ended. At most faults of the calls fail or lose their
// answer. It runs in a synctest bubble: pauses cost no time.
func (g *gate) together(n, faults int, choose func(n int) int, do func(ctx context.Context, who int)) (trace string) {
	g.set(false)
	for who := range n {
		go func() {
			do(context.WithValue(context.Background(), whoKey{}, who), who)
			g.mu.Lock()
			g.finished++
			g.mu.Unlock()
			g.poke()
		}()
	}
	for {
		synctest.Wait()
		c, over := g.next(n, choose)
		switch {
		case over:
			g.set(true)
			return trace
		case c == nil:
			<-g.wake // somebody pauses
			continue
		}
		fault := conformance.Pass
		if faults > 0 {
			if fault = []conformance.Fault{conformance.Pass, conformance.Fail, conformance.LoseAnswer}[choose(3)]; fault != conformance.Pass {
				faults--
			}
		}
		trace += fmt.Sprintf("%d:%s", c.who, c.verb)
		switch fault {
		case conformance.Fail:
			trace += "(fails)"
		case conformance.LoseAnswer:
			trace += "(lost)"
		}
		trace += " "
		c.turn <- fault
	}
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.finished = open, 0
}

// next chooses the call that goes.
func (g *gate) next(n int, choose func(n int) int) (c *call, over bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		return nil, g.finished == n
	}
	slices.SortStableFunc(g.waiting, func(a, b *call) int { return a.who - b.who })
	at := 0
	if len(g.waiting) > 1 {
		at = choose(len(g.waiting))
	}
	c = g.waiting[at]
	g.waiting = slices.Delete(g.waiting, at, at+1)
	return c, false
}

// everySchedule runs a test with every sequence of choices that it can make,
// and returns how many there are.
func everySchedule(t *testing.T, run func(choose func(n int) int)) (runs int) {
	t.Helper()
	var path, width []int
	for {
		at := 0
		run(func(n int) int {
			if at == len(path) {
				path, width = append(path, 0), append(width, n)
			}
			require.Equal(t, width[at], n, "the same choices lead to another place")
			at++
			return path[at-1]
		})
		runs++
		last := len(path) - 1
		for ; last >= 0 && path[last] == width[last]-1; last-- {
			path, width = path[:last], width[:last]
		}
		if last < 0 {
			return runs
		}
		path[last]++
	}
}
