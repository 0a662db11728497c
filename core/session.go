package core

import "unicode/utf8"

// Session is one request's view of a session: what was loaded and what this
// request did. It is not safe for concurrent use. Nothing is stored until
// Commit's effects are carried out.
type Session struct {
	m        *Machine
	state    State
	rec      Record  // as loaded or stored; Version NoVersion if it is neither
	in       payload // of rec
	cur      values  // in.data with this request's changes; in.data's memory until owned
	owned    bool
	req      Request
	ticket   Ticket
	behind   bool // the previous secret was shown, in its grace
	old      bool // sealed under a former key or format
	replaces ID   // a session of another user that the login ends
	user     string
	lifetime Time // own, 0: the policy's
	login    bool
	renew    bool
	refresh  bool
	relimit  bool   // lifetime was set
	remember bool   // the cookie outlives the browser, whatever EndWithBrowser says
	keep     bool   // to be stored also when empty
	quiet    bool   // no use is noted and no cookie set
	marks    []mark // in the order of names
}

// ID returns the session's ID; zero while a new one has none.
func (s *Session) ID() ID { return s.rec.ID }

// State returns the session's state.
func (s *Session) State() State { return s.state }

// Version returns the stored version that this view is of.
func (s *Session) Version() Version { return s.rec.Version }

// Tenant returns the tenant that the session belongs to.
func (s *Session) Tenant() string { return s.rec.Tenant }

// User returns who is signed in, or nothing.
func (s *Session) User() string { return s.user }

// CreatedAt returns when the session began; zero while it is new.
func (s *Session) CreatedAt() Time { return s.rec.CreatedAt }

// SeenAt returns the last use that was written.
func (s *Session) SeenAt() Time { return s.rec.SeenAt }

// Deadline returns the end of the lifetime, whatever the use.
func (s *Session) Deadline() Time { return s.in.deadline }

// ExpiresAt returns when the session ends without further use: the deadline
// or the idle limit, whichever is earlier.
func (s *Session) ExpiresAt() Time { return s.rec.ExpiresAt }

// LoginAt returns when the user signed in; zero if nobody has.
func (s *Session) LoginAt() Time { return s.in.loginAt }

// IP returns the address of the creating request: 0, 4 or 16 bytes.
func (s *Session) IP() string { return string(s.in.ip) }

// UserAgent returns the user agent of the creating request.
func (s *Session) UserAgent() string { return string(s.in.userAgent) }

// LastIP returns the address of the last use that was written.
func (s *Session) LastIP() string { return string(s.in.lastIP) }

// LastUserAgent returns the user agent of the last use that was written.
func (s *Session) LastUserAgent() string { return string(s.in.lastUserAgent) }

// Size returns the bytes of all names and values, which SessionSize bounds.
func (s *Session) Size() int { return s.cur.size }

// Len returns how many values there are.
func (s *Session) Len() int { return s.cur.len() }

// Names returns the names of all values, ordered by length, then bytes.
func (s *Session) Names() []string {
	names := make([]string, s.cur.len())
	for i := range names {
		names[i] = string(s.cur.item(i).name)
	}
	return names
}

// Value returns the CBOR of a value. It is not to be changed.
func (s *Session) Value(name string) (value []byte, ok bool) {
	return s.cur.value(name)
}

// SetValue keeps a value, deterministic CBOR as AppendValue makes it. The
// bytes are the session's from now on.
func (s *Session) SetValue(name string, value []byte) error {
	if err := s.replace(name, value); err != nil {
		return err
	}
	s.wrote(name)
	return nil
}

// replace keeps a value, whatever it is made of.
func (s *Session) replace(name string, value []byte) error {
	if !validValueName(name) {
		return ErrValueName
	}
	if err := CheckValue(value); err != nil {
		return err
	}
	size := s.cur.size + len(value)
	if old, ok := s.Value(name); ok {
		size -= len(old)
	} else {
		size += itemOverhead + len(name)
	}
	if size > s.m.policy.SessionSize && size > s.cur.size { // a limit that was lowered later refuses growth alone
		return &SizeError{name, size, s.m.policy.SessionSize}
	}
	if err := s.state.step(verbChange); err != nil {
		return err
	}
	s.own()
	s.cur.set(name, value)
	return nil
}

func validValueName(name string) bool {
	return name != "" && len(name) <= MaxNameLength && utf8.ValidString(name)
}

// DeleteValue removes a value; a missing one is no error.
func (s *Session) DeleteValue(name string) error {
	if err := s.state.step(verbChange); err != nil {
		return err
	}
	s.remove(name)
	if validValueName(name) {
		s.wrote(name)
	}
	return nil
}

func (s *Session) remove(name string) {
	if at, ok := s.cur.find(name); ok {
		s.own()
		s.cur.remove(at)
	}
}

// restore makes a value what it was, or none: that fitted before.
func (s *Session) restore(name string, value []byte, ok bool) {
	s.remove(name)
	if !ok {
		return
	}
	s.own()
	s.cur.set(name, value)
}

// stored returns a value as it was loaded or stored last.
func (s *Session) stored(name string) (value []byte, ok bool) {
	return s.in.data.value(name)
}

// ClearValues removes every value that this view shows.
func (s *Session) ClearValues() error {
	if err := s.state.step(verbChange); err != nil {
		return err
	}
	for i := range s.cur.len() {
		s.wrote(string(s.cur.item(i).name))
	}
	s.cur, s.owned = values{}, true
	return nil
}

func (s *Session) own() {
	if !s.owned {
		s.cur, s.owned = s.cur.copied(), true
	}
}

// Login signs user in, for lifetime (0: the policy's, and the user is not
// remembered: see Policy.EndWithBrowser). It always makes a new
// secret: whoever holds the old cookie has nothing. Values stay when nobody or
// the same user was signed in; otherwise the old session ends and one with a
// new ID and no values begins.
func (s *Session) Login(user string, lifetime Time) error {
	if user == "" || !validName(user) {
		return ErrBadUser
	}
	if lifetime < 0 || lifetime > s.m.policy.MaxLifetime {
		return ErrLifetime
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
	s.user, s.lifetime, s.login, s.remember = user, lifetime, true, lifetime != 0
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
}

// End ends the session for good: it is never refused.
func (s *Session) End() { s.state = transitions[s.state][verbEnd] }

// wholeLifetime is what the session gets from one login or refresh.
func (s *Session) wholeLifetime() Time {
	switch p := &s.m.policy; {
	case s.lifetime != 0:
		return s.lifetime
	case s.user != "":
		return p.Lifetime
	default:
		return p.AnonymousLifetime
	}
}

// counts reports whether this request is a use of the session: a visitor's
// are, a program's only when it refreshes.
func (s *Session) counts() bool { return !s.quiet && (!s.ticket.trusted || s.refresh) }

// touchDue is when the use of the session is to be noted anew: at most sixteen
// times in an idle timeout. A record sealed under a former key or format is
// written at once.
func (s *Session) touchDue() Time {
	switch {
	case s.old:
		return always
	case !s.counts():
		return never
	}
	quantum := (s.m.policy.IdleTimeout + 15) / 16
	if s.m.policy.IdleTimeout == 0 {
		quantum = min(s.wholeLifetime()/16, Hour)
	}
	return s.rec.SeenAt + quantum
}

// Changed reports whether this request did anything that a commit must store.
func (s *Session) Changed() bool {
	return s.login || s.renew || s.refresh || s.relimit || s.owned && !sameValues(&s.in.data, &s.cur) || s.toUpdate()
}
