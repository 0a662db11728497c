package seglog

import (
	"fmt"

	"github.com/rockstar-web/sessions/core"
)

// damage is a part of the log that was whole once and is not any more.
type damage struct {
	segment  uint32
	path     string
	from, to int64
	session  core.ID // whose data it is; zero: that of several
	known    bool    // whose it was
	ended    int     // sessions that it cost, if known
}

// lost notes records that nobody can read, not even whose they are.
func (s *Store) lost(number uint32, path string, from, to int64) {
	s.damage = append(s.damage, damage{segment: number, path: path, from: from, to: to})
	if g := s.index.segments[number]; g != nil {
		g.damaged = true
	}
}

// unreadable notes a record whose head can be read. It is for Load to tell.
func (s *Store) unreadable(g *segment, r *said) {
	d := damage{segment: g.number, path: g.path, from: r.from + r.start, to: r.from + r.length, session: r.id, known: true}
	s.damage = append(s.damage, d)
	g.damaged = true
}

// dropUncertain ends the sessions of which nothing is known since the last loss
// of which no roll tells whose it was: a logout, or a login that replaced the
// cookie, may be among the lost, and an ended session must not live again. What
// lies behind the loss is certain. It also drops what a file showed that a
// compaction was done with.
func (s *Store) dropUncertain() {
	certain := span32{segment: s.index.base}
	for _, d := range s.damage {
		if !d.known && d.segment >= s.index.base {
			certain = pack(d.segment, span{offset: d.from})
		}
	}
	var dropped []core.ID
	ended := 0
	for e := range s.index.all() {
		if e.at.before(certain) {
			dropped = append(dropped, e.id)
			if e.at.segment >= s.index.base {
				ended++
			}
		}
	}
	for _, id := range dropped {
		s.index.remove(id)
	}
	if ended > 0 {
		s.log.Error("fsstore: sessions are ended, because the damage may hide that they had ended before; others than these go on", "sessions", ended)
	}
}

// report tells the operator what Open has found.
func (s *Store) report() {
	for _, d := range s.damage {
		if d.segment < s.index.base {
			continue
		}
		args := []any{"path", d.path, "from", d.from, "to", d.to}
		switch {
		case !d.session.IsZero():
			args = append(args, "unreadable", d.session)
		case d.known:
			args = append(args, "ended", d.ended)
		}
		s.log.Error("fsstore: the log is damaged; look at the disk and its logs", args...)
	}
}

// damaged is what report said, as an error, until the compaction is done with
// the files.
func (s *Store) damaged() error {
	s.index.mu.RLock()
	defer s.index.mu.RUnlock()
	n := 0
	var first damage
	for _, d := range s.damage {
		if d.segment >= s.index.base {
			if n++; n == 1 {
				first = d
			}
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("fsstore: the log was found damaged in %d places, the first is %s, bytes %d to %d; look at the disk and its logs: %w",
		n, first.path, first.from, first.to, core.ErrCorrupt)
}
