package core

// Identify reads the session cookies among the Cookie header fields of one
// request: browsers also send cookies of former paths and domains, and those
// that a neighbouring host has set. It returns the authentic ones, newest first
// and one for each session, of MaxCookies sessions at most. Without any it returns
// the Refusal that says why. Cookies that do not open do not count towards
// MaxCookies; MaxCookieBytes bounds how many are tried. It never asks a store.
func (m *Machine) Identify(cookies []string, tenant string, now Time) ([]Ticket, error) {
	return m.ring.identify(cookies, m.policy.CookieName, tenant, now)
}

// Inspect opens one value of the session cookie and returns what is in it. Of a
// value that Identify refuses it returns what can be read, and the refusal as the
// error. It asks no store, so an authentic cookie may be of a session that has ended.
func (m *Machine) Inspect(value, tenant string, now Time) (Inspection, error) {
	return m.ring.inspect(m.policy.CookieName, value, tenant, now)
}

// ClearCookie returns the Set-Cookie field values that remove the cookie from
// the browser, wherever it was set. https says how the request came, for
// Policy.SecureByRequest.
func (m *Machine) ClearCookie(https bool) []string {
	p := &m.policy
	return p.expireFormer(p.expire(nil, Scope{p.CookiePath, p.CookieDomain}, https), https)
}

// Cookie returns the Set-Cookie field values for a session as it is stored,
// for hosts whose program sets the cookie by hand. It is empty for a session
// whose secret is not at hand, such as one loaded by its ID.
func (m *Machine) Cookie(s *Session, now Time, seed Seed) ([]string, error) {
	if seed.isZero() {
		return nil, ErrSeed
	}
	if s.state != StateActive || s.ticket.secret == nil || s.behind {
		return nil, nil
	}
	return m.policy.giveCookie(m.ring, &s.ticket, s.req.HTTPS, s.rec.Tenant, m.maxAge(s, now), now, &seed)
}

// maxAge follows the deadline, so that a touch needs no cookie.
func (m *Machine) maxAge(s *Session, now Time) Time {
	if m.policy.EndWithBrowser && !s.remember {
		return untilClosed
	}
	return max(s.in.deadline-now, 0)
}
