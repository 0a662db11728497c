package aesgcm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// moments sum up numbers as they come (Welford).
type moments struct{ n, mean, squares float64 }

func (m *moments) add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / m.n
	m.squares += d * (x - m.mean)
}

// welch is Welch's t of two sets of numbers: by how many standard errors their
// means differ. It is 0 where there is too little to tell.
func welch(a, b *moments) float64 {
	if a.n < 2 || b.n < 2 {
		return 0
	}
	e := a.squares/(a.n-1)/a.n + b.squares/(b.n-1)/b.n
	if e == 0 {
		return 0
	}
	return (a.mean - b.mean) / math.Sqrt(e)
}

// sample is how long one call took, in nanoseconds, and on which kind of input.
type sample struct {
	took  int64
	fixed bool
}

// crops are the shares of the fastest samples that are compared: interrupts are
// among the slow ones, and a leak may show in either.
var crops = []float64{1, 0.99, 0.9, 0.5}

// compare returns t and the difference of the means, fixed less random, for
// each of the crops.
func compare(all []sample) (t, difference []float64) {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b sample) int { return int(a.took - b.took) })
	for _, c := range crops {
		limit := sorted[int(c*float64(len(sorted)-1))].took
		var fixed, random moments
		for _, s := range all {
			switch {
			case s.took > limit:
			case s.fixed:
				fixed.add(float64(s.took))
			default:
				random.add(float64(s.took))
			}
		}
		t, difference = append(t, welch(&fixed, &random)), append(difference, fixed.mean-random.mean)
	}
	return t, difference
}

func TestWelch(t *testing.T) {
	var a, b moments
	for i := range 5 {
		a.add(float64(i + 1))
		b.add(float64(2*i + 2))
	}
	require.InDelta(t, -3/math.Sqrt(2.5), welch(&a, &b), 1e-12) // means 3 and 6, variances 2.5 and 10
	require.Zero(t, welch(&a, new(moments)))
	require.Zero(t, welch(&moments{n: 2, mean: 1}, &moments{n: 2, mean: 1}))
}

// A difference of one part in a hundred is found under noise, in the crops where
// it is, and none where there is none.
func TestCompareFindsWhatIsThere(t *testing.T) {
	from := rand.New(rand.NewPCG(1, 2))
	draw := func(slower func(i int) int64) []sample {
		all := make([]sample, 20_000)
		for i := range all {
			all[i] = sample{1000 + int64(100*from.NormFloat64()), from.Uint32()&1 == 0}
			if all[i].fixed {
				all[i].took += slower(i)
			}
		}
		return all
	}
	for _, v := range first(compare(draw(func(int) int64 { return 0 }))) {
		require.Less(t, math.Abs(v), 4.5)
	}
	for _, v := range first(compare(draw(func(int) int64 { return 10 })))[:2] {
		require.Greater(t, v, 4.5)
	}
	rare := first(compare(draw(func(i int) int64 { return int64(i%50/49) * 2000 })))
	require.Greater(t, rare[0], 4.5)
	require.Less(t, math.Abs(rare[3]), 4.5, "one call in fifty is not among the fast half")
}

func first(t, _ []float64) []float64 { return t }
