package core

import (
	"bytes"
	"slices"
)

// A mark is what a request did with one name: what it read, and what it wrote.
// Commit and Rebase go by it.
type mark struct {
	name  string
	did   act
	read  bool  // the program has seen the stored value, or that there is none
	stale bool  // and another request has changed it since
	again bool  // what update computed is of an older value
	delta int64 // of add, also before an update
}

// act is what a request did to a name at last.
type act uint8

const (
	didRead act = iota // and nothing else
	didPut             // set, or deleted where the session has no such value now
	didAdd
	didUpdate
	didDrop // it was put from a value that has changed, and a login left it out
	acts
)

// roomForMarks spares requests that read a few names an allocation.
const roomForMarks = 4

// resumed is a session with room for its first marks, which copies of it do not
// share: see Clone.
type resumed struct {
	Session
	room [roomForMarks]mark
}

// Clone returns a copy that can be changed without changing s.
func (s *Session) Clone() *Session {
	c := *s
	c.owned = false // the next change copies the values
	if s.owned {
		c.cur, c.owned = s.cur.copied(), true
	}
	c.marks = slices.Clone(s.marks)
	return &c
}

// mark returns the mark of a name, which is made if there is none.
func (s *Session) mark(name string) *mark {
	at, ok := s.findMark(name)
	if !ok {
		s.marks = append(s.marks, mark{})
		copy(s.marks[at+1:], s.marks[at:])
		s.marks[at] = mark{name: name}
	}
	return &s.marks[at]
}

// findMark goes by the order of names.
func (s *Session) findMark(name string) (at int, ok bool) {
	for i := range s.marks {
		switch n := s.marks[i].name; {
		case n == name:
			return i, true
		case len(n) > len(name) || len(n) == len(name) && n > name:
			return i, false
		}
	}
	return len(s.marks), false
}

// Read returns the CBOR of a value to the program, and notes that it was read:
// if the request then writes or deletes the name, its commit is refused where
// another request has changed the value since. The value is not to be changed.
func (s *Session) Read(name string) (value []byte, ok bool) {
	value, ok = s.Value(name)
	if !ok && !validValueName(name) {
		return nil, false
	}
	if m := s.mark(name); m.did != didPut {
		m.read, m.stale = true, false
	}
	return value, ok
}

// Again returns the names whose UpdateValue must be called anew, on the value
// that Value shows now. Commit refuses a session that has any.
func (s *Session) Again() []string {
	var names []string
	for i := range s.marks {
		if s.marks[i].again {
			names = append(names, s.marks[i].name)
		}
	}
	return names
}

// Wrote reports whether the request has set, deleted, added to or updated a name
// since it was loaded or stored.
func (s *Session) Wrote(name string) bool {
	at, ok := s.findMark(name)
	return ok && s.marks[at].did != didRead && s.marks[at].did != didDrop
}

func (s *Session) toUpdate() bool {
	return slices.ContainsFunc(s.marks, func(m mark) bool { return m.again })
}

// Dropped returns the names whose values a login left out, because they were
// put from values that other requests have changed.
func (s *Session) Dropped() []string {
	var names []string
	for i := range s.marks {
		if s.marks[i].did == didDrop {
			names = append(names, s.marks[i].name)
		}
	}
	return names
}

// AddValue adds n to an int or int64, or to a missing value as to 0, and returns
// the sum. However many requests add at once, all count. Without one of these
// types, or where the sum leaves 64 bits, it is ErrCounter.
func (s *Session) AddValue(name string, n int64) (sum int64, err error) {
	old, _ := s.Value(name)
	value, sum, ok := addTo(old, n)
	if !ok {
		return 0, ErrCounter
	}
	var delta int64
	if at, ok := s.findMark(name); ok {
		delta = s.marks[at].delta
	}
	if total := delta + n; (n >= 0) != (total >= delta) {
		return 0, ErrCounter
	}
	if err := s.replace(name, value); err != nil {
		return 0, err
	}
	switch m := s.mark(name); m.did {
	case didRead, didAdd, didDrop:
		m.did, m.read, m.stale, m.delta = didAdd, true, false, delta+n
	}
	return sum, nil
}

// UpdateValue keeps a value that was computed from the one before. Where other
// requests have changed that, Rebase lists the name in Again. The bytes are the
// session's from now on.
func (s *Session) UpdateValue(name string, value []byte) error {
	if err := s.replace(name, value); err != nil {
		return err
	}
	m := s.mark(name)
	if m.did != didPut {
		m.did, m.read, m.stale = didUpdate, true, m.stale && m.again // what runs again leaves the program with what it read
	}
	m.again = false
	return nil
}

// wrote notes that a name was set or deleted.
func (s *Session) wrote(name string) {
	m := s.mark(name)
	m.did, m.again, m.delta = didPut, false, 0
}

// conflict returns the first name that was put from a value which has changed,
// and which the policy does not leave to the later commit.
func (s *Session) conflict() (name string, ok bool) {
	for i := range s.marks {
		if m := &s.marks[i]; m.stale && m.did == didPut && !s.m.policy.lastWins(m.name) {
			stored, _ := s.stored(m.name)
			if now, _ := s.Value(m.name); !bytes.Equal(now, stored) {
				return m.name, true
			}
		}
	}
	return "", false
}

// drop undoes what was put under a name.
func (s *Session) drop(name string) {
	value, ok := s.stored(name)
	s.restore(name, value, ok)
	*s.mark(name) = mark{name: name, did: didDrop}
}

// carry gives s, which was stored, what the program of the session before knows:
// what it read then is stale if it is something else now.
func (s *Session) carry(from *Session) {
	s.marks = nil
	for i := range from.marks {
		m := &from.marks[i]
		if !m.read || m.did == didDrop {
			continue
		}
		known, _ := from.Value(m.name)
		now, _ := s.Value(m.name)
		s.marks = append(s.marks, mark{name: m.name, read: true, stale: m.stale && m.did != didPut || !bytes.Equal(known, now)})
	}
}
