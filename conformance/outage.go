package conformance

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of a call while its engine is out.
const (
	outageCall = 300 * time.Millisecond // that each call has
	grace      = 2 * time.Second        // to return after that
)

// Outage breaks the way between a store and its engine, for TestOutage. A
// [Proxy] does it for engines that are reached by TCP. Several kinds of outage add
// up until Resume ends all of them.
type Outage interface {
	Stall()           // requests are taken, and none is answered
	Down()            // connections end, and new ones fail
	Lose(answers int) // as many answers are lost, whose requests were carried out, and then none; -1: all
	Resume()          // everything is as before
}

// TestOutage stalls the engine of a store, takes it down and loses its answers.
// During the outage no call may return nil, core.ErrNotFound or core.ErrConflict,
// and each call returns when its context ends. After it the store recovers by
// itself, and has everything that it acknowledged. open returns a store on a fresh
// namespace, opened so that way stands between the store and its engine:
//
//	way, err := conformance.NewProxy("127.0.0.1:4222")
//	...
//	conformance.TestOutage(t, func(t *testing.T) hosts.Store {
//		return open(t, way.Addr())
//	}, way)
func TestOutage(t *testing.T, open func(t *testing.T) hosts.Store, way Outage, options ...Option) {
	t.Helper()
	TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		s := open(t)
		return s, s
	}, append([]Option{withOutage(way)}, options...)...)
}

var outageCases = []testCase{
	{"outage-stall", "A call to an engine that does not answer returns when its context ends, with that error; what was acknowledged is there afterwards.", outageStall},
	{"outage-down", "A call to an engine that is gone fails: nothing is missing, nothing is done and nobody has changed anything that could not be asked for.", outageDown},
	{"outage-lost", "A call whose answer is lost on the way fails; what was acknowledged is there afterwards.", outageLost},
	{"outage-lost-once", "A call whose answer is lost once, and which the driver makes again, is applied once: its own save is no conflict.", outageLostOnce},
	{"outage-under-way", "Clients that an outage meets in the middle of their saves lose nothing that was acknowledged, in any kind of outage.", outageUnderWay},
}

func outageStall(p *probe) { p.outage(p.way.Stall) }
func outageDown(p *probe)  { p.outage(p.way.Down) }
func outageLost(p *probe)  { p.outage(func() { p.way.Lose(-1) }) }

// outage has every verb called while the engine is out, and the same again
// afterwards.
func (p *probe) outage(begin func()) {
	all := p.saveExpiring(8, p.soon)
	ended := p.record()
	p.save(p.a, ended, core.NoVersion)
	p.delete(p.a, ended.ID)
	replaced, fresh := p.next(all[1]), p.record()
	batch := []hosts.Saving{{Record: p.next(all[3]), Prev: all[3].Version}, {Record: p.record()}}
	begin()
	release := p.holdUp(all[7])
	calls := append(p.outageReads(all[0]),
		verbCall{"Save of a new session", func(ctx context.Context, s hosts.Store) error { return s.Save(ctx, copied(fresh), core.NoVersion) }},
		verbCall{"Save of a known session", func(ctx context.Context, s hosts.Store) error { return s.Save(ctx, copied(replaced), all[1].Version) }},
		verbCall{"Delete", func(ctx context.Context, s hosts.Store) error { return s.Delete(ctx, all[2].ID) }},
		verbCall{"Delete of a missing session", func(ctx context.Context, s hosts.Store) error { return s.Delete(ctx, p.id()) }})
	whole := offers[hosts.Batcher](p.a)
	if whole {
		calls = append(calls, verbCall{"SaveMany", func(ctx context.Context, s hosts.Store) error {
			errs := able[hosts.Batcher](s).SaveMany(ctx, slices.Clone(batch))
			whole = whole && len(errs) > 0 && errors.Is(errs[0], hosts.ErrBatch)
			return worst(errs, func(err error) error { return err })
		}})
	}
	for range 2 { // the first time they may be before the call that is to hold them up
		p.together(len(calls), func(i int) { p.failsInTime(calls[i]) })
	}
	p.way.Resume()
	release()
	p.recovers(all[0])
	p.holds(p.b, all[4])
	p.gone(p.b, ended.ID)
	// A request that was stalled may land now: it does no harm.
	p.save(p.a, fresh, core.NoVersion)
	p.holds(p.b, fresh)
	p.save(p.a, replaced, all[1].Version)
	p.holds(p.b, replaced)
	p.delete(p.a, all[2].ID)
	p.gone(p.b, all[2].ID)
	if whole {
		p.holds(p.b, all[3])
		p.gone(p.b, batch[1].Record.ID)
	}
}

// holdUp has a call with more time than the others hold whatever they may have
// to wait for, a lock or a connection, until release.
func (p *probe) holdUp(r core.Record) (release func()) {
	ctx, cancel := context.WithCancel(p.ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = p.a.Save(ctx, p.next(r), r.Version)
	}()
	return func() {
		cancel()
		select {
		case <-over:
		case <-time.After(grace):
			p.fail("Save has not returned %v after its context ended", grace)
		}
	}
}

// outageReads are the calls that change nothing.
func (p *probe) outageReads(there core.Record) []verbCall {
	calls := []verbCall{
		{"Load", func(ctx context.Context, s hosts.Store) error {
			got, err := s.Load(ctx, there.ID)
			if err == nil && difference(there, got) == "" {
				return errAnswered // from memory, and right
			}
			return err
		}},
		{"Load of a missing session", func(ctx context.Context, s hosts.Store) error { _, err := s.Load(ctx, p.id()); return err }},
	}
	if offers[hosts.Sweeper](p.a) {
		calls = append(calls, verbCall{"Sweep", func(ctx context.Context, s hosts.Store) error {
			_, err := able[hosts.Sweeper](s).Sweep(ctx, 1, 1)
			return err
		}})
	}
	if offers[hosts.Finder](p.a) {
		calls = append(calls, verbCall{"Find", func(ctx context.Context, s hosts.Store) error {
			_, err := able[hosts.Finder](s).Find(ctx, everything, core.ID{}, 100)
			return err
		}})
	}
	if offers[hosts.Batcher](p.a) {
		calls = append(calls, verbCall{"LoadMany", func(ctx context.Context, s hosts.Store) error {
			return worst(able[hosts.Batcher](s).LoadMany(ctx, []core.ID{there.ID, p.id()}), func(l hosts.Loaded) error { return l.Err })
		}})
	}
	return calls
}

// errAnswered stands for an answer that is right without the engine.
var errAnswered = errors.New("answered")

// worst returns the answer of a batch that promises most: nil, or what is no
// failure of the engine.
func worst[A any](all []A, errorOf func(A) error) error {
	if len(all) == 0 {
		return errors.New("a batch has no answers")
	}
	err := errorOf(all[0])
	for _, a := range all {
		if next := errorOf(a); next == nil || isAnswer(next) {
			return next
		}
	}
	return err
}

// isAnswer tells what a store can only know from its engine.
func isAnswer(err error) bool {
	return errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrConflict)
}

// failsInTime makes a call that the engine does not answer.
func (p *probe) failsInTime(v verbCall) {
	ctx, cancel := context.WithTimeout(p.ctx, outageCall)
	defer cancel()
	began := time.Now()
	answer := make(chan error, 1)
	go func() {
		defer p.guard()
		answer <- v.call(ctx, p.a)
	}()
	var err error
	select {
	case err = <-answer:
	case <-time.After(outageCall + grace):
		p.fail("%s has not returned %v after its context ended, while the engine does not answer", v.name, grace)
	}
	took := time.Since(began)
	switch {
	case err == nil || isAnswer(err):
		p.fail("%s returns %v while the engine does not answer", v.name, err)
	case errors.Is(err, errAnswered):
	case took > outageCall && !errors.Is(err, context.DeadlineExceeded):
		p.fail("%s, whose context has ended, returns %v, want an error that wraps the context's", v.name, err)
	}
}

// recovers loads r until that works again.
func (p *probe) recovers(r core.Record) {
	over := time.Now().Add(Patience)
	for {
		ctx, cancel := context.WithTimeout(p.ctx, outageCall)
		got, err := p.a.Load(ctx, r.ID)
		cancel()
		switch {
		case err == nil && difference(r, got) == "":
			p.settled()
			return
		case err == nil || isAnswer(err):
			p.fail("Load of what was acknowledged before the outage returns version %d and %v", got.Version, err)
		case time.Now().After(over):
			p.fail("%v after the engine is back Load still returns %v", Patience, err)
		}
		p.pause()
	}
}

// settled makes calls until the connections that the outage has left are gone.
func (p *probe) settled() {
	const good = 20
	over := time.Now().Add(Patience)
	for n := 0; n < good; n++ {
		if err := p.a.Delete(p.ctx, p.id()); err != nil {
			if n = 0; time.Now().After(over) {
				p.fail("%v after the engine is back Delete still returns %v", Patience, err)
			}
			p.pause()
		}
	}
}

// pause is short.
func (p *probe) pause() {
	select {
	case <-time.After(10 * time.Millisecond):
	case <-p.ctx.Done():
	}
}
