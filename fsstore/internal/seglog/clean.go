package seglog

import (
	"bytes"
	"errors"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	cleanRatio = 2         // sealed segments are compacted when they hold more than this times the living bytes,
	cleanHaste = 3         // and in haste when they hold more than this
	cleanBatch = 128 << 10 // bytes that are copied in one request,
	hasteBatch = 1 << 20   // and in haste
	cleanRate  = 32 << 20  // bytes that are copied in a second, when there is no haste
	cleanRetry = 10 * time.Second
	fullRetry  = time.Second // on a full disk,
	fullRatio  = 8           // where it goes on while more than one of so many bytes can be won
)

func (s *Store) wakeCleaner() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// clean compacts the log, oldest segment first: what lives is copied to the end
// and the file removed. So at most one byte is copied for each that is written,
// and a deletion is forgotten only when no older segment has the session.
func (s *Store) clean() {
	for {
		select {
		case <-s.wake:
		case <-s.stop:
			return
		}
		for number, g := s.dirty(); number != 0 && !s.stopping(); number, g = s.dirty() {
			err := s.cleanSegment(number, g)
			if err == nil {
				continue
			}
			if errors.Is(err, hosts.ErrFull) { // of which the calls are told
				s.pause(fullRetry)
				continue
			}
			if !s.stopping() {
				s.log.Error("fsstore: the log cannot be compacted", "error", err)
			}
			s.pause(cleanRetry)
			break
		}
	}
}

// dirty returns the oldest segment if it is to be compacted, else zero. The file
// may be missing.
func (s *Store) dirty() (uint32, *segment) {
	x := s.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	g := x.segments[x.base]
	switch {
	case x.base == x.newest:
		return 0, nil
	case g == nil, x.sealedBytes() > cleanRatio*x.live:
		return x.base, g
	case s.spares.full() != nil && (g.live == 0 || x.bytes-x.live > x.bytes/fullRatio):
		return x.base, g
	}
	return 0, nil
}

func (x *index) sealedBytes() int64 { return x.bytes - x.segments[x.newest].bytes }

func (s *Store) cleanSegment(number uint32, g *segment) error {
	if g != nil {
		if err := s.copyLiving(g); err != nil {
			return err
		}
	}
	if err := s.done([]op{{do: mark, base: number + 1}}); err != nil {
		return err
	}
	if g != nil {
		return s.retire(g)
	}
	return nil
}

// done returns when all ops are done.
func (s *Store) done(ops []op) error {
	s.do(ops)
	for i := range ops {
		if ops[i].err != nil {
			return ops[i].err
		}
	}
	return nil
}

// copyLiving appends the living records of g to the log.
func (s *Store) copyLiving(g *segment) error {
	var ops []op
	var size int64
	for c := newScan(g, g.end); s.livesIn(g) > 0 && c.at < c.end; {
		h, _, ok, err := c.record(c.at)
		if err != nil {
			return err
		}
		if !ok {
			if err := c.skip(); err != nil {
				return err
			}
			continue
		}
		from := pack(g.number, span{c.at, h.length})
		if h.kind == kindPut && s.liesAt(h.record.ID, from) {
			b, err := c.bytes(c.at, h.length)
			if err != nil { // also a damaged one: Load tells
				return err
			}
			h.record.Sealed = bytes.Clone(b[h.start:])
			ops = append(ops, op{do: move, record: h.record, from: from, sum: h.sum})
			size += h.length
		}
		if c.at += padded(h.length); size >= hasteBatch || size >= cleanBatch && !s.haste() {
			if err := s.copyBatch(ops, size); err != nil {
				return err
			}
			ops, size = ops[:0], 0
		}
		if s.stopping() {
			return place.ErrClosed
		}
	}
	if err := s.copyBatch(ops, size); err != nil {
		return err
	}
	return s.loseRest(g)
}

// copyBatch leaves the disk to the visitors for a while, if the log may wait.
func (s *Store) copyBatch(ops []op, size int64) error {
	if err := s.done(ops); err != nil {
		return err
	}
	if !s.haste() {
		s.pause(time.Duration(size) * time.Second / cleanRate)
	}
	return nil
}

func (s *Store) haste() bool {
	s.index.mu.RLock()
	defer s.index.mu.RUnlock()
	return s.index.sealedBytes() > cleanHaste*s.index.live
}

// loseRest ends the sessions whose records were in the index and are not in the
// file any more.
func (s *Store) loseRest(g *segment) error {
	if s.livesIn(g) == 0 {
		return nil
	}
	g.damaged = true
	var ops []op
	s.index.mu.RLock()
	for e := range s.index.all() {
		if e.at.segment == g.number {
			ops = append(ops, op{do: lose, record: core.Record{ID: e.id}, from: e.at})
		}
	}
	s.index.mu.RUnlock()
	s.log.Error("fsstore: records cannot be read any more, their sessions are ended; look at the disk and its logs", "path", g.path, "sessions", len(ops))
	return s.done(ops)
}

func (s *Store) livesIn(g *segment) int64 {
	s.index.mu.RLock()
	defer s.index.mu.RUnlock()
	return g.live
}

func (s *Store) liesAt(id core.ID, at span32) bool {
	s.index.mu.RLock()
	defer s.index.mu.RUnlock()
	e := s.index.find(id)
	return e != nil && e.at == at
}

// retire ends the use of a segment that nothing points to. Whoever reads it just
// now looks again in the index. One that was damaged is left to the operator.
func (s *Store) retire(g *segment) error {
	s.index.mu.Lock()
	delete(s.index.segments, g.number)
	s.index.bytes -= g.bytes
	s.index.mu.Unlock()
	name := segmentName(g.number)
	var err error
	switch {
	case g.damaged:
		err = errors.Join(g.file.Close(), s.Root.Rename(name, name+damagedSuffix))
	default:
		var recycled bool
		if recycled, err = s.recycle(g); err != nil {
			err = errors.Join(err, g.file.Close())
		} else if !recycled {
			err = errors.Join(g.file.Close(), s.Root.Remove(name))
		}
	}
	if err != nil {
		return place.Fail("remove", g.path, err)
	}
	return nil
}

func (s *Store) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.stop:
	}
}
