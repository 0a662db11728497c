package seglog

import "github.com/rockstar-web/sessions/fsstore/internal/place"

// replay reads one segment into the index.
type replay struct {
	*Store
	scan *scan
	roll rollReader

	rolled int64 // bytes of the roll
}

// replay reads a segment; next is the one behind it, if that tells where this one
// ends. What is not whole is a loss, except at the end of the last: there a
// process was killed, or the power failed, before the write was acknowledged.
func (s *Store) replay(g, next *segment, last bool) error {
	if g.damaged {
		s.lost(g.number, g.path, 0, g.size)
		g.sealed, g.end, g.bytes = true, g.size, g.size-firstByte
		return nil
	}
	s.roll = s.roll[:0]
	p := replay{Store: s, scan: newScan(g, g.size)}
	if next != nil {
		p.scan.end = min(next.before, g.size)
	}
	before := len(s.damage)
	if err := p.records(next == nil); err != nil {
		return err
	}
	g.end, g.sealed = p.scan.at, !last
	g.bytes = g.end - firstByte - p.rolled
	if next != nil && g.size < next.before {
		s.lost(g.number, g.path, g.size, next.before)
	}
	for i := range s.damage[before:] {
		p.settle(&s.damage[before+i], next)
	}
	if last {
		return p.cut()
	}
	return nil
}

// records reads all that there are. Where the segment ends is to be found out,
// if the end is open.
func (p *replay) records(open bool) error {
	c := p.scan
	for c.at < c.end {
		h, b, ok, err := c.record(c.at)
		if err != nil {
			return err
		}
		if b == nil && open {
			if settled, err := c.settled(); err != nil || settled <= c.at {
				return err
			}
		}
		if ok {
			p.apply(&h, b)
			c.at += padded(h.length)
			continue
		}
		from := c.at
		if err := c.skip(); err != nil {
			return err
		}
		p.lost(c.number, c.path, from, c.at)
	}
	return nil
}

// apply makes what a record says so. Of one whose Sealed is damaged, b is nil.
func (p *replay) apply(h *head, b []byte) {
	c := p.scan
	if h.kind == kindRoll {
		p.rolled += padded(h.length)
		if b != nil {
			p.roll.add(h, b, c.at)
		} else {
			p.lost(c.number, c.path, c.at, c.at+h.length)
		}
		return
	}
	p.marked = h.kind == kindMark
	p.Store.roll.add(h.kind, c.at, &h.record)
	switch h.kind {
	case kindPut:
		if h.ended {
			p.index.remove(h.record.ID)
			return
		}
		p.index.put(&h.record, pack(c.number, span{c.at, h.length}))
		if b == nil {
			p.unreadable(c.segment, h, c.at)
		}
	case kindEnd:
		p.index.remove(h.record.ID)
	case kindSweep:
		p.index.sweep(h.record.ExpiresAt)
	case kindMark:
		p.voidBefore(c.segment, uint64(h.record.Version))
	}
}

// voidBefore is what a mark in g says.
func (s *Store) voidBefore(g *segment, base uint64) {
	if base <= uint64(g.number) {
		s.index.base = max(s.index.base, uint32(base))
	}
}

// settle ends the sessions that a loss concerns, if the roll tells which. The
// roll itself concerns none.
func (p *replay) settle(d *damage, next *segment) {
	switch {
	case d.known:
	case next != nil && d.from >= next.roll:
		d.known = true
	case p.roll.covers(d.to):
		d.known, d.ended = true, p.endLost(p.scan.segment, p.roll.roll, d.from, d.to)
	}
}

// cut makes void what is left of an unfinished write behind its first record that
// is not whole: the records that are written there next must be the last. The
// caller syncs.
func (p *replay) cut() error {
	c := p.scan
	for _, at := range c.behind {
		if at <= c.at {
			continue
		}
		if _, err := c.file.WriteAt(make([]byte, headSize), at); err != nil {
			return place.Fail("write", c.path, err)
		}
	}
	if !p.marked {
		p.log.Info("fsstore: the log was not closed; what was acknowledged is there", "path", c.path, "end", c.at)
	}
	return nil
}
