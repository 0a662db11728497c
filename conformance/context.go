package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var contextCases = []testCase{
	{"context-ended", "Every method returns the context's error when its context has ended before the call.", contextEnded},
	{"context-ended-unchanged", "A call whose context has ended before it changes nothing.", contextEndedUnchanged},
	{"context-cut", "Every method returns when its context ends, with its answer or an error that wraps the context's.", contextCut},
	{"context-ends", "A call whose context ends on the way is applied whole or not at all, is applied if it reports success, and leaves the store usable.", contextEnds},
}

func contextEnded(p *probe) {
	r := p.record()
	p.save(p.a, r, core.NoVersion)
	cancelled, cancel := context.WithCancel(p.ctx)
	cancel()
	late, cancelLate := context.WithDeadline(p.ctx, time.Unix(1, 0))
	defer cancelLate()
	for _, ctx := range []context.Context{cancelled, late} {
		for verb, err := range callAll(ctx, p.a, r.ID, p.record()) {
			if !errors.Is(err, ctx.Err()) {
				p.fail("%s returns %v, want an error that wraps %q", verb, err, ctx.Err())
			}
		}
	}
	after := p.record()
	p.save(p.a, after, core.NoVersion)
	p.holds(p.b, after)
}

func contextEndedUnchanged(p *probe) {
	ctx, cancel := context.WithCancel(p.ctx)
	cancel()
	r, fresh, inBatch := p.record(), p.record(), p.record()
	p.save(p.a, r, core.NoVersion)
	_ = p.a.Save(ctx, fresh, core.NoVersion)
	_ = p.a.Save(ctx, p.next(r), r.Version)
	_ = p.a.Delete(ctx, r.ID)
	if w, ok := hosts.As[hosts.Sweeper](p.a); ok {
		_, _ = w.Sweep(ctx, r.ExpiresAt+1, 10)
	}
	if b, ok := hosts.As[hosts.Batcher](p.a); ok {
		b.SaveMany(ctx, []hosts.Saving{{Record: inBatch}, {Record: p.next(r), Prev: r.Version}})
	}
	p.holds(p.b, r)
	p.gone(p.b, fresh.ID)
	p.gone(p.b, inBatch.ID)
}

// contextCut cancels a call meanwhile, or gives it some microseconds.
func contextCut(p *probe) {
	for i := range 40 {
		s := p.handle(i)
		r := p.record()
		p.save(s, r, core.NoVersion)
		for verb, err := range callAll(p.ctx, s, r.ID, p.record()) {
			if err != nil {
				p.fail("%s: %v", verb, err)
			}
		}
		p.save(s, r, core.NoVersion) // it was deleted
		in, cancel := context.WithTimeout(p.ctx, time.Duration(i*i)*time.Microsecond)
		p.together(2, func(who int) {
			if who == 1 && i%2 == 0 {
				cancel()
				return
			}
			for verb, err := range callAll(in, s, r.ID, p.record()) {
				if err != nil && !errors.Is(err, core.ErrNotFound) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
					p.fail("%s, whose context ends on the way, returns %v, want an error that wraps the context's", verb, err)
				}
			}
		})
		cancel()
	}
}

// callAll calls every method that s has, Delete last, and returns the errors.
func callAll(ctx context.Context, s hosts.Store, id core.ID, fresh core.Record) map[string]error {
	errs := make(map[string]error)
	_, errs["Load"] = s.Load(ctx, id)
	errs["Save"] = s.Save(ctx, fresh, core.NoVersion)
	if w, ok := hosts.As[hosts.Sweeper](s); ok {
		_, errs["Sweep"] = w.Sweep(ctx, 1, 1)
	}
	if f, ok := hosts.As[hosts.Finder](s); ok {
		_, errs["Find"] = f.Find(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1)
	}
	if b, ok := hosts.As[hosts.Batcher](s); ok {
		errs["LoadMany"] = errors.New("it does not answer one for one")
		if l := b.LoadMany(ctx, []core.ID{id}); len(l) == 1 {
			errs["LoadMany"] = l[0].Err
		}
		errs["SaveMany"] = errors.New("it does not answer one for one")
		if e := b.SaveMany(ctx, []hosts.Saving{{Record: fresh}}); len(e) == 1 {
			errs["SaveMany"] = e[0]
		}
	}
	errs["Delete"] = s.Delete(ctx, id)
	return errs
}

// contextEnds cancels at a moment that the scheduler chooses. A call that has
// reported an error may still land later, but never on top of another Save.
func contextEnds(p *probe) {
	for i := range 100 {
		s, other := p.handle(i), p.handle(i+1)
		was := p.record()
		is := p.next(was)
		p.save(s, was, core.NoVersion)
		err := p.cutOff(func(ctx context.Context) error { return s.Save(ctx, is, was.Version) })
		if errors.Is(err, core.ErrConflict) {
			p.fail("Save of %s: %v", describe(is, was.Version), err)
		}
		if err == nil {
			p.holds(other, is)
		}
		last, there := p.change(other, was.ID, func(r core.Record) core.Record {
			if difference(was, r) != "" && difference(is, r) != "" {
				p.fail("after a Save whose context ended the session is neither the old nor the new one: %s", difference(is, r))
			}
			return p.next(r)
		})
		if !there {
			p.fail("after a Save whose context ended the session is gone")
		}
		p.holds(s, last)
		if err := p.cutOff(func(ctx context.Context) error { return s.Delete(ctx, was.ID) }); err == nil {
			p.gone(other, was.ID)
		}
		p.delete(s, was.ID)
		p.gone(s, was.ID)
	}
}

// cutOff makes the call and cancels its context meanwhile.
func (p *probe) cutOff(call func(context.Context) error) error {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	var err error
	p.together(2, func(i int) {
		if i == 0 {
			err = call(ctx)
		} else {
			cancel()
		}
	})
	return err
}
