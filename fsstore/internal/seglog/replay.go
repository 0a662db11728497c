package seglog

import (
	"path/filepath"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// replayAll brings all segments into the index. Each but the last has another
// behind it that tells where it ends, unless that is missing or damaged.
func (s *Store) replayAll(segments []*segment) error {
	behind := make([]*segment, len(segments))
	for i := range len(segments) - 1 {
		if next := segments[i+1]; next.number == segments[i].number+1 && !next.damaged {
			behind[i] = next
		}
	}
	next, stop := readAhead(len(segments), func(i int) *reading { return s.index.read(segments[i], behind[i]) })
	defer stop()
	s.index.opening = true
	for i, g := range segments {
		if i == 0 && g.number != s.index.base || i > 0 && g.number != segments[i-1].number+1 {
			missing := segmentName(g.number - 1)
			s.lost(g.number-1, filepath.Join(s.Path, missing), 0, 0)
		}
		if err := s.replay(next(), behind[i], i+1 == len(segments)); err != nil {
			return err
		}
		s.active, s.index.newest = g, g.number
		s.index.bytes += g.bytes
	}
	s.index.ownLater()
	return nil
}

// replay brings one segment into the index; next is the one behind it. What is not
// whole is a loss, except at the end of the last: there a process was killed, or
// the power failed, before the write was acknowledged.
func (s *Store) replay(r *reading, next *segment, last bool) error {
	if r.err != nil {
		return r.err
	}
	before := len(s.damage)
	for some := range slices.Chunk(r.said, touchAhead) {
		s.index.touch(some)
		for i := range some {
			s.apply(r.segment, &some[i], last)
		}
	}
	g := r.segment
	g.end, g.bytes, g.sealed = r.at, r.at-firstByte-r.rolled, !last || r.lost
	if r.lost {
		return nil
	}
	for i := range s.damage[before:] {
		s.settleDamage(&s.damage[before+i], r, next)
	}
	if last {
		return s.cut(r)
	}
	return nil
}

// apply makes what a record says so. Those of the last segment go into its roll.
func (s *Store) apply(g *segment, r *said, last bool) {
	if r.kind == nothing {
		s.lost(g.number, g.path, r.from, r.from+r.length)
		return
	}
	s.marked = r.kind == kindMark
	if last {
		s.roll.add(r.kind, r.from, &core.Record{ID: r.id, Version: r.version, ExpiresAt: r.expires})
	}
	switch r.kind {
	case kindPut:
		if r.ended {
			s.index.remove(r.id)
			return
		}
		s.index.set(r.id, r.version, r.expires, r.owner, pack(g.number, span{r.from, r.length}))
		if !r.sealed {
			s.unreadable(g, r)
		}
	case kindEnd:
		s.index.remove(r.id)
	case kindSweep:
		s.index.sweep(r.expires)
	case kindMark:
		s.voidBefore(g, uint64(r.version))
	}
}

// voidBefore is what a mark in g says.
func (s *Store) voidBefore(g *segment, base uint64) {
	if base <= uint64(g.number) {
		s.index.base = max(s.index.base, uint32(base))
	}
}

// settleDamage ends the sessions that a loss concerns, if the roll tells which.
// The roll itself concerns none.
func (s *Store) settleDamage(d *damage, r *reading, next *segment) {
	switch {
	case d.known:
	case next != nil && d.from >= next.roll:
		d.known = true
	case r.roll.covers(d.to):
		d.known, d.ended = true, s.endLost(r.segment, r.roll.roll, d.from, d.to)
	}
}

// cut makes void what is left of an unfinished write behind its first record that
// is not whole: the records that are written there next must be the last. The
// caller syncs.
func (s *Store) cut(r *reading) error {
	for _, at := range r.behind {
		if at <= r.at {
			continue
		}
		if _, err := r.file.WriteAt(make([]byte, headSize), at); err != nil {
			return place.Fail("write", r.path, err)
		}
	}
	if !s.marked {
		s.log.Info("fsstore: the log was not closed; what was acknowledged is there", "path", r.path, "end", r.at)
	}
	return nil
}
