package core

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
	outdated bool   // ended because of the user's credentials
	marks    []mark // in the order of names
	proof    *proving
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

// Chain is the number of the chain of secrets, which a login and a change of privilege
// begin anew: the secrets of an earlier chain open nothing.
func (s *Session) Chain() uint32 { return s.in.gen.chain }

// Behind reports whether the secret that was shown is the one before the current,
// in its grace.
func (s *Session) Behind() bool { return s.behind }

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
