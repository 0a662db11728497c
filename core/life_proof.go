package core

// Login says how a user signs in.
type Login struct {
	Lifetime Time     // 0: the policy's, and the user is not remembered: see Policy.EndWithBrowser
	Stamp    Secret   // of the credentials that the program has verified; none: none is kept
	Methods  []string // by which the user has proved who they are, such as "pwd" (RFC 8176); in any order
}

// proving is what a request has noted of its user. It is not changed once it is made.
type proving struct {
	stamp     [32]byte // to be kept; zeros: none was given
	adopt     bool     // the stamp is kept only where there is none
	confirmed bool     // the methods count, and the time
	at        Time     // of the proof; 0: the commit
	methods   []byte
}

// over returns what both have noted, where p came later.
func (p *proving) over(before *proving) *proving {
	switch {
	case before == nil:
		return p
	case p.adopt:
		return before
	}
	both := *p
	if both.stamp == noStamp {
		both.stamp, both.adopt = before.stamp, before.adopt
	}
	if !both.confirmed {
		both.confirmed, both.at, both.methods = before.confirmed, before.at, before.methods
	}
	return &both
}

// proving returns what a login notes, or nil.
func (l *Login) proving(tenant, user string) (*proving, error) {
	stamp := l.Stamp.Bytes()
	if len(stamp) > MaxStamp {
		return nil, ErrStamp
	}
	methods, err := joined(l.Methods)
	if err != nil {
		return nil, err
	}
	if len(stamp) == 0 && len(methods) == 0 {
		return nil, nil
	}
	p := &proving{confirmed: true, methods: methods}
	if len(stamp) > 0 {
		p.stamp = stampOf(tenant, user, string(stamp))
	}
	return p, nil
}

// Outdate ends the session because the credentials of its user have changed. Unlike
// End it ends only what was loaded: where another request has stored the session
// meanwhile, Commit's save meets a conflict, and the host judges what is stored then.
// For SupersededHold its cookie is refused with ErrCredentialsChanged.
func (s *Session) Outdate() {
	s.outdated = s.outdated || s.state == StateActive
	s.End()
}

func (m *Machine) commitOutdated(s *Session, now Time, seed *Seed) (Effects, error) {
	r := &Record{ID: s.rec.ID, Version: seed.version(), Tenant: s.rec.Tenant}
	p := &payload{outdated: true, versions: s.in.withVersion(s.rec.Version)}
	if err := m.trace(r, p, now, seed); err != nil {
		return Effects{}, err
	}
	return Effects{Save: r, Prev: s.rec.Version, Did: DidEnd, Next: s}, nil
}

// prove notes how and when the user has proved who they are.
func (d *draft) prove() {
	s, p := d.s, d.s.proof
	if !s.login && p == nil {
		return
	}
	at, _, methods := s.in.proven()
	if s.login {
		at, methods = d.now, nil
	}
	if p != nil && p.confirmed {
		at, methods = p.at, p.methods
		if at == 0 {
			at = d.now
		}
	}
	stamp := s.stamp()
	if d.next.proof = nil; *stamp != noStamp || len(methods) > 0 || at != d.next.loginAt {
		d.next.proof = appendProof(d.next.loginAt, at, stamp, methods)
	}
}

// proofAlone is what goes along to a session that begins in the place of this one:
// also of what was known of the user before, where they did not sign in anew.
func (s *Session) proofAlone() *proving {
	if s.login || s.proof == nil || s.proof.confirmed {
		return s.proof
	}
	p := *s.proof
	at, _, methods := s.in.proven()
	p.confirmed, p.at, p.methods = true, at, methods
	return &p
}
