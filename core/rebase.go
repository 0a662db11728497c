package core

import "bytes"

// Rebase replays what s changed on the record that another request stored
// meanwhile, name by name, after Commit's save met a conflict. A nil theirs
// says that the session is gone. It returns the session to commit next; or
// nothing at all when this request changed nothing that still needs storing;
// or the error that its caller must hear:
//
//   - ErrEnded: the session has ended, and the changes are not stored;
//   - ErrSuperseded: a login or privilege change has replaced the secret that
//     this request came with, and its changes are refused;
//   - ErrConflict: a name in Policy.Exclusive has changed underneath.
//
// A login never fails here: it begins a fresh session instead, with this
// request's changes and nothing of the stored record.
func (m *Machine) Rebase(s *Session, theirs *Record, now Time) (*Session, error) {
	if theirs == nil || theirs.ID != s.rec.ID {
		return s.rescue(ErrEnded)
	}
	t := &Session{m: m, state: StateActive, rec: *theirs, req: s.req, ticket: s.ticket}
	old, err := m.openRecord(theirs, &t.in, now)
	if err != nil {
		return nil, err
	}
	if err := t.live(now); err != nil {
		return s.rescue(ErrEnded)
	}
	if !s.ticket.trusted && s.state != StateNew && t.in.gen.chain != s.in.gen.chain {
		return s.rescue(ErrSuperseded)
	}
	t.old = old
	t.behind = !t.ticket.trusted && t.ticket.gen.step < t.in.gen.step
	t.cur, t.size = t.in.data, sizeOf(t.in.data)
	t.user, t.lifetime = theirs.User, t.in.lifetime
	if err := m.Fold(t, s); err != nil {
		return nil, err
	}
	return t, nil
}

// rescue is for a request whose stored session is no longer its own.
func (s *Session) rescue(why error) (*Session, error) {
	switch {
	case s.login:
		fresh := s.m.New(s.req)
		fresh.owned = true
		fresh.user, fresh.lifetime, fresh.login = s.user, s.lifetime, true
		err := eachChange(s.in.data, s.cur, func(name, _, after []byte) error {
			if after == nil {
				return nil
			}
			return fresh.SetValue(string(name), after)
		})
		return fresh, err
	case s.Changed():
		return nil, why
	}
	return nil, nil
}

// Fold replays on t what s changed since it was loaded. Both are views of one
// session; t is the newer one, and unchanged where Fold fails.
func (m *Machine) Fold(t, s *Session) error {
	if !s.ticket.trusted && t.in.gen.chain != s.in.gen.chain {
		return ErrSuperseded
	}
	before := *t
	if s.login && t.user != "" && t.user != s.user {
		t.startOver() // another user has signed in meanwhile: nothing of theirs is carried
	}
	if s.owned {
		t.owned = false // the next change copies: before stays whole
		if err := eachChange(s.in.data, s.cur, t.replay); err != nil {
			*t = before
			return err
		}
		t.owned = t.owned || before.owned // also where the replay came to nothing: the values are t's own as before
	}
	if s.login {
		t.user, t.lifetime, t.login = s.user, s.lifetime, true
	}
	if s.relimit {
		t.lifetime, t.relimit = s.lifetime, true
	}
	t.renew = t.renew || s.renew
	t.refresh = t.refresh || s.refresh
	return nil
}

// FoldsPlainly reports whether another request's commit can carry this one's
// changes along: there are only values and refreshes in it, and no cookie.
func (s *Session) FoldsPlainly() bool {
	return s.state == StateActive && !s.login && !s.renew && !s.relimit && !s.refresh && !s.behind &&
		s.owned && s.replaces.IsZero()
}

// replay makes one change of another view of this session.
func (t *Session) replay(rawName, before, after []byte) error {
	name := string(rawName)
	theirs, _ := t.Value(name)
	if !bytes.Equal(before, theirs) {
		for _, n := range t.m.policy.Exclusive {
			if n == name {
				return ErrConflict
			}
		}
		if kind := t.m.policy.Merge[name]; kind != 0 {
			if merged, ok := merge(kind, before, theirs, after); ok {
				after = merged
			}
		}
	}
	if after == nil {
		return t.DeleteValue(name)
	}
	return t.SetValue(name, after)
}

// For returns s, a session that another request's commit has stored, as the
// view of the request whose changes went along in it.
func (s *Session) For(other *Session) *Session {
	view := *s
	view.req, view.ticket = other.req, other.ticket
	view.behind = !view.ticket.trusted && view.ticket.gen.step < view.in.gen.step
	return &view
}

// Applied tells from a stored record whether a save is in it whose answer was
// lost: the version it wrote, in place of prev. Not known means that the
// record has been replaced too often since.
func (m *Machine) Applied(theirs *Record, version, prev Version, now Time) (applied, known bool, err error) {
	if theirs.Version == version || theirs.Version == prev {
		return theirs.Version == version, true, nil
	}
	var p payload
	if _, err := m.openRecord(theirs, &p, now); err != nil {
		return false, false, err
	}
	applied, whole := p.follows(version)
	if !applied && !whole {
		whole, _ = p.follows(prev)
	}
	return applied, whole, nil
}
