package core

// Login is LoginWith a lifetime alone.
func (s *Session) Login(user string, lifetime Time) error {
	return s.LoginWith(user, Login{Lifetime: lifetime})
}

// LoginWith signs user in. It always makes a new
// secret: whoever holds the old cookie has nothing. Values stay when nobody or
// the same user was signed in; otherwise the old session ends and one with a
// new ID and no values begins.
func (s *Session) LoginWith(user string, l Login) error {
	if user == "" || !validName(user) {
		return ErrBadUser
	}
	if l.Lifetime < 0 || l.Lifetime > s.m.policy.MaxLifetime {
		return ErrLifetime
	}
	proof, err := l.proving(s.rec.Tenant, user)
	if err != nil {
		return err
	}
	if s.req.SignIn && s.state == StateActive && s.user != user {
		return ErrIPFamily // whoever shows it may have stolen it: it neither changes hands nor ends
	}
	if err := s.state.step(verbLogin); err != nil {
		return err
	}
	s.req.SignIn = false
	if s.user != "" && s.user != user {
		s.startOver()
	}
	s.user, s.lifetime, s.login, s.remember, s.proof = user, l.Lifetime, true, l.Lifetime != 0, proof
	return nil
}

// startOver makes this view a new session in place of the stored one.
func (s *Session) startOver() {
	fresh := Session{m: s.m, req: s.req, rec: Record{Tenant: s.rec.Tenant}, owned: true, replaces: s.replaces}
	if s.state == StateActive {
		fresh.replaces = s.rec.ID
	}
	*s = fresh
}

// Renew makes a new secret at a change of privilege, with no grace for the old.
func (s *Session) Renew() error {
	if err := s.state.step(verbRenew); err != nil {
		return err
	}
	s.renew = true
	return nil
}

// Refresh moves the deadline to a whole lifetime from now, never back and
// never past MaxLifetime since the login.
func (s *Session) Refresh() error {
	if err := s.state.step(verbRefresh); err != nil {
		return err
	}
	s.refresh = true
	return nil
}

// SetLifetime gives the session a lifetime of its own, from now on, which
// refreshes keep, and remembers its visitor: see Policy.EndWithBrowser.
func (s *Session) SetLifetime(lifetime Time) error {
	if lifetime <= 0 || lifetime > s.m.policy.MaxLifetime {
		return ErrLifetime
	}
	if err := s.state.step(verbRefresh); err != nil {
		return err
	}
	s.lifetime, s.relimit, s.remember = lifetime, true, true
	return nil
}

// Keep has a new session stored even with nothing in it, under an ID that is
// drawn now, for the whole of Policy.Lifetime also without a user.
func (s *Session) Keep(seed Seed) error {
	if seed.isZero() {
		return ErrSeed
	}
	if err := s.state.step(verbRefresh); err != nil {
		return err
	}
	s.keep, s.lifetime, s.relimit = true, s.m.policy.Lifetime, true
	if s.rec.ID.IsZero() {
		s.rec.ID = seed.id()
	}
	return nil
}

// Quiet returns a view of the same stored session with nothing of what this
// request did. A commit of it stores values and nothing else: it notes no use,
// renews nothing and sets no cookie.
func (s *Session) Quiet() *Session {
	q := *s
	q.MakeQuiet()
	return &q
}

// MakeQuiet is Quiet in place: what the request did is dropped.
func (s *Session) MakeQuiet() {
	s.cur, s.owned, s.marks = s.in.data, false, nil
	s.user, s.lifetime, s.remember, s.replaces = s.rec.User, s.in.lifetime, s.in.remembered(&s.m.policy), ID{}
	s.old, s.login, s.renew, s.refresh, s.relimit, s.keep, s.quiet = false, false, false, false, false, false, true
	s.proof = nil
}

// End ends the session for good: it is never refused.
func (s *Session) End() { s.state = transitions[s.state][verbEnd] }
