package seglog

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// makeRoom makes the active segment one that takes a record of need bytes, of
// that verb. The one before is sealed first: from then on, the header of the next
// says where it ends, and nothing behind that counts.
func (s *Store) makeRoom(need int64, do verb) error {
	least, reserve := firstByte+need+rollSize(1)+markRoom, int64(0)
	if do.keepsReserve() {
		reserve = s.index.reserve()
	}
	here := func() bool { // what was held back for want of a spare
		g := s.active
		return g != nil && !g.sealed && g.end+need+rollSize(s.roll.len()+1) <= g.room(do, s.spares.bytes()-reserve)
	}
	next, err := s.takeSpare(least, reserve, here)
	if next == nil {
		return err
	}
	defer next.done()
	h := header{number: 1, base: 1}
	if g := s.active; g != nil {
		roll := s.seal(g)
		h = header{number: g.number + 1, base: s.index.base, before: g.end, roll: roll}
	}
	if err := s.begin(next, h); err != nil {
		return errors.Join(err, next.file.Close())
	}
	s.index.mu.Lock()
	s.index.segments[h.number], s.index.newest = next.segment, h.number
	s.index.base = max(s.index.base, h.base)
	s.index.mu.Unlock()
	s.active, s.roll = next.segment, s.roll[:0]
	return nil
}

// nextSize is that of the segment after the active one. It has room for what
// lives in any other.
func (s *Store) nextSize() int64 {
	if s.active == nil {
		return s.firstSize
	}
	return max(min(s.maxSize, 2*s.active.size), s.index.reserve())
}

// seal ends a segment with its roll and returns where that begins. When it fails,
// what Fast has left unsynced may not survive a power failure: as it is with Fast.
func (s *Store) seal(g *segment) (roll int64) {
	roll = g.end
	if !g.sealed {
		s.buffer = s.roll.appendTo(s.buffer[:0], g)
		if err := g.write(s.buffer, true); err != nil && g.durable < g.end {
			s.log.Error("fsstore: saves may be lost if the power fails", "error", err)
		}
		g.sealed = true
	}
	return roll
}

// begin gives a spare its header and then its name, which no file may have.
func (s *Store) begin(g *taken, h header) error {
	var salt [8]byte
	rand.Read(salt[:]) // never fails
	h.salt = binary.BigEndian.Uint64(salt[:])
	name := segmentName(h.number)
	g.path = filepath.Join(s.Path, name)
	if _, err := s.Root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return place.Unavailable(g.path, "is there already; restart the program, and look who else writes there")
	}
	err := g.writeHeader(h)
	if err == nil {
		err = s.Root.Rename(g.name, name)
	}
	if err == nil {
		if err = s.Self.Sync(); err != nil {
			err = errors.Join(err, s.Root.Remove(name))
		}
	}
	if err != nil {
		return place.Fail("begin", g.path, err)
	}
	return nil
}
