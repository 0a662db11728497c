package seglog

import (
	"container/heap"

	"github.com/rockstar-web/sessions/core"
)

// The heap of expiries has four children to a node: most nodes are leaves, so
// that a touch, which moves an expiry back, mostly moves nothing. See cachestore
// for why its heap and this one are two.
const heapArity = 4

// expired returns at most limit sessions that expire before the given moment.
// It looks at them and at their neighbours in the heap, at no others.
func (x *index) expired(before core.Time, limit int) []core.ID {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var ids []core.ID
	for w := newWalk(x); len(w.open) > 0 && len(ids) < limit; {
		if e := w.next(); e.expires < before {
			ids = append(ids, e.id)
		} else {
			break
		}
	}
	return ids
}

// first returns all sessions that expire before a moment, which is the given one
// or an earlier one: so that they are at most limit. None, if more than that
// expire at the same millisecond, the first.
func (x *index) first(before core.Time, limit int) ([]core.ID, core.Time) {
	var ids []core.ID
	var last core.Time
	n := 0 // of ids, of those that expire before the last
	for w := newWalk(x); len(w.open) > 0; {
		e := w.next()
		if e.expires >= before {
			return ids, before
		}
		if e.expires > last || len(ids) == 0 {
			n, last = len(ids), e.expires
		}
		if len(ids) == limit {
			return ids[:n], last
		}
		ids = append(ids, e.id)
	}
	return ids, before
}

// sweep removes all sessions that expire before the given moment.
func (x *index) sweep(before core.Time) {
	for len(x.expiries) > 0 && x.entry(x.expiries[0]).expires < before {
		x.remove(x.entry(x.expiries[0]).id)
	}
}

// walk goes through the heap in the order of expiry, and changes nothing.
type walk struct {
	x    *index
	open []int // places in x.expiries, themselves a heap
}

func newWalk(x *index) *walk {
	w := &walk{x: x}
	w.add(0)
	return w
}

func (w *walk) Len() int           { return len(w.open) }
func (w *walk) Less(i, j int) bool { return w.at(i).expires < w.at(j).expires }
func (w *walk) Swap(i, j int)      { w.open[i], w.open[j] = w.open[j], w.open[i] }
func (w *walk) Push(place any)     { w.open = append(w.open, place.(int)) }
func (w *walk) Pop() any {
	last := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	return last
}

func (w *walk) at(i int) *entry { return w.x.entry(w.x.expiries[w.open[i]]) }

func (w *walk) add(place int) {
	if place < len(w.x.expiries) {
		heap.Push(w, place)
	}
}

func (w *walk) next() *entry {
	place := heap.Pop(w).(int)
	for c := place*heapArity + 1; c <= place*heapArity+heapArity; c++ {
		w.add(c)
	}
	return w.x.entry(w.x.expiries[place])
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
