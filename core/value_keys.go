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
	if len(key) >= 4 {
		r |= (uint64(key[0])<<24 | uint64(key[1])<<16 | uint64(key[2])<<8 | uint64(key[3])) << 20
	} else {
		for i := range len(key) {
			r |= uint64(key[i]) << (44 - 8*i)
		}
	}
	if !isUTF8(key) {
		r |= rankNotUTF8
	}
	return r
}

// sortRanks sorts the ranks of entries, ties by the whole key.
func sortRanks[V any](order []uint64, entries []entry[V]) {
	slices.Sort(order)
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
