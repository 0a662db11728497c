package seglog

import (
	"errors"
	"math"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

const (
	maxWrite = 4 << 20 // bytes of one write, but for a single larger record

	// On a full disk, what is left of the last segment is for what frees room:
	// saves stop at an eighth, the compaction at a sixteenth, and deletions go on.
	saveReserve = 8
	moveReserve = 16
)

// commit does ops, in order, and answers each. What Load sees changes only once
// it is on the disk.
func (s *Store) commit(ops []*op) {
	for len(ops) > 0 {
		n := s.encode(ops)
		if n == 0 {
			need := padded(recordLength(&ops[0].record))
			if err := s.makeRoom(need); err != nil {
				ops[0].err = err
				ops = ops[1:]
			}
			continue
		}
		s.flush(ops[:n])
		ops = ops[n:]
	}
	if g := s.active; g.end > g.size/2 {
		s.prepare(min(s.maxSize, 2*g.size), 0)
	}
}

// encode fills the buffer with the records of as many ops as the active segment
// takes, and returns how many those are. It decides each by the index and by
// those before it.
func (s *Store) encode(ops []*op) int {
	g := s.active
	s.buffer = s.buffer[:0]
	if ops[0].do == mark {
		g.vouch()
	}
	room, records := s.room(), s.roll.len()
	for i, o := range ops {
		if i > 0 && (o.do == sweep || ops[i-1].do == sweep) {
			return i // it deletes by what the index says, and none may be changed beside it
		}
		if !s.decide(o) {
			continue
		}
		n := recordLength(&o.record)
		at := g.end + int64(len(s.buffer))
		if records++; at+padded(n)+rollSize(records) > room[o.do] || i > 0 && len(s.buffer)+int(n) > maxWrite {
			return i
		}
		s.buffer = o.appendTo(s.buffer, g, at)
		o.at, o.done = pack(g.number, span{at, n}), true
		if s.joined {
			s.pending[o.record.ID] = o
		}
	}
	return len(ops)
}

// kind is that of the record.
func (o *op) kind() kind {
	switch o.do {
	case put, move:
		return kindPut
	case sweep:
		return kindSweep
	case mark:
		return kindMark
	default:
		return kindEnd
	}
}

func (o *op) appendTo(b []byte, g *segment, at int64) []byte {
	if o.do == move {
		return appendSummed(b, kindPut, &o.record, o.sum, g.salt, at, g.durable)
	}
	return appendRecord(b, o.kind(), &o.record, g.salt, at, g.durable)
}

// room is how far each verb may fill the active segment.
func (s *Store) room() (room [mark + 1]int64) {
	g := s.active
	for v := range room {
		if room[v] = g.size; g.sealed {
			room[v] = math.MinInt64
		}
	}
	if !g.sealed && !s.spare.isReady() {
		room[put] -= g.size / saveReserve
		room[move] -= g.size / moveReserve
	}
	return room
}

// decide reports whether an op needs a record; if not, it has its answer.
func (s *Store) decide(o *op) bool {
	var version core.Version
	var expires core.Time
	var at span32
	if p := s.pending[o.record.ID]; p != nil {
		if p.do == put || p.do == move {
			version, expires, at = p.record.Version, p.record.ExpiresAt, p.at
		}
	} else if e := s.index.find(o.record.ID); e != nil {
		version, expires, at = e.version, e.expires, e.at
	}
	switch o.do {
	case put:
		if version != o.record.Version && version != o.prev {
			o.err = core.ErrConflict
		}
		return version != o.record.Version && o.err == nil
	case end:
		return version != core.NoVersion
	case expire:
		return version != core.NoVersion && expires < o.before
	case sweep:
		o.swept, o.record.ExpiresAt = s.index.first(o.before, o.limit)
		return len(o.swept) > 0
	case move, lose:
		return version != core.NoVersion && at == o.from
	default:
		o.base = max(o.base, s.index.base)
		o.record.Version = core.Version(o.base)
		return o.base > s.index.base || !s.marked
	}
}

// flush writes the buffer and then lets everybody see what is in it, or answers
// all with the error: also those whom only the others decided.
func (s *Store) flush(ops []*op) {
	if len(s.buffer) == 0 {
		return
	}
	sync := !s.fast
	for _, o := range ops {
		sync = sync || o.done && o.do != put && o.do != move
	}
	err := s.active.still()
	if err == nil {
		err = s.active.write(s.buffer, sync)
	}
	clear(s.pending)
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	if err == nil {
		s.index.grow(s.active, int64(len(s.buffer)))
	}
	for _, o := range ops {
		switch {
		case err != nil:
			o.done, o.err = false, err
		case !o.done:
		case o.do == put:
			s.index.put(&o.record, o.at)
		case o.do == move:
			s.index.move(o.record.ID, o.at)
		case o.do == sweep:
			for _, id := range o.swept {
				s.index.remove(id)
			}
		case o.do == mark:
			s.index.base = max(s.index.base, o.base)
		default:
			s.index.remove(o.record.ID)
		}
		if o.done {
			s.roll.add(o.kind(), o.at.span().offset, &o.record)
			s.marked = o.do == mark
		}
	}
}

// closeFiles ends the use of all segments.
func (s *Store) closeFiles() error {
	var err error
	for _, g := range s.index.segments {
		err = errors.Join(err, g.file.Close())
	}
	if g, _ := s.spare.take(); g != nil {
		err = errors.Join(err, g.file.Close(), s.removeSpare())
	}
	if err != nil {
		return place.Fail("close", s.Path, err)
	}
	return nil
}
