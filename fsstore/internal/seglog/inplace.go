package seglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

// On a full disk there is no room for the record of an end. Then the newest
// record of the session is made to say it, where it lies: its checksum is
// inverted. Those are four bytes that no sector divides, so a crash leaves the
// session either as it was or ended. No room is needed, and none is won before
// the compaction comes by.

// endInPlace does those ops that end sessions, and returns the others.
func (s *Store) endInPlace(ops []*op) (rest []*op) {
	var ends []*op
	places := map[uint32][]span{}
	for _, o := range ops {
		switch {
		case !o.do.ends():
			rest = append(rest, o)
		case s.decide(o):
			ends = append(ends, o)
			for _, id := range o.sessions() {
				at := s.index.find(id).at
				places[at.segment] = append(places[at.segment], at.span())
			}
		}
	}
	failed := s.endRecords(places)
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	for _, o := range ends {
		var ended []core.ID
		for _, id := range o.sessions() {
			if e := s.index.find(id); e == nil {
				continue // by another of these
			} else if err := failed[e.at.segment]; err != nil {
				o.err = err
				continue
			}
			s.index.remove(id)
			ended = append(ended, id)
		}
		if o.done = len(ended) > 0; o.do == sweep {
			o.swept = ended
		}
	}
	return rest
}

// endRecords ends records of several segments, all at once: each is a sync. It
// returns the segments where that failed.
func (s *Store) endRecords(places map[uint32][]span) map[uint32]error {
	var mu sync.Mutex
	failed := map[uint32]error{}
	var all sync.WaitGroup
	for number, spans := range places {
		all.Go(func() {
			if err := s.segment(number).endRecords(spans); err != nil {
				mu.Lock()
				failed[number] = err
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return failed
}

// sessions are those that an op ends, once it is decided.
func (o *op) sessions() []core.ID {
	if o.do == sweep {
		return o.swept
	}
	return []core.ID{o.record.ID}
}

func (s *Store) segment(number uint32) *segment {
	s.index.mu.RLock()
	defer s.index.mu.RUnlock()
	return s.index.segments[number]
}

// endRecords makes records say that their sessions have ended. When it fails,
// none has, as far as the disk lets us take it back.
func (g *segment) endRecords(spans []span) error {
	if err := g.still(); err != nil {
		return err
	}
	if !g.ends { // a program that does not know of it must not read on
		if err := g.rewriteHeader(g.base, true); err != nil {
			return err
		}
	}
	sums := make([]uint32, len(spans))
	for i, at := range spans {
		sum, err := g.headSum(at)
		if err != nil {
			return err
		}
		sums[i] = sum
	}
	err := g.writeSums(spans, sums, ^uint32(0))
	if err == nil {
		return nil
	}
	if undone := g.writeSums(spans, sums, 0); undone != nil {
		return fmt.Errorf("fsstore: write %s: %w: %w: %w; look at the disk and its logs", g.path, hosts.ErrUnavailable, hosts.ErrUnknown, errors.Join(err, undone))
	}
	return place.Fail("write", g.path, err)
}

// headSum reads a record's head and returns the checksum that it has to have.
func (g *segment) headSum(at span) (uint32, error) {
	b := make([]byte, min(at.length, maxHead))
	if _, err := g.file.ReadAt(b, at.offset); err != nil {
		return 0, place.Fail("read", g.path, err)
	}
	h, ok := parseHead(b, g.salt, at.offset)
	if !ok {
		return 0, fmt.Errorf("fsstore: file %s: byte %d: %w", g.path, at.offset, place.Damaged("checksum does not match"))
	}
	return headSum(b[:h.start], g.salt, at.offset), nil
}

func (g *segment) writeSums(spans []span, sums []uint32, flip uint32) error {
	for i, at := range spans {
		if _, err := g.file.WriteAt(binary.BigEndian.AppendUint32(nil, sums[i]^flip), at.offset); err != nil {
			return err
		}
	}
	return place.SyncData(g.file)
}

// rebase voids the segments before base where there is no room for a mark: in the
// header of the active one.
func (s *Store) rebase(base uint32) error {
	g := s.active
	if g.vouch(); g.sealed || g.durable < g.end {
		return place.Unavailable(g.path, "cannot be written any more; free space on its disk")
	}
	if err := g.still(); err != nil {
		return err
	}
	if err := g.rewriteHeader(base, g.ends); err != nil {
		return err
	}
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	s.index.base = base
	return nil
}
