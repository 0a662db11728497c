package cachestore

import (
	"math/bits"
	"slices"
)

// Slots come in size classes, eight for each doubling from 64 bytes on, so that
// at most a ninth of a slot is unused. The slots of a class are dense: the last
// one moves into a hole, so that freed memory is never scattered and a slab is
// given up as soon as the last slot in it is.
const (
	classes    = 113 // the last one holds maxRecord
	slabBytes  = 16 << 10
	largeSlot  = 2 << 10 // bytes; larger ones have a slab each
	indexBits  = 25
	maxIndex   = 1<<indexBits - 2
	slabHeader = 2 * 24 // of a slab in class.slabs, which grows by at most double
)

// ref names a slot of a shard by class and index; zero names none.
type ref uint32

func refOf(class, index int) ref { return ref(class<<indexBits | (index + 1)) }
func (r ref) class() int         { return int(r >> indexBits) }
func (r ref) index() int         { return int(r&(1<<indexBits-1)) - 1 }

// classOf returns the class of the smallest slots that hold n bytes.
func classOf(n int) int {
	b := bits.Len(uint(n - 1))
	return (b-7)*8 + (n-1)>>(b-4) - 8
}

// slotSize is the length of a class's slots in bytes.
func slotSize(class int) int { return (class%8 + 9) << (class/8 + 3) }

func slotsPerSlab(class int) int {
	if single(class) {
		return 1
	}
	return slabBytes / slotSize(class)
}

// single reports whether each slot of a class is a slab of its own. Its sealed
// bytes are handed out as they are, so they are never written again: a record
// that is replaced gets another slab.
func single(class int) bool { return slotSize(class) > largeSlot }

// fresh gives a slot that is to be written over a slab that nobody reads. It
// takes the place of the old one, so that the budget need not be asked.
func (sh *shard) fresh(r ref) slot {
	if c := r.class(); single(c) {
		slab := &sh.classes[c].slabs[r.index()]
		old := *slab
		*slab = slices.Grow([]byte(nil), len(old))[:len(old)]
		copy(*slab, old[:headerSize])
	}
	return sh.slot(r)
}

type class struct {
	slabs [][]byte
	count int // slots in use: the first ones
}

func (sh *shard) slot(r ref) slot {
	c := r.class()
	size, per := slotSize(c), slotsPerSlab(c)
	i := r.index()
	return slot(sh.classes[c].slabs[i/per][i%per*size:][:size])
}

// slotRoom makes sure that takeSlot finds a slot.
func (sh *shard) slotRoom(c int, limit int64) bool {
	cl := &sh.classes[c]
	if cl.count < len(cl.slabs)*slotsPerSlab(c) {
		return true
	}
	if cl.count > maxIndex || !sh.budget.take(slabHeader, limit) {
		return false
	}
	slab := grown[byte](sh.budget, slotsPerSlab(c)*slotSize(c), 1, limit)
	if slab == nil {
		sh.budget.give(slabHeader)
		return false
	}
	cl.slabs = append(cl.slabs, slab[:cap(slab)])
	return true
}

func (sh *shard) takeSlot(c int) ref {
	sh.classes[c].count++
	return refOf(c, sh.classes[c].count-1)
}

// freeSlot returns the slot of a record that is in no index any more.
func (sh *shard) freeSlot(hole ref) {
	c := hole.class()
	cl := &sh.classes[c]
	if last := refOf(c, cl.count-1); last != hole {
		from := sh.slot(last)
		sh.repoint(last, hole, from)
		if i, j := hole.index(), last.index(); single(c) {
			cl.slabs[i], cl.slabs[j] = cl.slabs[j], cl.slabs[i]
		} else {
			copy(sh.slot(hole), from[:from.size()])
		}
	}
	cl.count--
	end := len(cl.slabs) - 1
	if cl.count > end*slotsPerSlab(c) {
		return
	}
	sh.budget.give(int64(cap(cl.slabs[end])) + slabHeader)
	cl.slabs[end] = nil
	cl.slabs = cl.slabs[:end]
	switch {
	case end == 0:
		cl.slabs = nil
	case end*4 <= cap(cl.slabs):
		cl.slabs = slices.Clone(cl.slabs)
	}
}
