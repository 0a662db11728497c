package conformance

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Fault is what a Faulty store does with one call.
type Fault int

// The faults. Each also says whether the store underneath is called.
const (
	Pass       Fault = iota // the call and its answer go through
	Fail                    // not called: hosts.ErrUnavailable
	LoseAnswer              // called, then hosts.ErrUnavailable
	Hang                    // not called: returns the context's error when it ends, and never without that
	Conflict                // not called: core.ErrConflict from Save and SaveMany, Fail from the others
	Garbage                 // called: Load, LoadMany and Find answer with damaged Sealed; the others as LoseAnswer
	HangAfter               // called, then as Hang
	Cancel                  // called with a context that has ended, as with a timeout of the driver
	Twice                   // called twice, as by a driver that retries; the second answer goes through
	LandLate                // hosts.ErrUnavailable at once; called when the next call begins
	FailBatch               // not called: LoadMany and SaveMany answer hosts.ErrBatch for all; the others as Fail
	Short                   // called: LoadMany and SaveMany leave their last answer out; the others as LoseAnswer
)

// Verb is the method that is called.
type Verb string

// The methods.
const (
	Load     Verb = "load"
	Save     Verb = "save"
	Delete   Verb = "delete"
	Sweep    Verb = "sweep"
	Find     Verb = "find"
	LoadMany Verb = "load many"
	SaveMany Verb = "save many"
)

// Plan chooses the fault of a call. The calls of all methods are numbered from 0 in
// the order in which they begin. Plan is called from many goroutines.
type Plan func(call int, verb Verb) Fault

// Faulty returns store with the faults that plan chooses. It implements
// hosts.Sweeper, hosts.Finder and hosts.Batcher if store does. A batch counts as
// one call.
func Faulty(store hosts.Store, plan Plan) hosts.Store {
	f := &faulty{Store: store, plan: plan}
	sweeper, sweeps := hosts.As[hosts.Sweeper](store)
	finder, finds := hosts.As[hosts.Finder](store)
	batcher, batches := hosts.As[hosts.Batcher](store)
	w, l, b := faultySweeper{f, sweeper}, faultyFinder{f, finder}, faultyBatcher{f, batcher}
	switch [3]bool{sweeps, finds, batches} {
	case [3]bool{true, true, true}:
		return struct {
			*faulty
			faultySweeper
			faultyFinder
			faultyBatcher
		}{f, w, l, b}
	case [3]bool{true, true, false}:
		return struct {
			*faulty
			faultySweeper
			faultyFinder
		}{f, w, l}
	case [3]bool{true, false, true}:
		return struct {
			*faulty
			faultySweeper
			faultyBatcher
		}{f, w, b}
	case [3]bool{false, true, true}:
		return struct {
			*faulty
			faultyFinder
			faultyBatcher
		}{f, l, b}
	case [3]bool{true, false, false}:
		return struct {
			*faulty
			faultySweeper
		}{f, w}
	case [3]bool{false, true, false}:
		return struct {
			*faulty
			faultyFinder
		}{f, l}
	case [3]bool{false, false, true}:
		return struct {
			*faulty
			faultyBatcher
		}{f, b}
	}
	return f
}

type faulty struct {
	hosts.Store
	plan Plan

	mu    sync.Mutex
	calls int
	late  []func() // calls that land when the next begins
}

// begin numbers a call and has those that are late land.
func (f *faulty) begin() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, land := range f.late {
		land()
	}
	f.late = nil
	f.calls++
	return f.calls - 1
}

// do makes the call as its fault wants it, and returns the error of the fault,
// else that of the call. Garbage and Short are left to the verb.
func (f *faulty) do(ctx context.Context, verb Verb, call func(context.Context) error) (Fault, error) {
	n := f.begin()
	fault := f.plan(n, verb)
	lost := fmt.Errorf("faulty store, %s call %d: %w", verb, n, hosts.ErrUnavailable)
	many := verb == LoadMany || verb == SaveMany
	switch {
	case fault == Pass,
		fault == Garbage && (verb == Load || verb == Find || verb == LoadMany),
		fault == Short && many:
		return fault, call(ctx)
	case fault == Conflict && (verb == Save || verb == SaveMany):
		return fault, core.ErrConflict
	case fault == FailBatch && many:
		return fault, fmt.Errorf("faulty store, %s call %d: %w", verb, n, hosts.ErrBatch)
	}
	switch fault {
	case LoseAnswer, Garbage, Short:
		_ = call(ctx) // the answer is what gets lost
	case HangAfter:
		_ = call(ctx)
		<-ctx.Done()
		return fault, ctx.Err()
	case Hang:
		<-ctx.Done()
		return fault, ctx.Err()
	case Cancel:
		ended, cancel := context.WithCancel(ctx)
		cancel()
		return fault, call(ended)
	case Twice:
		_ = call(ctx)
		return fault, call(ctx)
	case LandLate:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.late = append(f.late, func() { _ = call(context.WithoutCancel(ctx)) })
	}
	return fault, lost
}

func (f *faulty) Load(ctx context.Context, id core.ID) (core.Record, error) {
	var r core.Record
	fault, err := f.do(ctx, Load, func(ctx context.Context) (err error) { r, err = f.Store.Load(ctx, id); return })
	if err != nil {
		return core.Record{}, err
	}
	return spoiled(r, fault), nil
}

func (f *faulty) Save(ctx context.Context, r core.Record, prev core.Version) error {
	_, err := f.do(ctx, Save, func(ctx context.Context) error { return f.Store.Save(ctx, r, prev) })
	return err
}

func (f *faulty) Delete(ctx context.Context, id core.ID) error {
	_, err := f.do(ctx, Delete, func(ctx context.Context) error { return f.Store.Delete(ctx, id) })
	return err
}

// spoiled returns r, with other bytes where the fault is Garbage.
func spoiled(r core.Record, fault Fault) core.Record {
	if fault == Garbage {
		bad := append(bytes.Clone(r.Sealed), 0xff) // never none
		for i := range bad {
			bad[i] ^= 0x5a
		}
		r.Sealed = bad
	}
	return r
}
