package seglog

import "github.com/rockstar-web/sessions/core"

// The heap of expiries has four children to a node: most nodes are leaves, so
// that a touch, which moves an expiry back, mostly moves nothing.
const heapArity = 4

// expired returns at most limit sessions that expire before the given moment.
// It looks at them and at their neighbours in the heap, at no others.
func (x *index) expired(before core.Time, limit int) []core.ID {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var ids []core.ID
	open := []int{0}
	for len(open) > 0 && len(ids) < limit {
		i := open[len(open)-1]
		open = open[:len(open)-1]
		if i >= len(x.expiries) {
			continue
		}
		e := x.entry(x.expiries[i])
		if e.expires >= before {
			continue
		}
		ids = append(ids, e.id)
		for c := i*heapArity + 1; c <= i*heapArity+heapArity; c++ {
			open = append(open, c)
		}
	}
	return ids
}

func (x *index) push(r ref) {
	x.expiries = append(x.expiries, r)
	x.up(len(x.expiries)-1, r)
}

// pull takes the entry at i out of the heap.
func (x *index) pull(i int) {
	last := len(x.expiries) - 1
	moved := x.expiries[last]
	x.expiries = x.expiries[:last]
	if i < last {
		x.place(i, moved)
		x.fix(i)
	}
}

// fix moves an entry whose expiry has changed to where it belongs.
func (x *index) fix(i int) {
	r := x.expiries[i]
	if x.up(i, r) == i {
		x.down(i, r)
	}
}

func (x *index) place(i int, r ref) {
	x.expiries[i] = r
	x.entry(r).heap = uint32(i)
}

// up puts r where it belongs between i and the root and returns the place.
func (x *index) up(i int, r ref) int {
	at := x.entry(r).expires
	for i > 0 {
		parent := (i - 1) / heapArity
		if x.entry(x.expiries[parent]).expires <= at {
			break
		}
		x.place(i, x.expiries[parent])
		i = parent
	}
	x.place(i, r)
	return i
}

// down puts r where it belongs between i and the leaves.
func (x *index) down(i int, r ref) {
	at := x.entry(r).expires
	for {
		least, leastAt := i, at
		for c := i*heapArity + 1; c <= i*heapArity+heapArity && c < len(x.expiries); c++ {
			if t := x.entry(x.expiries[c]).expires; t < leastAt {
				least, leastAt = c, t
			}
		}
		if least == i {
			break
		}
		x.place(i, x.expiries[least])
		i = least
	}
	x.place(i, r)
}
