//go:build unix

package ratio

import (
	"slices"
	"syscall"
	"time"
)

// CPU returns how much more processor time of this process other takes than base: the
// median of several rounds, in each of which the two take turns so many times. What else
// this process does meanwhile counts for either. The first round, not counted, warms up.
func CPU(rounds, turns int, base, other func()) float64 {
	sides := [2]func(){base, other}
	var ratios []float64
	for range max(rounds, 1) + 1 {
		var took [2]time.Duration
		for turn := range max(turns, 1) {
			for i := range sides {
				side := (i + turn) % 2
				began := used()
				sides[side]()
				took[side] += used() - began
			}
		}
		ratios = append(ratios, float64(took[1])/float64(took[0]))
	}
	ratios = ratios[1:]
	slices.Sort(ratios)
	n := len(ratios)
	return (ratios[(n-1)/2] + ratios[n/2]) / 2
}

// used is the processor time of this process. The call fails for no process that asks
// for its own: getrusage(2).
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
