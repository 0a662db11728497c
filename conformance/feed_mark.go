package conformance

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

var cachingCases = []testCase{
	{"mark-begins", "A fresh store has no mark; EnableCaching sets it On, for every process at once, also when it is asked again or by several at once.", markBegins},
	{"mark-moves", "CachingState returns the mark as it is now, whichever process has set it, and sessions stay as they are.", markMoves},
	{"mark-off", "EnableCaching returns feed.ErrCachingOff where the mark is Stopping or Off, and leaves it there.", markOff},
	{"mark-in-answers", "Changes.Caching is true when the mark is On at the question, and else not; a follower needs no mark.", markInAnswers},
	{"mark-end", "A logout that reads a mark that does not wait, after its delete, is reported or can be seen by every cache that begins to rely on the store.", markEnd},
	{"mark-context", "EnableCaching, CachingState and SetCaching return the context's error when it has ended before, and change nothing.", markContext},
}

// offersCaching reports whether a store may be cached, in the form in which it was opened.
func offersCaching(s hosts.Store) bool {
	return offers[feed.Caching](s) && offersFeed(s)
}

// mark must be so, by both handles.
func (p *probe) mark(want feed.State) {
	for i := range 2 {
		got, err := able[feed.Caching](p.handle(i)).CachingState(p.ctx)
		if err != nil {
			p.fail("CachingState: %v", err)
		}
		if got != want {
			p.fail("CachingState returns %v, want %v", got, want)
		}
	}
}

func (p *probe) enable(s hosts.Store) {
	if err := able[feed.Caching](s).EnableCaching(p.ctx); err != nil {
		p.fail("EnableCaching: %v", err)
	}
}

func (p *probe) set(s hosts.Store, to feed.State) {
	if err := able[feed.Caching](s).SetCaching(p.ctx, to); err != nil {
		p.fail("SetCaching to %v: %v", to, err)
	}
}

func markBegins(p *probe) {
	p.mark(feed.None)
	p.together(4, func(i int) { p.enable(p.handle(i)) })
	p.mark(feed.On)
	p.enable(p.b)
	p.mark(feed.On)
}

func markMoves(p *probe) {
	r := p.record()
	p.save(p.a, r, core.NoVersion)
	p.enable(p.a)
	p.mark(feed.On)
	for n, to := range []feed.State{feed.Stopping, feed.Off, feed.On, feed.Stopping, feed.On, feed.Stopping, feed.Off} {
		p.set(p.handle(n), to)
		p.mark(to)
		p.holds(p.b, r)
		was := r
		r = p.next(was)
		p.save(p.handle(n), r, was.Version)
	}
	p.holds(p.a, r)
}

func markOff(p *probe) {
	p.enable(p.a)
	for _, state := range []feed.State{feed.Stopping, feed.Off} {
		p.set(p.a, state)
		for i := range 2 {
			if err := able[feed.Caching](p.handle(i)).EnableCaching(p.ctx); !errors.Is(err, feed.ErrCachingOff) {
				p.fail("EnableCaching returns %v where the mark is %v, want feed.ErrCachingOff", err, state)
			}
		}
		p.mark(state)
	}
}

func markInAnswers(p *probe) {
	before := p.follow(p.a)
	defer before.close()
	before.ask()
	if before.caching {
		p.fail("Changes.Caching is true where there is no mark")
	}
	p.enable(p.b)
	e := p.follow(p.b)
	defer e.close()
	for n, to := range []feed.State{feed.On, feed.Stopping, feed.Off, feed.On, feed.Stopping, feed.On} {
		if n > 0 {
			p.set(p.handle(n), to)
		}
		for _, one := range []*ear{before, e} {
			one.ask()
			if one.caching != (to == feed.On) {
				p.fail("Changes.Caching is %v where the mark is %v", one.caching, to)
			}
		}
	}
}

// markEnd has a logout, an operator who switches caching on, and two caches meet. One
// of them has followed since before, and relies on its answer if that has the mark;
// the other begins, and relies on what it loads afterwards.
func markEnd(p *probe) {
	const rounds = 40
	p.enable(p.a)
	for n := range rounds {
		p.set(p.a, feed.Stopping)
		p.set(p.a, feed.Off)
		r := p.record()
		p.save(p.a, r, core.NoVersion)
		e := p.follow(p.b)
		var waits, followed bool
		var loaded error
		order := rand.New(rand.NewPCG(uint64(n), 1)).Perm(4)
		p.together(4, func(i int) {
			switch order[i] {
			case 0:
				p.set(p.handle(n), feed.On)
			case 1:
				p.delete(p.handle(n+1), r.ID)
				state, err := able[feed.Caching](p.handle(n + 1)).CachingState(p.ctx)
				if err != nil {
					p.fail("CachingState: %v", err)
				}
				waits = state.Waits()
			case 2:
				defer e.close()
				e.ask()
			case 3:
				if able[feed.Caching](p.b).EnableCaching(p.ctx) != nil {
					return
				}
				followed = true
				begins := p.follow(p.b)
				defer begins.close()
				_, loaded = p.b.Load(p.ctx, r.ID)
				begins.ask()
				if begins.ended(r.ID) {
					loaded = core.ErrNotFound
				}
			}
		})
		switch {
		case waits:
		case e.caching && !e.ended(r.ID):
			p.fail("an answer has the mark and not the delete, and the logout has read after the delete that nobody waits")
		case followed && loaded == nil:
			p.fail("a cache that begins to follow does not hear of a logout that does not wait")
		}
	}
}

func markContext(p *probe) {
	ctx, cancel := context.WithCancel(p.ctx)
	cancel()
	c := able[feed.Caching](p.a)
	want := func(verb string, err error) {
		if !errors.Is(err, context.Canceled) {
			p.fail("%s, whose context has ended, returns %v, want the context's error", verb, err)
		}
	}
	want("EnableCaching", c.EnableCaching(ctx))
	p.mark(feed.None)
	p.enable(p.b)
	_, err := c.CachingState(ctx)
	want("CachingState", err)
	want("SetCaching", c.SetCaching(ctx, feed.Stopping))
	p.mark(feed.On)
}
