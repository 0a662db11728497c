package core

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The keys of a map are written in the order of their encoded bytes: text
// before the tag for what is not UTF-8; then, as the head holds the length,
// the shorter before the longer; then by their bytes. A rank is the front of
// that order in one number, with the entry's index below it: small maps are
// sorted by numbers alone.
const (
	rankNotUTF8 = 1 << 63
	rankLength  = 1<<11 - 1 // greatest length in a rank, in bits 52 to 62; longer ones tie
	rankIndex   = 1<<20 - 1 // bits 0 to 19; between them are the first four bytes
	rankFront   = ^uint64(rankIndex)
)

// A map of more entries than an index can tell is over the size limit: each
// entry takes a byte at least. This does not compile should that change.
var _ [rankIndex + 1 - MaxSessionSize]struct{}

// sortedOnStack is how many entries of a map are sorted without allocation.
const sortedOnStack = 12

type entry[V any] struct {
	key   string
	value V
}

func rank(key string) uint64 {
	if len(key) >= 4 && len(key) <= 8 { // the usual name, in two loads
		front := halfWord(key)
		if (front|halfWord(key[len(key)-4:]))&0x80808080 == 0 {
			return uint64(len(key))<<52 | uint64(front)<<20
		}
	}
	return rankOfAny(key)
}

func rankOfAny(key string) uint64 {
	r := uint64(min(len(key), rankLength)) << 52
	for i := range min(len(key), 4) {
		r |= uint64(key[i]) << (44 - 8*i)
	}
	if !isASCII(key) && !utf8.ValidString(key) {
		r |= rankNotUTF8
	}
	return r
}

// few are the arrays that sortEntries fills for a small map, on the stack of
// its caller.
type few[V any] struct {
	entries [sortedOnStack]entry[V]
	order   [sortedOnStack]uint64
}

// sortEntries appends the entries of m, at most rankIndex of them, to entries,
// and to order the ranks of all in the order in which they are written, each
// with the index of its entry.
func sortEntries[V any](m map[string]V, entries []entry[V], order []uint64) ([]entry[V], []uint64) {
	if len(m) > sortedOnStack {
		entries, order = make([]entry[V], 0, len(m)), make([]uint64, 0, len(m))
	}
	for key, v := range m {
		order = append(order, rank(key)|uint64(len(entries)))
		entries = append(entries, entry[V]{key, v})
	}
	sortNumbers(order)
	for i := 1; i < len(order); i++ {
		if order[i]&rankFront == order[i-1]&rankFront {
			sortTies(entries, order[i-1:])
			break
		}
	}
	return entries, order
}

// sortNumbers is slices.Sort with a shorter way for what small maps need.
func sortNumbers(a []uint64) {
	if len(a) > sortedOnStack {
		slices.Sort(a)
		return
	}
	for i := 1; i < len(a); i++ {
		moved, j := a[i], i
		for ; j > 0 && a[j-1] > moved; j-- {
			a[j] = a[j-1]
		}
		a[j] = moved
	}
}

// sortTies sorts each run of equal ranks by the whole key.
func sortTies[V any](entries []entry[V], order []uint64) {
	for len(order) > 1 {
		n := 1
		for n < len(order) && order[n]&rankFront == order[0]&rankFront {
			n++
		}
		if n > 1 {
			slices.SortFunc(order[:n], func(a, b uint64) int {
				x, y := entries[a&rankIndex].key, entries[b&rankIndex].key
				if len(x) != len(y) {
					return len(x) - len(y)
				}
				return strings.Compare(x, y)
			})
		}
		order = order[n:]
	}
}
