package cachestore

// table finds slots by the hash of a key that they hold: open addressing with
// linear probing over entries of 32 bits of hash and 32 of ref, zero if empty.
// The keys stay in the slots, so that an entry takes 8 bytes and no pointer.
type table struct {
	entries []uint64
	used    int
}

const (
	entryBytes = 8
	leastTable = 64 // entries; a smaller table is not worth shrinking
)

func entry(hash uint32, r ref) uint64 { return uint64(hash)<<32 | uint64(r) }

// home is where the entries of a hash begin. The hash is scaled, not masked, so
// that tables grow by halves and stay well filled.
func (t *table) home(hash uint32) int {
	return int(uint64(hash) * uint64(len(t.entries)) >> 32)
}

func (t *table) after(i int) int {
	if i++; i < len(t.entries) {
		return i
	}
	return 0
}

// find returns the slot of this hash that matches, or zero.
func (t *table) find(hash uint32, match func(ref) bool) ref {
	if t.used == 0 {
		return 0
	}
	for i := t.home(hash); t.entries[i] != 0; i = t.after(i) {
		if e := t.entries[i]; uint32(e>>32) == hash && match(ref(e)) {
			return ref(e)
		}
	}
	return 0
}

// room makes sure that add finds an empty entry.
func (t *table) room(b *budget, limit int64) bool {
	return (t.used+1)*5 <= len(t.entries)*4 || t.resize(b, limit)
}

// trim gives up memory that deletions have left unused.
func (t *table) trim(b *budget) {
	switch n := len(t.entries); {
	case t.used == 0 && n > 0:
		b.give(int64(n) * entryBytes)
		t.entries = nil
	case n > leastTable && t.used*4 < n:
		t.resize(b, b.max) // refused at the bound: then a later deletion does it
	}
}

func (t *table) resize(b *budget, limit int64) bool {
	fresh := grown[uint64](b, t.used*3/2+8, entryBytes, limit)
	if fresh == nil {
		return false
	}
	old := t.entries
	t.entries = fresh[:cap(fresh)]
	clear(t.entries)
	for _, e := range old {
		if e != 0 {
			t.put(e)
		}
	}
	b.give(int64(len(old)) * entryBytes)
	return true
}

func (t *table) put(e uint64) {
	i := t.home(uint32(e >> 32))
	for t.entries[i] != 0 {
		i = t.after(i)
	}
	t.entries[i] = e
}

func (t *table) add(hash uint32, r ref) {
	t.put(entry(hash, r))
	t.used++
}

// where returns the place of an entry that is in the table.
func (t *table) where(hash uint32, r ref) int {
	i := t.home(hash)
	for e := entry(hash, r); t.entries[i] != e; {
		i = t.after(i)
	}
	return i
}

func (t *table) swap(hash uint32, old, new ref) {
	t.entries[t.where(hash, old)] = entry(hash, new)
}

// remove closes the gap it makes, so that no lookup stops short at it.
func (t *table) remove(hash uint32, r ref) {
	gap := t.where(hash, r)
	n := len(t.entries)
	for i := t.after(gap); t.entries[i] != 0; i = t.after(i) {
		home := t.home(uint32(t.entries[i] >> 32))
		if (i-home+n)%n >= (i-gap+n)%n { // the gap lies between home and i
			t.entries[gap] = t.entries[i]
			gap = i
		}
	}
	t.entries[gap] = 0
	t.used--
}
