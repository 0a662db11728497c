package seglog

import (
	"encoding/binary"

	"github.com/rockstar-web/sessions/core"
)

// A segment that is done ends with a roll: which session each of its records is
// about. Should bytes in the middle be damaged, it tells whose they were, so that
// nobody else pays. It is written far from them, and costs a twentieth of the room.
const (
	rollEntrySize = 20
	rollEntries   = core.MaxSealed / rollEntrySize // of one record; a roll may take several
	rollKindShift = 29                             // above the offset, in units of eight bytes
)

// roll collects the entries of the active segment, encoded: offset and kind, then
// the ID, or what sweeps and marks have instead.
type roll []byte

func (l *roll) add(k kind, offset int64, r *core.Record) {
	var e [rollEntrySize]byte
	binary.BigEndian.PutUint32(e[:], uint32(k)<<rollKindShift|uint32(offset/unitOffset))
	switch k {
	case kindPut, kindEnd:
		copy(e[4:], r.ID[:])
	case kindSweep:
		binary.BigEndian.PutUint64(e[4:], uint64(r.ExpiresAt))
	default:
		binary.BigEndian.PutUint64(e[4:], uint64(r.Version))
	}
	*l = append(*l, e[:]...)
}

// rollEntry is an entry as read.
type rollEntry struct {
	kind   kind
	offset int64
	id     core.ID
	number uint64
}

func (l roll) entry(i int) rollEntry {
	e := l[i*rollEntrySize:][:rollEntrySize]
	place := binary.BigEndian.Uint32(e)
	return rollEntry{
		kind: kind(place >> rollKindShift), offset: int64(place&(1<<rollKindShift-1)) * unitOffset,
		id: core.ID(e[4:]), number: binary.BigEndian.Uint64(e[4:]),
	}
}

func (l roll) len() int { return len(l) / rollEntrySize }

// rollSize is what the records of a roll of n entries take at most.
func rollSize(n int) int64 {
	return int64(n)*rollEntrySize + int64(n/rollEntries+1)*(headSize+alignment)
}

// appendTo appends the records of the roll. Each has its first entry and the
// number of all in the fields of versions and times.
func (l roll) appendTo(b []byte, g *segment) []byte {
	from := len(b)
	for first := 0; first < l.len(); first += rollEntries {
		part := l[first*rollEntrySize : min(first+rollEntries, l.len())*rollEntrySize]
		r := core.Record{Version: core.Version(l.len()), CreatedAt: core.Time(first), Sealed: part}
		b = appendRecord(b, kindRoll, &r, g.salt, g.end+int64(len(b)-from), g.durable)
	}
	return b
}

// rollReader collects the records of a roll again.
type rollReader struct {
	roll roll
	all  int
	from int64 // of its first record; what lies behind is not in it
}

func (r *rollReader) add(h *head, b []byte, at int64) {
	first := int(h.record.CreatedAt)
	if first == 0 {
		*r = rollReader{from: at, all: int(h.record.Version)}
	}
	if first == r.roll.len() && int(h.record.Version) == r.all {
		r.roll = append(r.roll, b[h.start:h.length]...)
	}
}

// covers reports whether the roll is whole, and is about what lies before to.
func (r *rollReader) covers(to int64) bool { return r.all > 0 && r.roll.len() == r.all && to <= r.from }

// endLost ends the sessions of which a record between two offsets of g is lost,
// unless a later one is not, and returns how many.
func (s *Store) endLost(g *segment, l roll, from, to int64) (ended int) {
	for i := range l.len() {
		e := l.entry(i)
		if e.offset < from || e.offset >= to {
			continue
		}
		before := pack(g.number, span{offset: e.offset})
		switch e.kind {
		case kindPut, kindEnd:
			if x := s.index.find(e.id); x != nil && x.at.before(before) {
				s.index.remove(e.id)
				ended++
			}
		case kindSweep:
			for _, id := range s.index.expired(core.Time(e.number), int(s.index.used)) {
				if s.index.find(id).at.before(before) {
					s.index.remove(id)
				}
			}
		case kindMark:
			s.voidBefore(g, e.number)
		}
	}
	return ended
}

// before reports whether s lies before other in the log.
func (s span32) before(other span32) bool {
	return s.segment < other.segment || s.segment == other.segment && s.units < other.units
}
