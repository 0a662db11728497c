package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// CaseResult is the result of one case.
type CaseResult struct {
	Broken         // Seen is empty if the promise was kept, or nothing was asked
	Skipped bool   // it did not run
	Reason  string // for that
	Limit   bool   // it has reached CaseLimit
	Took    time.Duration
}

// Results are the results that CheckEach has reported, in order.
type Results []CaseResult

// The results of a case, as reports name them.
const (
	kept    = "kept"
	broken  = "broken"
	skipped = "skipped"
)

func (r CaseResult) result() string {
	switch {
	case r.Skipped:
		return skipped
	case r.Seen != "":
		return broken
	}
	return kept
}

// Summary is one line.
func (r Results) Summary() string {
	counts := map[string]int{}
	for _, one := range r {
		counts[one.result()]++
	}
	return fmt.Sprintf("contract %d of hosts.Store: promises kept: %d, broken: %d, skipped: %d", Contract, counts[kept], counts[broken], counts[skipped])
}

// Text has a line for each case, what the store did where a promise is broken, and
// the summary.
func (r Results) Text() string {
	var b strings.Builder
	for _, one := range r {
		fmt.Fprintf(&b, "%-8s %s", one.result(), one.Name)
		switch {
		case one.Skipped:
			fmt.Fprintf(&b, ": %s", one.Reason)
		case one.Seen != "":
			fmt.Fprintf(&b, "\n         promise: %s\n         seen: %s", one.Promise, strings.ReplaceAll(one.Seen, "\n", "\n         "))
		}
		b.WriteByte('\n')
	}
	return b.String() + r.Summary() + "\n"
}

// MarshalJSON returns an object with the contract's version and a list of cases.
func (r Results) MarshalJSON() ([]byte, error) {
	type line struct {
		Case    string  `json:"case"`
		Result  string  `json:"result"`
		Promise string  `json:"promise"`
		Seen    string  `json:"seen,omitempty"`
		Reason  string  `json:"reason,omitempty"`
		Limit   bool    `json:"limit,omitempty"`
		Seconds float64 `json:"seconds"`
	}
	all := struct {
		Contract int    `json:"contract"`
		Cases    []line `json:"cases"`
	}{Contract, make([]line, len(r))}
	for i, one := range r {
		all.Cases[i] = line{one.Name, one.result(), one.Promise, one.Seen, one.Reason, one.Limit, one.Took.Seconds()}
	}
	return json.Marshal(all)
}

// Markdown is a table for the README of a store.
func (r Results) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n| case | result | promise |\n|---|---|---|\n", strings.ToUpper(r.Summary()[:1])+r.Summary()[1:])
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for _, one := range r {
		result := one.result()
		if one.Skipped {
			result += ": " + one.Reason
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", one.Name, cell.Replace(result), cell.Replace(one.Promise))
	}
	return b.String()
}

// run is what one run of the kit has come to.
type run struct {
	results Results
	labels  map[string]bool // of the cases that have opened stores
}

func newRun() *run { return &run{labels: make(map[string]bool)} }

func (r *run) add(one CaseResult) CaseResult {
	r.results = append(r.results, one)
	return one
}

// left notes the cases of an interface that the store does not have.
func (r *run) left(g group) {
	for _, c := range g.cases {
		r.add(c.skippedFor(g.lacks()))
	}
}

// labelled runs f, which opens a store, and whose goroutines close looks for.
func (r *run) labelled(ctx context.Context, c testCase, f func(ctx context.Context)) {
	labelled(ctx, c.name, func(ctx context.Context) {
		r.labels[caseLabel(ctx)] = true
		f(ctx)
	})
}

// over reports whether so many cases have reached their limit that the others
// would, too.
func (r *run) over() bool {
	n := 0
	for _, one := range r.results {
		if one.Limit {
			n++
		}
	}
	return n >= limitCases
}

// closeCase is judged when all others are over.
var closeCase = testCase{name: "close-leaves-nothing", promise: "A store that was closed leaves no goroutine behind, so that a program can open and close stores for years."}

// close looks for goroutines of stores that were closed: one that most of them
// leave behind is no connection that is kept for the next.
func (r *run) close(ctx context.Context) CaseResult {
	const least = 8 // stores, to tell
	began := time.Now()
	one := closeCase.skippedFor("")
	one.Skipped = false
	for {
		left, stack := r.leaving()
		switch {
		case len(r.labels) < least || left <= len(r.labels)/2:
		case ctx.Err() == nil && time.Since(began) < linger:
			select {
			case <-time.After(linger / 100):
			case <-ctx.Done():
			}
			continue
		default:
			one.Seen = fmt.Sprintf("%d of %d stores have left goroutines behind, as here:\n%s", left, len(r.labels), stack)
		}
		one.Took = time.Since(began)
		return r.add(one)
	}
}

// leaving counts the stores whose goroutines are alive.
func (r *run) leaving() (n int, stack string) {
	for label, of := range goroutines() {
		if r.labels[label] {
			n++
			stack = of.most
		}
	}
	return n, stack
}
