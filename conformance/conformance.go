package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

// Contract is the version of the contract that the cases test. A store that passed
// another version may fail this one.
const Contract = 3

// Limits of the suite.
const (
	CaseLimit = 2 * time.Minute  // for one case, on the slowest backend
	Patience  = 10 * time.Second // for a call to return after its context has ended

	limitCases = 2 // at CaseLimit: then the run ends

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
// t.Cleanup. Cases of Sweeper, Finder, Batcher, feed.Source and feed.Caching run if
// they are implemented, by the store or behind it (hosts.As).
func TestStore(t *testing.T, open func(t *testing.T) hosts.Store, options ...Option) {
	t.Helper()
	TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		s := open(t)
		return s, s
	}, options...)
}

// TestShared is TestStore for a store that several processes share. open returns
// two handles on the same fresh namespace, opened as two processes would open
// them. Every case spreads its clients over both.
func TestShared(t *testing.T, open func(t *testing.T) (a, b hosts.Store), options ...Option) {
	t.Helper()
	o := chosen(options).shortTest()
	groups, err := o.groups()
	if err != nil {
		t.Fatal(err)
	}
	first, _ := open(t)
	run := newRun()
	for _, g := range groups {
		if !g.offered(first) {
			t.Logf("%s: its promises are not checked", g.lacks())
			run.left(g)
			continue
		}
		for _, c := range g.cases {
			t.Run(c.name, func(t *testing.T) {
				t.Helper()
				if reason := o.skipped(c); reason != "" {
					run.add(c.skippedFor(reason))
					t.Skip(reason)
				}
				run.labelled(t.Context(), c, func(ctx context.Context) {
					a, b := open(t)
					r := run.add(o.prepared(c).result(ctx, a, b))
					if r.Seen != "" {
						t.Error(r.Broken)
					}
				})
			})
			if run.over() {
				t.Fatal(run.results.Text())
			}
		}
	}
	t.Run(closeCase.name, func(t *testing.T) {
		if r := run.close(t.Context()); r.Seen != "" {
			t.Error(r.Broken)
		}
	})
	t.Log(run.results.Summary())
}

// Check is TestStore without a test. It returns the broken promises in the order
// of the cases, and none for a correct store. The function that open returns
// closes its store. If open fails, that is the last entry. If ctx ends, the cases
// that have not run are missing: check ctx.Err.
func Check(ctx context.Context, open func() (hosts.Store, func(), error), options ...Option) []Broken {
	return CheckShared(ctx, func() (a, b hosts.Store, done func(), err error) {
		s, done, err := open()
		return s, s, done, err
	}, options...)
}

// CheckShared is Check with two handles on the same data, as in TestShared.
func CheckShared(ctx context.Context, open func() (a, b hosts.Store, done func(), err error), options ...Option) []Broken {
	var broken []Broken
	CheckEach(ctx, open, func(r CaseResult) {
		if r.Seen != "" {
			broken = append(broken, r.Broken)
		}
	}, options...)
	return broken
}

// CheckEach is CheckShared, but calls each with the result of every case as soon as
// that case is done.
func CheckEach(ctx context.Context, open func() (a, b hosts.Store, done func(), err error), each func(CaseResult), options ...Option) {
	o := chosen(options)
	groups, err := o.groups()
	if err != nil {
		each(CaseResult{Broken: Broken{"options", "An option names a case.", err.Error()}})
		return
	}
	run := newRun()
	for _, g := range groups {
		for _, c := range g.cases {
			if reason := o.skipped(c); reason != "" {
				each(run.add(c.skippedFor(reason)))
				continue
			}
			var r CaseResult
			run.labelled(ctx, c, func(ctx context.Context) { r = run.add(check(ctx, g, o.prepared(c), open)) })
			if ctx.Err() != nil {
				return
			}
			if each(r); r.Name == openFailed || run.over() {
				return
			}
		}
	}
	each(run.close(ctx))
}

// openFailed is the case under which a failed open is reported.
const openFailed = "open"

// check runs one case on a store of its own.
func check(ctx context.Context, g group, c testCase, open func() (a, b hosts.Store, done func(), err error)) CaseResult {
	a, b, done, err := open()
	if err != nil {
		return CaseResult{Broken: Broken{openFailed, "Open gives a store on a fresh, empty namespace.", err.Error()}}
	}
	defer done()
	if !g.offered(a) {
		return c.skippedFor(g.lacks())
	}
	return c.result(ctx, a, b)
}

// group is the cases of one interface.
type group struct {
	name    string
	offered func(hosts.Store) bool
	cases   []testCase
}

// lacks says that a store does not offer the interface.
func (g group) lacks() string {
	name := g.name
	if !strings.Contains(name, ".") {
		name = "hosts." + name
	}
	return "the store implements no " + name
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
	{"BatchDeleter", offers[hosts.BatchDeleter], endManyCases},
	{"feed.Source", offersFeed, feedCases},
	{"feed.Caching", offersCaching, cachingCases},
}

// outageGroup is the cases of TestOutage.
var outageGroup = group{"Store", offers[hosts.Store], outageCases}

// testCase holds a store to one sentence of the contract.
type testCase struct {
	name    string
	promise string
	check   func(p *probe)
}

// prepared returns the case with what only some need.
func (o options) prepared(c testCase) testCase {
	check := c.check
	c.check = func(p *probe) {
		if p.way = o.way; p.way != nil {
			defer p.way.Resume()
		}
		check(p)
	}
	return c
}

// run returns what was seen of a broken promise, "" if it was kept.
func (c *testCase) run(ctx context.Context, a, b hosts.Store) string { return c.result(ctx, a, b).Seen }

// result runs the case. A store that never returns is left behind with its
// goroutines.
func (c testCase) result(parent context.Context, a, b hosts.Store) CaseResult {
	began := time.Now()
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
	case <-ctx.Done():
		select {
		case <-done:
		case <-time.After(Patience):
			p.note("a call has not returned %v after its context ended", Patience)
		}
	}
	r := CaseResult{Broken: Broken{c.name, c.promise, p.outcome()}, Took: time.Since(began)}
	if r.Limit = parent.Err() == nil && r.Took >= CaseLimit; r.Limit {
		r.Seen = fmt.Sprintf("the case has reached its limit of %v (conformance.CaseLimit); then: %s", CaseLimit, r.Seen)
	}
	return r
}

// skippedFor is the result of a case that did not run.
func (c testCase) skippedFor(reason string) CaseResult {
	return CaseResult{Broken: Broken{Name: c.name, Promise: c.promise}, Skipped: true, Reason: reason}
}
