package migrate_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// gate lets the calls of requests to both stores go one by one, as a schedule says.
type gate struct {
	store    hosts.Store
	mu       sync.Mutex
	open     bool
	waiting  []*call
	dead     map[int]bool // requests whose server died
	finished int
	last     int // the request that went last
	switches int // how often another may go while it could go on
	wake     chan struct{}
}

type call struct {
	who  int
	verb string
	turn chan fault
}

// fault is what happens to a call.
type fault int

const (
	pass fault = iota
	fail       // it is not made
	lose       // it is made, and its answer is lost
	die        // it is not made, nor is any other of its request
	die2       // it is made, and none after it
	kinds
)

func (f fault) String() string { return []string{"", "(fails)", "(lost)", "(dies)", "(made, dies)"}[f] }

type whoKey struct{}

// pass waits for the turn of a call and makes it.
func (g *gate) pass(ctx context.Context, verb string, do func() error) error {
	if g == nil {
		return do()
	}
	g.mu.Lock()
	who, _ := ctx.Value(whoKey{}).(int)
	switch {
	case g.open:
		g.mu.Unlock()
		return do()
	case g.dead[who]:
		g.mu.Unlock()
		return hosts.ErrUnavailable
	}
	c := &call{who, verb, make(chan fault)}
	g.waiting = append(g.waiting, c)
	g.mu.Unlock()
	g.poke()
	f := <-c.turn
	if f == die || f == die2 {
		g.mu.Lock()
		g.dead[who] = true
		g.mu.Unlock()
	}
	if f == pass {
		return do()
	}
	if f == lose || f == die2 {
		_ = do() // its answer is what gets lost
	}
	return hosts.ErrUnavailable
}

func (g *gate) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *gate) Load(ctx context.Context, id core.ID) (r core.Record, err error) {
	err = g.pass(ctx, "load", func() (e error) { r, e = g.store.Load(ctx, id); return e })
	return r, err
}

func (g *gate) Save(ctx context.Context, r core.Record, prev core.Version) error {
	return g.pass(ctx, "save", func() error { return g.store.Save(ctx, r, prev) })
}

func (g *gate) Delete(ctx context.Context, id core.ID) error {
	return g.pass(ctx, "delete", func() error { return g.store.Delete(ctx, id) })
}

func (g *gate) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) (found []core.Record, err error) {
	finder, _ := hosts.As[hosts.Finder](g.store)
	err = g.pass(ctx, "find", func() (e error) { found, e = finder.Find(ctx, q, after, limit); return e })
	return found, err
}

// together runs n requests at once and lets choose order their calls and place at
// most faults of the kinds below most. It runs in a synctest bubble.
func (g *gate) together(n, faults int, most fault, choose func(n int) int, do func(ctx context.Context, who int)) (trace string) {
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
		f := pass
		if faults > 0 {
			if f = fault(choose(int(most))); f != pass {
				faults--
			}
		}
		trace += fmt.Sprintf("%d:%s%v ", c.who, c.verb, f)
		c.turn <- f
	}
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.finished, g.last, g.dead = open, 0, -1, map[int]bool{}
}

// next chooses the call that goes.
func (g *gate) next(n int, choose func(n int) int) (c *call, over bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		return nil, g.finished == n
	}
	slices.SortStableFunc(g.waiting, func(a, b *call) int { return a.who - b.who })
	at := slices.IndexFunc(g.waiting, func(c *call) bool { return c.who == g.last })
	could := at >= 0
	if len(g.waiting) > 1 && (!could || g.switches > 0) {
		at = choose(len(g.waiting))
	}
	at = max(at, 0)
	c = g.waiting[at]
	if could && c.who != g.last {
		g.switches--
	}
	g.last = c.who
	g.waiting = slices.Delete(g.waiting, at, at+1)
	return c, false
}

// everySchedule runs a test with every sequence of choices that it can make, and
// returns how many there are.
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
		if last < 0 || t.Failed() {
			return runs
		}
		path[last]++
	}
}
