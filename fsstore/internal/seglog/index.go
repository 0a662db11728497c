package seglog

import (
	"hash/maphash"
	"iter"
	"sync"

	"github.com/rockstar-web/sessions/core"
)

// ref is the place of an entry in the index; zero is none.
type ref uint32

const (
	chunkBits = 12 // entries are allocated 4096 at a time, and never move
	chunkSize = 1 << chunkBits
)

// entry is what the index keeps of a session: 64 bytes and no pointer, so that
// the collector passes over millions of them.
type entry struct {
	id          core.ID
	version     core.Version
	expires     core.Time
	owner       owner
	at          span32
	left, right ref    // below it in the tree of the user's sessions; left also: the next free entry
	heap        uint32 // place in the heap of expiries
}

// span32 is a span with its segment, packed.
type span32 struct{ segment, units, length uint32 }

func (s span32) span() span { return span{int64(s.units) * unitOffset, int64(s.length)} }

func pack(segment uint32, s span) span32 {
	return span32{segment, uint32(s.offset / unitOffset), uint32(s.length)}
}

// index says where each living session lies. The committer alone changes it,
// under the lock; it reads without.
type index struct {
	mu       sync.RWMutex
	ids      [tables]table // by how the ID begins
	chunks   [][]entry
	free     ref
	used     ref        // entries that were ever handed out
	users    [256]table // the roots of the users' trees
	expiries []ref
	seed     maphash.Seed

	opening bool
	later   []unowned

	segments map[uint32]*segment
	base     uint32 // the oldest segment that counts
	newest   uint32
	bytes    int64 // of records in all segments, without rolls
	live     int64 // of them, of living ones
}

func newIndex() *index {
	return &index{segments: map[uint32]*segment{}, seed: maphash.MakeSeed()}
}

func (x *index) entry(r ref) *entry { return &x.chunks[(r-1)>>chunkBits][(r-1)%chunkSize] }

// find returns the entry of a session, or nil.
func (x *index) find(id core.ID) *entry {
	if r := x.lookup(x.hash(id), id); r != 0 {
		return x.entry(r)
	}
	return nil
}

// all goes through the entries of all sessions.
func (x *index) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for _, r := range x.expiries {
			if !yield(x.entry(r)) {
				return
			}
		}
	}
}

func (x *index) hash(id core.ID) uint32 { return uint32(maphash.Comparable(x.seed, id)) }

// touchAhead is how many records touch looks ahead for: the memory fetches that
// many at once, which one by one would each be waited for.
const touchAhead = 32

func (x *index) touch(some []said) (seen slot) {
	for i := range some {
		r := &some[i]
		seen |= x.ids[tableOf(r.id)].touch(x.hash(r.id))
		t, hash := x.usersLike(r.owner)
		seen |= t.touch(hash)
	}
	return seen
}

func (x *index) lookup(hash uint32, id core.ID) ref {
	return x.ids[tableOf(id)].find(hash, func(r ref) bool { return x.entry(r).id == id })
}

// put makes r, which lies at the given place, the state of its session.
func (x *index) put(r *core.Record, at span32) {
	x.set(r.ID, r.Version, r.ExpiresAt, x.ownerOf(r.Tenant, r.User), at)
}

func (x *index) set(id core.ID, version core.Version, expires core.Time, o owner, at span32) {
	hash := x.hash(id)
	place := x.lookup(hash, id)
	if place == 0 {
		place = x.allocate()
		*x.entry(place) = entry{id: id, expires: expires}
		x.ids[tableOf(id)].add(hash, place)
		x.push(place)
	} else {
		x.account(x.entry(place).at, -1)
	}
	e := x.entry(place)
	e.version, e.at = version, at
	x.account(at, 1)
	if e.expires != expires {
		e.expires = expires
		x.fix(int(e.heap))
	}
	if o != e.owner {
		x.disown(place)
		e.owner = o
		x.own(place)
	}
}

// move notes that the record of a session lies elsewhere now.
func (x *index) move(id core.ID, at span32) {
	e := x.find(id)
	x.account(e.at, -1)
	e.at = at
	x.account(at, 1)
}

func (x *index) remove(id core.ID) {
	hash := x.hash(id)
	place := x.lookup(hash, id)
	if place == 0 {
		return
	}
	e := x.entry(place)
	x.account(e.at, -1)
	x.disown(place)
	x.pull(int(e.heap))
	x.ids[tableOf(id)].remove(hash, place)
	*e = entry{left: x.free}
	x.free = place
}

// account adds or takes away the bytes of a living record.
func (x *index) account(at span32, sign int64) {
	n := sign * padded(int64(at.length))
	x.live += n
	if g := x.segments[at.segment]; g != nil {
		g.live += n
	}
}

func (x *index) allocate() ref {
	if r := x.free; r != 0 {
		x.free = x.entry(r).left
		return r
	}
	if x.used%chunkSize == 0 {
		x.chunks = append(x.chunks, make([]entry, chunkSize))
	}
	x.used++
	return x.used
}

// reserve is what the compaction may need at once: the room for what lives in one
// segment, and for its part of a roll.
func (x *index) reserve() (most int64) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, g := range x.segments {
		most = max(most, min(g.size, firstByte+g.live+g.live/3))
	}
	return most
}

// grow notes that g has n bytes more.
func (x *index) grow(g *segment, n int64) {
	g.bytes += n
	x.bytes += n
}
