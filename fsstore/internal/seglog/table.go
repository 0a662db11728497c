package seglog

// table finds entries by the hash of a key that they have. A slot has the hash
// and the place of an entry; an entry is in the first slot that was free from
// where its hash begins. It has no pointers, and takes a third of what a map does.
type table struct {
	slots []slot // their number is a power of two; at most three in four are used
	n     int
}

// slot is a hash in the upper half and a ref in the lower, which is zero for none.
type slot uint64

const smallTable = 8 // slots

func (s slot) hash() uint32 { return uint32(s >> 32) }
func (s slot) ref() ref     { return ref(s) }

func newSlot(hash uint32, r ref) slot { return slot(hash)<<32 | slot(r) }

// find returns the entry of a hash that is the same, or zero.
func (t *table) find(hash uint32, same func(ref) bool) ref {
	if t.n == 0 {
		return 0
	}
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; t.slots[i] != 0; i = (i + 1) & mask {
		if s := t.slots[i]; s.hash() == hash && same(s.ref()) {
			return s.ref()
		}
	}
	return 0
}

// touch reads where the search for a hash begins.
func (t *table) touch(hash uint32) slot {
	if t.n == 0 {
		return 0
	}
	return t.slots[hash&uint32(len(t.slots)-1)]
}

// add puts in an entry that is not there.
func (t *table) add(hash uint32, r ref) {
	if t.n++; t.n > len(t.slots)/4*3 {
		old := t.slots
		t.slots = make([]slot, max(smallTable, 2*len(old)))
		for _, s := range old {
			if s != 0 {
				t.place(s)
			}
		}
	}
	t.place(newSlot(hash, r))
}

func (t *table) place(s slot) {
	mask := uint32(len(t.slots) - 1)
	i := s.hash() & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

// replace puts another entry in the place of one that is there.
func (t *table) replace(hash uint32, old, r ref) { t.slots[t.at(hash, old)] = newSlot(hash, r) }

// remove takes out an entry that is there, and moves up those behind it that the
// gap would hide.
func (t *table) remove(hash uint32, r ref) {
	mask := uint32(len(t.slots) - 1)
	gap := t.at(hash, r)
	for i := (gap + 1) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		begins := t.slots[i].hash() & mask
		if (i-begins)&mask >= (i-gap)&mask {
			t.slots[gap] = t.slots[i]
			gap = i
		}
	}
	t.slots[gap] = 0
	t.n--
}

func (t *table) at(hash uint32, r ref) uint32 {
	mask := uint32(len(t.slots) - 1)
	i := hash & mask
	for t.slots[i].ref() != r {
		i = (i + 1) & mask
	}
	return i
}

// all calls f for each entry.
func (t *table) all(f func(ref)) {
	for _, s := range t.slots {
		if s != 0 {
			f(s.ref())
		}
	}
}
