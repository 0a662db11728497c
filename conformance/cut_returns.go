package conformance

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	// Of a call that takes less nobody can tell whether it looks at its context.
	leastWatched = 800 * time.Microsecond
	// Goroutines that are on their way out have so long.
	linger = 3 * time.Second
)

// verbCall is one method, called with what it needs.
type verbCall struct {
	name string
	call func(ctx context.Context, s hosts.Store) error
}

// verbCalls are all methods that s has. Each call works, whenever it is made.
func (p *probe) verbCalls(s hosts.Store) []verbCall {
	r := p.record()
	p.save(s, r, core.NoVersion)
	calls := []verbCall{
		{"Load", func(ctx context.Context, s hosts.Store) error { _, err := s.Load(ctx, r.ID); return err }},
		{"Save", func(ctx context.Context, s hosts.Store) error { return s.Save(ctx, r, core.NoVersion) }},
		{"Delete", func(ctx context.Context, s hosts.Store) error { return s.Delete(ctx, p.id()) }},
	}
	if offers[hosts.Sweeper](s) {
		calls = append(calls, verbCall{"Sweep", func(ctx context.Context, s hosts.Store) error {
			_, err := able[hosts.Sweeper](s).Sweep(ctx, 1, 1)
			return err
		}})
	}
	if offers[hosts.Finder](s) {
		calls = append(calls, verbCall{"Find", func(ctx context.Context, s hosts.Store) error {
			_, err := able[hosts.Finder](s).Find(ctx, everything, core.ID{}, 1)
			return err
		}})
	}
	if offers[hosts.Batcher](s) {
		calls = append(calls, verbCall{"LoadMany", func(ctx context.Context, s hosts.Store) error {
			return answerOf(able[hosts.Batcher](s).LoadMany(ctx, []core.ID{r.ID}), func(l hosts.Loaded) error { return l.Err })
		}}, verbCall{"SaveMany", func(ctx context.Context, s hosts.Store) error {
			return answerOf(able[hosts.Batcher](s).SaveMany(ctx, []hosts.Saving{{Record: r}}), func(err error) error { return err })
		}})
	}
	return calls
}

// answerOf returns the one answer of a batch.
func answerOf[A any](all []A, errorOf func(A) error) error {
	if len(all) != 1 {
		return fmt.Errorf("a batch of 1 has %d answers", len(all))
	}
	return errorOf(all[0])
}

// cutReturns ends the context early in each call. A store that does not notice
// goes on to the end of the call, nearly each time.
func cutReturns(p *probe) {
	const tries = 41
	for _, v := range p.verbCalls(p.a) {
		took := timed(func() {
			if err := v.call(p.ctx, p.a); err != nil {
				p.fail("%s: %v", v.name, err)
			}
		}).least()
		if took < leastWatched {
			continue
		}
		late := took
		for range 3 { // on a busy machine one series may be late by chance
			var over [tries]time.Duration
			for i := range over {
				over[i] = p.overstays(v, took/4)
			}
			slices.Sort(over[:])
			late = min(late, over[tries/2])
			if late < took/2 {
				break
			}
		}
		if late >= took/2 {
			p.fail("%s takes %v; most calls whose context ended after %v have gone on for %v or more after that", v.name, took, took/4, late)
		}
	}
}

// overstays returns how long a call goes on after its context has ended. The
// end is noted when it comes, for timers may be late.
func (p *probe) overstays(v verbCall, after time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(p.ctx, after)
	defer cancel()
	var ended atomic.Int64
	began := time.Now()
	noted := make(chan struct{})
	context.AfterFunc(ctx, func() { ended.Store(int64(time.Since(began))); close(noted) })
	go keepAwake(ctx, after)
	_ = v.call(ctx, p.a)
	returned := time.Since(began)
	<-noted
	return returned - time.Duration(ended.Load())
}

// callsLeaveNothing counts the goroutines of this case before and after many
// calls, most of which are cut off.
func callsLeaveNothing(p *probe) {
	const (
		calls = 60 // of each verb
		idle  = 30 // goroutines of connections that a store keeps
	)
	verbs := p.verbCalls(p.a)
	mine := caseLabel(p.ctx)
	took := make([]time.Duration, len(verbs))
	for i, v := range verbs {
		took[i] = timed(func() { _ = v.call(p.ctx, p.a) }).least()
	}
	before := goroutines()[mine].count
	for i := range calls * len(verbs) {
		v := i % len(verbs)
		ctx, cancel := context.WithTimeout(p.ctx, took[v]*time.Duration(i/len(verbs)%8)/8)
		_ = verbs[v].call(ctx, p.handle(i))
		cancel()
	}
	over := time.Now().Add(linger)
	for {
		left := goroutines()[mine]
		if left.count-before <= idle {
			return
		}
		if time.Now().After(over) {
			p.fail("%d goroutines are left %v after %d calls, most of them here:\n%s", left.count-before, linger, calls*len(verbs), left.most)
		}
		select {
		case <-time.After(linger / 100):
		case <-p.ctx.Done():
			return
		}
	}
}
