package conformance

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// cutTries is how often a case cuts a call off, at ten moments, by a deadline
// and by a cancel.
const cutTries = 80

var cutCases = []testCase{
	{"cut-save", "A Save whose context ends anywhere on its way has stored the record if it answers nil, says core.ErrConflict for no other reason than another version, and can be made again.", cutSave},
	{"cut-load", "A Load whose context ends anywhere on its way never says that a session is missing which is there.", cutLoad},
	{"cut-delete", "A Delete whose context ends anywhere on its way has ended the session if it answers nil.", cutDelete},
	{"cut-returns", "A call returns when its context ends, also in the middle of its way: it is not enough to look at the context when it begins.", cutReturns},
	{"calls-leave-nothing", "A call leaves no goroutine behind, also one that was cut off.", callsLeaveNothing},
}

var cutFindCases = []testCase{
	{"cut-find", "A Find whose context ends anywhere on its way answers with the whole page or an error: a page that is cut short would mean the last one.", cutFind},
	{"cut-index", "Find returns what Load returns, also after a Save or Delete that was cut off: an entry of an index comes before its record and goes after it.", cutIndex},
}

// durations are how long some calls have taken, the shortest first.
type durations [9]time.Duration

func (d *durations) least() time.Duration { return d[0] }
func (d *durations) usual() time.Duration { return d[len(d)/2] }

// timed measures a call.
func timed(call func()) *durations {
	var took durations
	for i := range took {
		ctx, over := context.WithCancel(context.Background())
		go keepAwake(ctx, time.Second)
		began := time.Now()
		call()
		took[i] = time.Since(began)
		over()
	}
	slices.Sort(took[:])
	return &took
}

// moments calls f to cut calls off. cut begins a context that ends after some
// eighths of what the call takes, at the least or as usual, from none of it to a
// little more than all: by a deadline, or by a cancel.
func (p *probe) moments(took *durations, f func(i int, cut func() context.Context)) {
	for i := range cutTries {
		after := took.least()
		if i/20%2 == 1 {
			after = took.usual()
		}
		after = after * time.Duration(i/2%10) / 8
		ctx, cancel := context.WithCancel(p.ctx)
		f(i, func() context.Context {
			go keepAwake(ctx, after)
			if i%2 == 1 {
				time.AfterFunc(after, cancel)
				return ctx
			}
			ctx, cancelLater := context.WithTimeout(ctx, after)
			context.AfterFunc(ctx, cancelLater)
			return ctx
		})
		cancel()
	}
}

// keepAwake lets timers come in time: those of a process that idles are late by
// up to a millisecond, which is all of a call in a near network.
func keepAwake(ctx context.Context, d time.Duration) {
	const yields = 20_000 // some milliseconds
	over := time.Now().Add(d)
	for range yields {
		if ctx.Err() != nil || time.Now().After(over) {
			return
		}
		runtime.Gosched()
	}
}

// cutError holds the error of a call that was cut off to being the context's.
func (p *probe) cutError(verb string, err error) {
	switch {
	case err == nil:
	case errors.Is(err, core.ErrNotFound), errors.Is(err, core.ErrConflict),
		!errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled):
		p.fail("%s, whose context ends on the way, returns %v, want its answer or an error that wraps the context's", verb, err)
	}
}

// cutSave replaces and inserts, and does it again, as a manager does whose
// answer was lost.
func cutSave(p *probe) {
	took := timed(func() { p.save(p.a, p.record(), core.NoVersion) })
	p.moments(took, func(i int, cut func() context.Context) {
		s, other := p.handle(i/4), p.handle(i/4+1)
		was := p.record()
		is, prev := p.next(was), core.NoVersion
		if i%3 > 0 {
			p.save(s, was, core.NoVersion)
			prev = was.Version
		}
		err := s.Save(cut(), copied(is), prev)
		p.cutError("Save of "+describe(is, prev), err)
		if err == nil {
			p.holds(other, is)
		}
		p.save(s, is, prev)
		p.holds(other, is)
		p.delete(other, is.ID)
	})
}

func cutLoad(p *probe) {
	r := p.record()
	p.save(p.a, r, core.NoVersion)
	took := timed(func() { p.holds(p.a, r) })
	p.moments(took, func(i int, cut func() context.Context) {
		got, err := p.handle(i/4).Load(cut(), r.ID)
		p.cutError("Load", err)
		if d := difference(r, got); err == nil && d != "" {
			p.fail("Load, whose context ends on the way, returns no error: %s", d)
		}
	})
}

func cutDelete(p *probe) {
	took := timed(func() { p.delete(p.a, p.id()) })
	p.moments(took, func(i int, cut func() context.Context) {
		s, other := p.handle(i/4), p.handle(i/4+1)
		r := p.record()
		p.save(s, r, core.NoVersion)
		err := s.Delete(cut(), r.ID)
		p.cutError("Delete", err)
		if err == nil {
			p.gone(other, r.ID)
			return
		}
		if got, err := other.Load(p.ctx, r.ID); !errors.Is(err, core.ErrNotFound) && (err != nil || difference(r, got) != "") {
			p.fail("after a Delete whose context ended Load returns version %d and %v, want the session or core.ErrNotFound", got.Version, err)
		}
		p.delete(s, r.ID)
		p.gone(other, r.ID)
	})
}

func cutFind(p *probe) {
	all := p.saveExpiring(20, p.soon)
	sortByID(all)
	q := hosts.Query{Tenant: "acme", User: "alice"}
	took := timed(func() { p.equal(q, p.page(p.a, q, core.ID{}, 30), all) })
	p.moments(took, func(i int, cut func() context.Context) {
		found, err := able[hosts.Finder](p.handle(i/4)).Find(cut(), q, core.ID{}, 30)
		p.cutError("Find", err)
		if err == nil {
			p.equal(q, found, all)
		}
	})
}

func cutIndex(p *probe) {
	q := hosts.Query{Tenant: "acme", User: "bob"}
	took := timed(func() { p.save(p.a, p.record(), core.NoVersion) })
	p.moments(took, func(i int, cut func() context.Context) {
		s, other := p.handle(i/4), p.handle(i/4+1)
		r, prev := p.record(), core.NoVersion
		switch i % 3 {
		case 1: // it becomes bob's
			p.save(s, r, core.NoVersion)
			r, prev = p.next(r), r.Version
		case 2:
			r.User = "bob"
			p.save(s, r, core.NoVersion)
			_ = s.Delete(cut(), r.ID)
			p.listed(other, q, r.ID)
			p.delete(s, r.ID)
			return
		}
		r.User = "bob"
		_ = s.Save(cut(), copied(r), prev)
		p.listed(other, q, r.ID)
		p.delete(s, r.ID)
	})
}

// listed looks for what is there and not found, twice: a call that was cut off
// may land between the looks.
func (p *probe) listed(s hosts.Store, q hosts.Query, id core.ID) {
	for range 2 {
		got, err := s.Load(p.ctx, id)
		if err != nil || !q.Matches(&got) {
			return
		}
		for _, r := range p.page(s, q, core.ID{}, 100) {
			if r.ID == id {
				return
			}
		}
	}
	p.fail("after a call whose context ended Load returns session %v of %q, and Find does not: it could not be revoked", id, q.User)
}
