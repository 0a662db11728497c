package seglog

import (
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	maxWrite = 4 << 20                              // bytes of one write, but for a single larger record
	markRoom = headSize + rollEntrySize + alignment // in each segment, kept for the mark of Close
)

// commit does ops, in order, and answers each. What Load sees changes only once
// it is on the disk.
func (s *Store) commit(ops []*op) {
	for len(ops) > 0 {
		n := s.encode(ops)
		if n == 0 {
			if err := s.makeRoomFor(ops[0]); err != nil {
				ops = s.refuse(ops, err)
			}
			continue
		}
		s.flush(ops[:n])
		ops = ops[n:]
	}
	if g := s.active; s.room()[put]-g.end < g.size/2 {
		s.prepare(s.nextSize())
	}
}

// makeRoomFor does not let an end wait where the disk was found full just now: it
// can do without.
func (s *Store) makeRoomFor(o *op) error {
	if err := s.spares.full(); err != nil && o.do.ends() {
		return err
	}
	return s.makeRoom(padded(recordLength(&o.record)), o.do)
}

// refuse answers the first of ops, for which there is no room, and returns the
// others. What ends sessions needs none, and is all done at once: calls that
// wait together may be answered in any order.
func (s *Store) refuse(ops []*op, err error) []*op {
	full := errors.Is(err, hosts.ErrFull)
	switch o := ops[0]; {
	case full && o.do.ends():
		return s.endInPlace(ops)
	case full && o.do == mark && o.base > s.index.base:
		o.err = s.rebase(o.base)
	default:
		o.err = err
	}
	return ops[1:]
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
	more := s.spares.room() - s.index.reserve()
	for v := range room {
		room[v] = s.active.room(verb(v), more)
	}
	return room
}

// room is how far a verb may fill the segment, where the spares have so many
// bytes more than the reserve.
func (g *segment) room(do verb, more int64) int64 {
	switch {
	case g.sealed:
		return 0
	case do == mark:
		return g.size
	case do.keepsReserve():
		return g.size - markRoom + min(0, more)
	}
	return g.size - markRoom
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
	for _, g := range s.spares.ready {
		if g != nil {
			err = errors.Join(err, g.file.Close())
		}
	}
	if err != nil {
		return place.Fail("close", s.Path, err)
	}
	return nil
}
