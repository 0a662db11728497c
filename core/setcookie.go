package core

import "strings"

// untilClosed leaves Max-Age out: the browser forgets the cookie when it is
// closed.
const untilClosed Time = -1

// fieldRoom is what a Set-Cookie field takes beside its path and domain.
const fieldRoom = 256

// giveCookie returns the Set-Cookie field values that give the browser a
// sealed ticket and expire the cookie at former scopes.
func (m *Machine) giveCookie(t *Ticket, q *Request, tenant string, maxAge, now Time, seed *Seed) ([]string, error) {
	https := q.HTTPS
	p := &m.policy
	b := append(make([]byte, 0, fieldRoom+len(p.CookiePath)+len(p.CookieDomain)), p.CookieName...)
	b, err := m.appendCookie(append(b, '='), t, tenant, now, seed)
	if err != nil {
		return nil, err
	}
	b = m.appendAttributes(b, Scope{p.CookiePath, p.CookieDomain}, maxAge, https)
	return m.expireFormer([]string{string(b)}, https), nil
}

// ClearCookie returns the Set-Cookie field values that remove the cookie from
// the browser, wherever it was set. https says how the request came, for
// Policy.SecureByRequest.
func (m *Machine) ClearCookie(https bool) []string {
	return m.expireFormer([]string{m.expired(Scope{m.policy.CookiePath, m.policy.CookieDomain}, https)}, https)
}

func (m *Machine) expireFormer(fields []string, https bool) []string {
	for _, s := range m.policy.FormerScopes {
		fields = append(fields, m.expired(s, https))
	}
	return fields
}

func (m *Machine) expired(s Scope, https bool) string {
	return string(m.appendAttributes([]byte(m.policy.CookieName+"="), s, 0, https))
}

func (m *Machine) appendAttributes(b []byte, s Scope, maxAge Time, https bool) []byte {
	p := &m.policy
	b = append(append(b, "; Path="...), s.Path...)
	if s.Domain != "" {
		b = append(append(b, "; Domain="...), strings.TrimPrefix(s.Domain, ".")...)
	}
	if maxAge != untilClosed {
		b = append(append(b, "; Max-Age="...), decimal(int((maxAge+Second-1)/Second))...)
	}
	if !p.AllowScripts {
		b = append(b, "; HttpOnly"...)
	}
	if !p.AllowInsecure && (https || !p.SecureByRequest) {
		b = append(b, "; Secure"...)
	}
	b = append(b, [...]string{"; SameSite=Lax", "; SameSite=Strict", "; SameSite=None"}[p.SameSite]...)
	if p.Partitioned {
		b = append(b, "; Partitioned"...)
	}
	return b
}

// maxAge follows the deadline, so that a touch needs no cookie.
func (m *Machine) maxAge(s *Session, now Time) Time {
	if m.policy.EndWithBrowser && !s.remember {
		return untilClosed
	}
	return max(s.in.deadline-now, 0)
}

// Cookie returns the Set-Cookie field values for a session as it is stored,
// for hosts whose program sets the cookie by hand. It is empty for a session
// whose secret is not at hand, such as one loaded by its ID.
func (m *Machine) Cookie(s *Session, now Time, seed Seed) ([]string, error) {
	if seed.isZero() {
		return nil, ErrSeed
	}
	if s.state != StateActive || s.ticket.secret == [32]byte{} || s.behind {
		return nil, nil
	}
	return m.giveCookie(&s.ticket, &s.req, s.rec.Tenant, m.maxAge(s, now), now, &seed)
}
