package conformance

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// Option changes what a run of the suite does.
type Option func(*options)

type options struct {
	skip  map[string]string // reasons by case
	short bool
	way   Outage
}

// Skip leaves a case out. The reason is shown in the report: say what the engine
// cannot do, and what that means for sessions.
func Skip(name, reason string) Option {
	return func(o *options) { o.skip[name] = reason }
}

// Brief leaves out the cases that take long or need many rounds. The remaining
// cases find most mistakes within seconds. go test -short leaves out the same cases.
func Brief() Option { return func(o *options) { o.short = true } }

// withOutage runs the cases of an outage, and those only.
func withOutage(way Outage) Option { return func(o *options) { o.way = way } }

func chosen(list []Option) options {
	o := options{skip: make(map[string]string)}
	for _, set := range list {
		set(&o)
	}
	return o
}

// groups are the cases to run. A case to be skipped that there is not is an
// error: it may be one that was renamed, and would run.
func (o options) groups() ([]group, error) {
	known := slices.Concat(groups, []group{outageGroup})
	for _, name := range slices.Sorted(maps.Keys(o.skip)) {
		if !slices.ContainsFunc(known, func(g group) bool {
			return slices.ContainsFunc(g.cases, func(c testCase) bool { return c.name == name })
		}) {
			return nil, fmt.Errorf("conformance.Skip(%q): there is no such case", name)
		}
		if o.skip[name] == "" {
			return nil, fmt.Errorf("conformance.Skip(%q): give a reason", name)
		}
	}
	if o.way != nil {
		return []group{outageGroup}, nil
	}
	return groups, nil
}

// skipped returns why a case is left out, "" if it is not.
func (o options) skipped(c testCase) string {
	if reason := o.skip[c.name]; reason != "" {
		return reason
	}
	if o.short && slices.Contains(longCases, c.name) {
		return "takes long; this run is short"
	}
	return ""
}

// shortTest adds what the flags of a test say.
func (o options) shortTest() options {
	o.short = o.short || testing.Short()
	return o
}

// longCases take more than a second over a network, or go on for a while.
var longCases = []string{
	"schedules", "ended-stays-ended", "no-lost-update", "end-against-saves", "load-acknowledged", "repeat-against-end", "one-winner",
	"context-ends", "cut-save", "cut-load", "cut-delete", "cut-returns", "calls-leave-nothing", "ids-distinct", "load-names", "delete-many-against-saves",
	"sweep-limit", "sweep-again", "sweep-twice", "sweep-cut",
	"find-selects", "find-names", "find-pages", "find-changing", "find-under-saves", "find-acknowledged", "cut-find", "cut-index",
	"save-many", "save-many-touches", "load-many-whole", "batches-against-saves", "batches-against-ends", "load-many-acknowledged",
	"batch-cut", "load-many-cut",
	"feed-under-saves", "feed-readable", "feed-slept", "mark-end",
}
