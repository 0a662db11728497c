// Package ratio measures one way of doing a thing against another, side by side
// in one run: on a machine that does other things too, only ratios mean
// something.
package ratio

import (
	"fmt"
	"slices"
	"time"
)

// Print prints one line, "ratio <name> <value> <target> ok|short". With
// atLeast the value is to be the target or more, else the target or less.
func Print(name string, value, target float64, atLeast bool) {
	verdict := "ok"
	if value != target && value < target == atLeast {
		verdict = "short"
	}
	fmt.Printf("ratio %s %.3g %.3g %s\n", name, value, target, verdict)
}

// Interleave times the functions in turn, round after round, so that whatever
// else the machine does meets all of them alike. It returns the median time of
// each. Rounds is at least 1; the first calls, not timed, warm up.
func Interleave(rounds int, fns ...func()) []time.Duration {
	for _, fn := range fns {
		fn()
	}
	times := make([][]time.Duration, len(fns))
	for range max(rounds, 1) {
		for i, fn := range fns {
			start := time.Now()
			fn()
			times[i] = append(times[i], time.Since(start))
		}
	}
	medians := make([]time.Duration, len(fns))
	for i := range times {
		slices.Sort(times[i])
		medians[i] = times[i][len(times[i])/2]
	}
	return medians
}

// InTurn makes of several functions one, whose calls take them in turn. A lone
// caller is as fast as the places of both processes let him be, which stay as
// they are for as long as a connection does: so it takes several of them.
func InTurn(n int, make func() func()) func() {
	var fns []func()
	for range n {
		fns = append(fns, make())
	}
	at := 0
	return func() {
		fns[at%n]()
		at++
	}
}
