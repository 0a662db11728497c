package conformance

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

// Limits of the kit.
const (
	CaseLimit = 2 * time.Minute  // for one case, on the slowest backend
	Patience  = 10 * time.Second // for a call to return after its context has ended

	kitRecords = 1000            // that a store must have room for
	fillTime   = 2 * time.Second // for a case to insert nearly as many
)

// Broken is one promise that a store does not keep.
type Broken struct {
	Name    string // of the case: "insert-taken"
	Promise string // the sentence of the contract
	Seen    string // what the store did instead
}

// String returns the report that a failing test prints.
func (b Broken) String() string {
	return fmt.Sprintf("broken promise: %s\n%s: %s", b.Promise, b.Name, b.Seen)
}

// TestStore runs every case against stores that open returns, each on its own
// fresh, empty namespace with room for 1000 records and 8 MiB. It calls open
// once for each case, one after the other; open closes what it opened with
// t.Cleanup. Cases of Sweeper, Finder and Batcher run if they are implemented.
func TestStore(t *testing.T, open func(t *testing.T) hosts.Store) {
	t.Helper()
	TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		s := open(t)
		return s, s
	})
}

// TestShared is TestStore for a store that several processes share: open
// returns two handles on the same fresh namespace, opened as two processes
// would open them. Every case runs with its clients spread over both.
func TestShared(t *testing.T, open func(t *testing.T) (a, b hosts.Store)) {
	t.Helper()
	first, _ := open(t)
	for _, g := range groups {
		if !g.offered(first) {
			t.Logf("the store implements no hosts.%s: its promises are not checked", g.name)
			continue
		}
		for _, c := range g.cases {
			t.Run(c.name, func(t *testing.T) {
				a, b := open(t)
				if seen := c.run(t.Context(), a, b); seen != "" {
					t.Error(Broken{c.name, c.promise, seen})
				}
			})
		}
	}
}

// Check is TestStore without a test: it returns the promises that are broken,
// in the order of the cases, none for a right store. The function that open
// returns closes its store. If open fails, that is the last entry. When ctx
// ends, the cases that have not run are missing: look at ctx.Err.
func Check(ctx context.Context, open func() (hosts.Store, func(), error)) []Broken {
	return CheckShared(ctx, func() (a, b hosts.Store, done func(), err error) {
		s, done, err := open()
		return s, s, done, err
	})
}

// CheckShared is Check with two handles on the same data, as in TestShared.
func CheckShared(ctx context.Context, open func() (a, b hosts.Store, done func(), err error)) []Broken {
	var broken []Broken
	CheckEach(ctx, open, func(r CaseResult) {
		if r.Seen != "" {
			broken = append(broken, r.Broken)
		}
	})
	return broken
}

// CaseResult is how one case went.
type CaseResult struct {
	Broken       // Seen is empty if the promise was kept, or nothing was asked
	Skipped bool // the store does not implement the interface that promises it
}

// CheckEach is CheckShared that tells each case when it is done.
func CheckEach(ctx context.Context, open func() (a, b hosts.Store, done func(), err error), each func(CaseResult)) {
	for _, g := range groups {
		for _, c := range g.cases {
			a, b, done, err := open()
			if err != nil {
				each(CaseResult{Broken: Broken{"open", "Open gives a store on a fresh, empty namespace.", err.Error()}})
				return
			}
			r := CaseResult{Broken: Broken{Name: c.name, Promise: c.promise}, Skipped: !g.offered(a)}
			if !r.Skipped {
				r.Seen = c.run(ctx, a, b)
			}
			done()
			if ctx.Err() != nil {
				return
			}
			each(r)
		}
	}
}

// group is the cases of one interface.
type group struct {
	name    string
	offered func(hosts.Store) bool
	cases   []testCase
}

func offers[T any](s hosts.Store) bool {
	_, ok := hosts.As[T](s)
	return ok
}

// able returns what offers has found.
func able[T any](s hosts.Store) T {
	t, _ := hosts.As[T](s)
	return t
}

var groups = []group{
	{"Store", offers[hosts.Store], slices.Concat(saveCases, recordCases, endCases, raceCases, contextCases, cutCases)},
	{"Sweeper", offers[hosts.Sweeper], sweepCases},
	{"Finder", offers[hosts.Finder], slices.Concat(findCases, walkCases, cutFindCases)},
	{"Batcher", offers[hosts.Batcher], slices.Concat(batchCases, batchRaceCases, cutBatchCases)},
}

// testCase holds a store to one sentence of the contract.
type testCase struct {
	name    string
	promise string
	check   func(p *probe)
}

// run returns what was seen of a broken promise, "" if it was kept. A store
// that never returns is left behind with its goroutines.
func (c *testCase) run(parent context.Context, a, b hosts.Store) string {
	ctx, cancel := context.WithTimeout(parent, CaseLimit)
	defer cancel()
	p := newProbe(ctx, cancel, c.name, a, b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		labelled(ctx, c.name, func(ctx context.Context) {
			defer p.guard()
			p.ctx = ctx
			c.check(p)
		})
	}()
	select {
	case <-done:
		return p.outcome()
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(Patience):
		p.note("a call has not returned %v after its context ended", Patience)
	}
	return p.outcome()
}
