package seglog

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

// recover reads the log, segment by segment, into the index.
func (s *Store) recover() error {
	if err := s.removeSpare(); err != nil {
		return place.Fail("write in Dir", s.Path, err)
	}
	segments, err := s.openSegments()
	if err != nil {
		return err
	}
	if len(segments) == 0 {
		return s.makeRoom(markSize)
	}
	for i, g := range segments {
		if i == 0 && g.number != s.index.base || i > 0 && g.number != segments[i-1].number+1 {
			missing := segmentName(g.number - 1)
			s.lost(g.number-1, filepath.Join(s.Path, missing), 0, 0)
		}
		var next *segment
		if i+1 < len(segments) && segments[i+1].number == g.number+1 && !segments[i+1].damaged {
			next = segments[i+1]
		}
		if err := s.replay(g, next, i+1 == len(segments)); err != nil {
			return err
		}
		s.active, s.index.newest = g, g.number
		g.bytes = g.end - firstByte
		s.index.bytes += g.bytes
	}
	s.dropUncertain()
	s.report()
	if s.active.sealed {
		return s.makeRoom(markSize)
	}
	// What a killed process wrote may not be on the disk yet, and will be shown.
	if err := place.SyncData(s.active.file); err != nil {
		return place.Fail("sync", s.active.path, err)
	}
	s.active.durable = s.active.end
	return nil
}

// openSegments opens what is there, in order, and enters it in the index. Those
// that a compaction was done with are removed.
func (s *Store) openSegments() ([]*segment, error) {
	entries, err := fs.ReadDir(s.Root.FS(), ".")
	if err != nil {
		return nil, place.Fail("read", s.Path, err)
	}
	var segments []*segment
	for _, e := range entries {
		number, ok := segmentNumber(e.Name())
		if !ok {
			continue
		}
		g, err := openSegment(s.Dir, e.Name())
		if err != nil {
			return nil, err
		}
		s.index.segments[number] = g
		segments = append(segments, g)
		if err := g.readHeader(); errors.Is(err, core.ErrCorrupt) {
			g.damaged = true
		} else if err != nil {
			return nil, err
		}
		g.damaged = g.damaged || g.number != number
		g.number = number
		if !g.damaged {
			s.index.base = max(s.index.base, g.base)
		}
	}
	if s.index.base == 0 && len(segments) > 0 {
		s.index.base = segments[0].number
	}
	slices.SortFunc(segments, func(a, b *segment) int { return cmp.Compare(a.number, b.number) })
	void := 0
	for void < len(segments) && segments[void].number < s.index.base {
		if err := s.retire(segments[void]); err != nil {
			return nil, err
		}
		void++
	}
	return segments[void:], nil
}

// replay reads one segment. What is not whole is a loss, except at the end of
// the last: there a process was killed, or the power failed, before the write
// was acknowledged.
func (s *Store) replay(g, next *segment, last bool) error {
	if g.damaged {
		s.lost(g.number, g.path, 0, g.size)
		g.sealed, g.end = true, g.size
		return nil
	}
	c := newScan(g, g.size)
	if next != nil {
		c.end = min(next.before, g.size)
		if g.size < next.before {
			defer s.lost(g.number, g.path, g.size, next.before)
		}
	}
	for c.at < c.end {
		h, b, ok, err := c.record(c.at)
		if err != nil {
			return err
		}
		if b != nil {
			s.apply(g, &h, c.at)
			c.at += padded(h.length)
			continue
		}
		resume, settled, err := c.search()
		if err != nil {
			return err
		}
		if next == nil && !settled {
			break
		}
		if ok { // the head stands: nobody else's record is lost
			resume = c.at + padded(h.length)
			s.apply(g, &h, c.at)
			s.unreadable(g, &h, c.at)
		} else {
			s.lost(g.number, g.path, c.at, resume)
		}
		c.at = resume
	}
	g.end, g.sealed = c.at, !last
	if last {
		return s.cut(c)
	}
	return nil
}

func (s *Store) apply(g *segment, h *head, at int64) {
	s.marked = h.kind == kindMark
	switch h.kind {
	case kindPut:
		s.index.put(&h.record, pack(g.number, span{at, h.length}))
	case kindEnd:
		s.index.remove(h.record.ID)
	case kindSweep:
		s.index.sweep(h.record.ExpiresAt)
	case kindMark:
		s.index.base = max(s.index.base, uint32(h.record.Version))
	}
}

// search looks for the next record behind one that is not whole, and whether any
// record behind it was written when that one had been synced: then it was whole
// once. Without, all that follows was never acknowledged.
func (c *scan) search() (next int64, settled bool, err error) {
	next = c.end
	end, err := c.lastByte()
	if err != nil {
		return 0, false, err
	}
	for at := c.at + alignment; at < end && !settled; at += alignment {
		h, _, ok, err := c.record(at)
		if err != nil {
			return 0, false, err
		}
		if ok {
			next = min(next, at)
			settled = h.durable > c.at
		}
	}
	return next, settled, nil
}

// lastByte returns the end of the last block that is not all zeros, c.at if all are.
func (c *scan) lastByte() (int64, error) {
	var zeros [4096]byte
	end := c.at
	for at := c.at; at < c.end; at += int64(len(zeros)) {
		b, err := c.bytes(at, int64(len(zeros)))
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(b, zeros[:len(b)]) {
			end = at + int64(len(b))
		}
	}
	return end, nil
}

// cut erases an unfinished write, so that the next one finds only zeros behind it.
func (s *Store) cut(c *scan) error {
	end, err := c.lastByte()
	if err != nil || end == c.at {
		return err
	}
	s.log.Info("fsstore: an unfinished write, never acknowledged, is cut off", "path", c.path, "from", c.at, "to", end)
	if err := c.erase(c.at, end); err != nil {
		return place.Fail("write", c.path, err)
	}
	return nil
}
