package core

import (
	"bytes"
	"slices"
)

// Rebase replays what s changed on the record that another request stored
// meanwhile, name by name, after Commit's save met a conflict. A nil theirs
// says that the session is gone. It returns the session to commit next, or
// nothing at all when this request changed nothing that still needs storing, or
// the error that its caller must hear:
//
//   - ErrEnded: the session has ended, and the changes are not stored;
//   - ErrSuperseded: a login or privilege change has replaced the secret that
//     this request came with, and its changes are refused; or ErrCredentialsChanged;
//   - a ConflictError: a value that this request read and then wrote has changed
//     underneath, or one in Policy.Exclusive that it wrote.
//
// A login never fails here. What it cannot store it leaves out: see
// Session.Dropped. Where its session is gone, it begins a fresh one with what
// this request put; and with all that this request had loaded, where nothing but
// a login of the same user superseded it.
//
// The names in Session.Again of the result are to be computed anew.
func (m *Machine) Rebase(s *Session, theirs *Record, now Time) (*Session, error) {
	if theirs == nil || theirs.ID != s.rec.ID {
		return s.rescue(ErrEnded, false)
	}
	t := &Session{m: m, state: StateActive, rec: *theirs, req: s.req, ticket: s.ticket, quiet: s.quiet}
	old, err := m.ring.openRecord(theirs, &t.in, now)
	if err != nil {
		return nil, err
	}
	switch {
	case !s.ticket.trusted && s.state != StateNew && t.in.gen.chain != s.in.gen.chain:
		return s.rescue(t.in.superseded(ErrSuperseded, ErrCredentialsChanged), s.login && s.doubleLogin(t) || t.in.outdated && s.StampsAnew())
	case t.in.replaced || t.live(now) != nil:
		return s.rescue(ErrEnded, false)
	}
	t.old = old
	t.behind = !t.ticket.trusted && t.ticket.gen.step < t.in.gen.step
	t.cur = t.in.data
	t.user, t.lifetime, t.remember = theirs.User, t.in.lifetime, t.in.remembered(&m.policy)
	if err := m.fold(t, s, true); err != nil {
		return nil, err
	}
	return t, nil
}

// doubleLogin reports whether the login of s was superseded by one of the same
// user and by nothing else: what s had loaded was theirs as well. A change of
// privilege meanwhile may have taken something away.
func (s *Session) doubleLogin(t *Session) bool {
	return t.rec.User == s.user && t.in.gen.chain == s.in.gen.chain+1 && t.in.loginAt != s.in.loginAt
}

// rescue is for a request whose stored session is no longer its own. A login
// begins a fresh one, with what was loaded or without; so does who has changed the
// credentials that have ended the session, with it.
func (s *Session) rescue(why error, whole bool) (*Session, error) {
	switch {
	case s.login || whole:
		fresh := s.m.New(s.req)
		fresh.owned = true
		fresh.user, fresh.lifetime, fresh.login, fresh.remember, fresh.proof = s.user, s.lifetime, true, s.remember, s.proofAlone()
		if !whole {
			return fresh, fresh.replayAlone(s)
		}
		fresh.cur, fresh.marks = s.cur.copied(), slices.Clone(s.marks)
		return fresh, nil
	case s.quiet || s.Changed():
		return nil, why
	}
	return nil, nil
}

// Fold replays on t what s changed since it was loaded. Both are views of one
// session; t is the newer one, and unchanged where Fold fails. The names in
// Session.Again of t are then to be computed anew, by the program of s.
func (m *Machine) Fold(t, s *Session) error {
	if !s.ticket.trusted && t.in.gen.chain != s.in.gen.chain {
		return ErrSuperseded
	}
	before := *t
	t.owned, t.marks = false, slices.Clone(t.marks) // the next change copies: before stays whole
	if err := m.fold(t, s, false); err != nil {
		*t = before
		return err
	}
	t.owned = t.owned || before.owned // also where the replay came to nothing: the values are t's own as before
	return nil
}

// fold replays s on t. With marks, t goes on in the place of s.
func (m *Machine) fold(t, s *Session, marks bool) (err error) {
	if s.login && t.user != "" && t.user != s.user {
		t.startOver() // another user has signed in meanwhile: nothing of theirs is carried
		err = t.replayAlone(s)
	} else {
		err = t.replay(s, marks)
	}
	if err != nil {
		return err
	}
	if s.login {
		t.user, t.lifetime, t.login, t.remember, t.proof = s.user, s.lifetime, true, s.remember, nil
	}
	if s.proof != nil {
		t.proof = s.proof.over(t.proof)
	}
	if s.relimit {
		t.lifetime, t.relimit, t.remember = s.lifetime, true, s.remember
	}
	t.renew = t.renew || s.renew
	t.refresh = t.refresh || s.refresh
	return nil
}

// FoldsPlainly reports whether another request's commit can carry this one's
// changes along: there are only values and refreshes in it, and no cookie.
func (s *Session) FoldsPlainly() bool {
	return s.state == StateActive && !s.login && !s.renew && s.proof == nil && !s.relimit && !s.refresh && !s.behind &&
		(s.owned || s.quiet) && s.replaces.IsZero()
}

// replay makes the changes of another view of this session.
func (t *Session) replay(s *Session, marks bool) error {
	for i := range s.marks {
		if err := t.replayOne(s, &s.marks[i], marks); err != nil {
			return err
		}
	}
	return nil
}

func (t *Session) replayOne(s *Session, m *mark, marks bool) error {
	before, _ := s.stored(m.name)
	theirs, _ := t.Value(m.name)
	next := *m
	moved := !bytes.Equal(before, theirs)
	next.stale = m.stale || moved
	var err error
	switch m.did {
	case didRead, didDrop:
	case didPut:
		next.stale = false
		err = t.replayPut(s, m, before, theirs)
	case didAdd:
		err = t.replayAdd(m, moved, theirs)
	case didUpdate:
		next.again = moved || m.again
		err = t.replayUpdate(s, m, next.again, theirs)
	}
	if e, ok := err.(*ConflictError); ok && s.login {
		next, err = mark{name: e.Name, did: didDrop}, nil
	}
	if err == nil && (marks || next.again || next.did == didDrop) {
		*t.mark(m.name) = next
	}
	return err
}

func (t *Session) replayPut(s *Session, m *mark, before, theirs []byte) error {
	p := &t.m.policy
	after, _ := s.Value(m.name)
	if m.stale || !bytes.Equal(before, theirs) {
		var merged []byte
		fits := false
		if !m.stale {
			merged, fits = merge(p.Merge[m.name], before, theirs, after)
		}
		switch {
		case p.exclusive(m.name):
			return &ConflictError{m.name}
		case fits:
			after = merged
		case m.read && !p.lastWins(m.name) && !bytes.Equal(after, theirs):
			return &ConflictError{m.name}
		}
	}
	if after == nil {
		t.remove(m.name)
		return nil
	}
	return t.replace(m.name, after)
}

// replayAdd adds the difference to what is there now.
func (t *Session) replayAdd(m *mark, moved bool, theirs []byte) error {
	value, _, ok := addTo(theirs, m.delta)
	if !ok || moved && t.m.policy.exclusive(m.name) {
		return &ConflictError{m.name}
	}
	return t.replace(m.name, value)
}

// replayUpdate keeps what was computed where that is of the same value, and else
// leaves what is there now to be computed from.
func (t *Session) replayUpdate(s *Session, m *mark, again bool, theirs []byte) error {
	switch {
	case !again:
		value, _ := s.Value(m.name)
		return t.replace(m.name, value)
	case t.m.policy.exclusive(m.name):
		return &ConflictError{m.name}
	case m.delta != 0: // added before the update
		return t.replayAdd(m, false, theirs)
	}
	return nil
}

// replayAlone makes the changes of s on a session that has nothing of its values.
func (t *Session) replayAlone(s *Session) error {
	for i := range s.marks {
		m := &s.marks[i]
		var err error
		switch value, ok := s.Value(m.name); m.did {
		case didPut:
			if ok {
				err = t.SetValue(m.name, value)
			}
		case didAdd:
			err = t.replayAdd(m, false, nil)
		case didUpdate:
			err = t.replayUpdate(s, m, true, nil)
			t.mark(m.name).did, t.mark(m.name).again = didUpdate, true
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// For returns s, a session that another request's commit has stored, as the
// view of the request whose changes went along in it.
func (s *Session) For(other *Session) *Session {
	view := s.Clone()
	view.req, view.ticket, view.quiet = other.req, other.ticket, other.quiet
	view.behind = !view.ticket.trusted && view.ticket.gen.step < view.in.gen.step
	view.carry(other)
	return view
}

// Knowing returns s, which a commit for other has stored, with what the program
// of other has read.
func (s *Session) Knowing(other *Session) *Session {
	view := s.Clone()
	view.carry(other)
	return view
}

// Applied tells from a stored record whether a save is in it whose answer was
// lost: the version it wrote, in place of prev. Not known means that the
// record has been replaced too often since.
func (m *Machine) Applied(theirs *Record, version, prev Version, now Time) (applied, known bool, err error) {
	if theirs.Version == version || theirs.Version == prev {
		return theirs.Version == version, true, nil
	}
	var p payload
	if _, err := m.ring.openRecord(theirs, &p, now); err != nil {
		return false, false, err
	}
	applied, whole := p.follows(version)
	if !applied && !whole {
		whole, _ = p.follows(prev)
	}
	return applied, whole, nil
}
