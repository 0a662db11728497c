package core

import (
	"slices"
	"strings"
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

// sortedOnStack is how many entries of a map are sorted without allocation.
const sortedOnStack = 16

type entry[V any] struct {
	key   string
	value V
}

func rank(key string) uint64 {
	r := uint64(min(len(key), rankLength)) << 52
	if len(key) >= 4 && len(key) <= 8 { // the usual name, in two loads
		front := halfWord(key)
		if (front|halfWord(key[len(key)-4:]))&0x80808080 == 0 {
			return r | uint64(front)<<20
		}
	}
	for i := range min(len(key), 4) {
		r |= uint64(key[i]) << (44 - 8*i)
	}
	if !isUTF8(key) {
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
	slices.Sort(order)
	for i := 1; i < len(order); i++ {
		if order[i]&rankFront == order[i-1]&rankFront {
			sortTies(entries, order[i-1:])
			break
		}
	}
	return entries, order
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
