package conformance

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// outageLostOnce loses one answer, the first of a call or one that comes later;
// the call is then made again until it is answered.
func outageLostOnce(p *probe) {
	took := timed(func() { p.save(p.a, p.record(), core.NoVersion) }).usual()
	for i := range 48 {
		was := p.record()
		is, prev := p.next(was), core.NoVersion
		if i%2 == 0 {
			p.answered(func(ctx context.Context) error { return p.a.Save(ctx, copied(was), core.NoVersion) })
			prev = was.Version
		}
		err := p.losing(took*time.Duration(i/2%8)/8, func(ctx context.Context) error { return p.a.Save(ctx, copied(is), prev) })
		if isAnswerOf(err) {
			p.fail("Save of %s, whose answer may be lost once, returns %v, and nobody else has saved", describe(is, prev), err)
		}
		if err != nil {
			p.answered(func(ctx context.Context) error { return p.a.Save(ctx, copied(is), prev) })
		}
		p.holdsSoon(is)
		err = p.losing(0, func(ctx context.Context) error { _, err := p.a.Load(ctx, is.ID); return err })
		if isAnswerOf(err) {
			p.fail("Load of what is there, whose answer may be lost once, returns %v", err)
		}
		p.answered(func(ctx context.Context) error { return p.a.Delete(ctx, is.ID) })
		p.answered(func(ctx context.Context) error {
			if _, err := p.a.Load(ctx, is.ID); !errors.Is(err, core.ErrNotFound) {
				return errors.Join(err, errStillThere)
			}
			return nil
		})
	}
}

var errStillThere = errors.New("want core.ErrNotFound")

func isAnswerOf(err error) bool { return err != nil && isAnswer(err) }

// losing makes one call, with all the time that it may need, and has the first
// answer lost that comes after some time.
func (p *probe) losing(after time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	lost := make(chan struct{})
	go keepAwake(ctx, after)
	time.AfterFunc(after, func() { p.way.Lose(1); close(lost) })
	err := call(ctx)
	<-lost
	p.way.Resume()
	return err
}

// answered makes a call again until it succeeds. A conflict is none of what
// becomes better.
func (p *probe) answered(call func(context.Context) error) {
	over := time.Now().Add(Patience)
	for {
		ctx, cancel := context.WithTimeout(p.ctx, outageCall)
		err := call(ctx)
		cancel()
		if err == nil {
			return
		}
		if isAnswer(err) || time.Now().After(over) {
			p.fail("a call that is made again after a lost answer returns %v", err)
		}
		p.pause()
	}
}

// holdsSoon is holds, over connections that may be new.
func (p *probe) holdsSoon(want core.Record) {
	p.answered(func(ctx context.Context) error {
		got, err := p.b.Load(ctx, want.ID)
		if d := difference(want, got); err == nil && d != "" {
			p.fail("Load of %v: %s", want.ID, d)
		}
		return err
	})
}

// outageUnderWay has clients save their own sessions while the engine goes and
// comes.
func outageUnderWay(p *probe) {
	const clients = 8
	all := p.saveExpiring(clients, p.soon)
	kinds := []func(){p.way.Stall, p.way.Down, func() { p.way.Lose(-1) }}
	var over atomic.Bool
	saves := make(pulse)
	p.together(1+clients, func(i int) {
		if i == clients {
			defer over.Store(true)
			for _, begin := range kinds {
				saves.await(p.ctx, 3*clients)
				begin()
				select {
				case <-time.After(outageCall):
				case <-p.ctx.Done():
				}
				p.way.Resume()
				saves.await(p.ctx, clients)
			}
			return
		}
		c := outageClient{probe: p, s: p.handle(i), is: all[i]}
		for !over.Load() && p.ctx.Err() == nil {
			c.save()
			saves.beat()
		}
		all[i] = c.is
	})
	for _, r := range all {
		p.holdsSoon(r)
	}
}

// outageClient saves one session, of which nobody else knows.
type outageClient struct {
	*probe
	s     hosts.Store
	is    core.Record   // acknowledged, or seen
	maybe []core.Record // saved over it, and not answered
}

// save replaces the session once, however long that takes.
func (c *outageClient) save() {
	over := time.Now().Add(outageCall + Patience)
	for c.ctx.Err() == nil {
		next := c.next(c.is)
		ctx, cancel := context.WithTimeout(c.ctx, outageCall)
		err := c.s.Save(ctx, copied(next), c.is.Version)
		cancel()
		switch {
		case err == nil:
			c.is, c.maybe = next, nil
			return
		case errors.Is(err, core.ErrNotFound), errors.Is(err, core.ErrConflict) && len(c.maybe) == 0:
			c.fail("Save of %s returns %v, and nobody else has saved", describe(next, c.is.Version), err)
		case !errors.Is(err, core.ErrConflict):
			c.maybe = append(c.maybe, next)
		}
		c.look(over)
	}
}

// look loads the session: it is what was acknowledged, or one whose answer was
// lost.
func (c *outageClient) look(over time.Time) {
	for c.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(c.ctx, outageCall)
		got, err := c.s.Load(ctx, c.is.ID)
		cancel()
		switch {
		case err == nil && difference(c.is, got) == "":
			return
		case err == nil:
			for _, r := range c.maybe {
				if difference(r, got) == "" {
					c.is, c.maybe = r, nil
					return
				}
			}
			c.fail("Load returns version %d, which is neither acknowledged nor one whose answer was lost", got.Version)
		case isAnswer(err):
			c.fail("Load of a session that is only saved returns %v", err)
		case time.Now().After(over):
			c.fail("%v after the engine is back Load still returns %v", Patience, err)
		}
		c.pause()
	}
}
