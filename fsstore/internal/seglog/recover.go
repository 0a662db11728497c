package seglog

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

// recover reads the log, segment by segment, into the index.
func (s *Store) recover() error {
	if err := s.adoptSpares(); err != nil {
		return err
	}
	segments, err := s.openSegments()
	if err != nil {
		return err
	}
	if len(segments) == 0 {
		return s.makeRoom(headSize, mark)
	}
	if err := s.replayAll(segments); err != nil {
		return err
	}
	s.dropUncertain()
	s.report()
	if err := s.settle(segments); err != nil {
		return err
	}
	if err := s.retireVoid(segments); err != nil {
		return err
	}
	if s.active.sealed {
		if err := s.makeRoom(headSize, mark); !errors.Is(err, hosts.ErrFull) {
			return err
		}
		return nil // sessions can be loaded and ended
	}
	s.active.durable = s.active.end
	return nil
}

// settle makes sure that what will be shown is on the disk: what a killed process
// wrote may not be. That is in the last segment, or was ended in place.
func (s *Store) settle(segments []*segment) error {
	for _, g := range segments {
		if g.number != s.index.newest && !g.ends {
			continue
		}
		if err := place.SyncData(g.file); err != nil {
			return place.Fail("sync", g.path, err)
		}
	}
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
	err = s.retireVoid(segments)
	return slices.DeleteFunc(segments, func(g *segment) bool { return g.number < s.index.base }), err
}

// retireVoid removes the segments that a compaction was done with.
func (s *Store) retireVoid(segments []*segment) error {
	for _, g := range segments {
		if g.number < s.index.base {
			if err := s.retire(g); err != nil {
				return err
			}
		}
	}
	return nil
}
