package conformance

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Fault is what a Faulty store does with one call.
type Fault int

// The faults. The store underneath is asked by Pass, LoseAnswer and Garbage.
const (
	Pass       Fault = iota // the call and its answer go through
	Fail                    // not called: hosts.ErrUnavailable
	LoseAnswer              // called, then hosts.ErrUnavailable
	Hang                    // not called: returns the context's error when it ends, and never without that
	Conflict                // not called: core.ErrConflict from Save, Fail from the others
	Garbage                 // called: Load and Find answer with damaged Sealed; the others as LoseAnswer
)

// Verb is the method that is called.
type Verb string

// The verbs.
const (
	Load   Verb = "load"
	Save   Verb = "save"
	Delete Verb = "delete"
	Sweep  Verb = "sweep"
	Find   Verb = "find"
)

// Plan chooses the fault of a call. Calls of all verbs are numbered from 0 in
// the order in which they begin. It is called from many goroutines.
type Plan func(call int, verb Verb) Fault

// Faulty returns store with the faults that plan chooses. It implements
// hosts.Sweeper and hosts.Finder when store does, and never hosts.Batcher: each
// call has its own fault.
func Faulty(store hosts.Store, plan Plan) hosts.Store {
	f := &faulty{Store: store, plan: plan}
	sweeper, sweeps := store.(hosts.Sweeper)
	finder, finds := store.(hosts.Finder)
	switch {
	case sweeps && finds:
		return struct {
			*faulty
			faultySweeper
			faultyFinder
		}{f, faultySweeper{f, sweeper}, faultyFinder{f, finder}}
	case sweeps:
		return struct {
			*faulty
			faultySweeper
		}{f, faultySweeper{f, sweeper}}
	case finds:
		return struct {
			*faulty
			faultyFinder
		}{f, faultyFinder{f, finder}}
	}
	return f
}

type faulty struct {
	hosts.Store
	plan  Plan
	calls atomic.Int64
}

// do makes the call if its fault wants it and returns the error of the fault,
// else that of the call; garbage is left to the verb.
func (f *faulty) do(ctx context.Context, verb Verb, call func() error) (garbage bool, err error) {
	n := int(f.calls.Add(1)) - 1
	fault := f.plan(n, verb)
	lost := fmt.Errorf("faulty store, %s call %d: %w", verb, n, hosts.ErrUnavailable)
	switch {
	case fault == Pass:
		return false, call()
	case fault == Hang:
		<-ctx.Done()
		return false, ctx.Err()
	case fault == Conflict && verb == Save:
		return false, core.ErrConflict
	case fault == Garbage && (verb == Load || verb == Find):
		return true, call()
	case fault == Garbage || fault == LoseAnswer:
		_ = call() // the answer is what gets lost
	}
	return false, lost
}

func (f *faulty) Load(ctx context.Context, id core.ID) (core.Record, error) {
	var r core.Record
	garbage, err := f.do(ctx, Load, func() (err error) { r, err = f.Store.Load(ctx, id); return })
	if err != nil {
		return core.Record{}, err
	}
	if garbage {
		r.Sealed = damaged(r.Sealed)
	}
	return r, nil
}

func (f *faulty) Save(ctx context.Context, r core.Record, prev core.Version) error {
	_, err := f.do(ctx, Save, func() error { return f.Store.Save(ctx, r, prev) })
	return err
}

func (f *faulty) Delete(ctx context.Context, id core.ID) error {
	_, err := f.do(ctx, Delete, func() error { return f.Store.Delete(ctx, id) })
	return err
}

type faultySweeper struct {
	f *faulty
	s hosts.Sweeper
}

func (w faultySweeper) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	var n int
	_, err := w.f.do(ctx, Sweep, func() (err error) { n, err = w.s.Sweep(ctx, before, limit); return })
	if err != nil {
		return 0, err
	}
	return n, nil
}

type faultyFinder struct {
	f *faulty
	s hosts.Finder
}

func (w faultyFinder) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	var found []core.Record
	garbage, err := w.f.do(ctx, Find, func() (err error) { found, err = w.s.Find(ctx, q, after, limit); return })
	if err != nil {
		return nil, err
	}
	for i := range found {
		if garbage {
			found[i].Sealed = damaged(found[i].Sealed)
		}
	}
	return found, nil
}

// damaged returns other bytes than b, never none.
func damaged(b []byte) []byte {
	bad := append(bytes.Clone(b), 0xff)
	for i := range bad {
		bad[i] ^= 0x5a
	}
	return bad
}
