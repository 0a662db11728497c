package core

import "strings"

// untilClosed leaves Max-Age out: the browser forgets the cookie when it is
// closed.
const untilClosed Time = -1

// fieldRoom is what a Set-Cookie field takes beside its path and domain.
const fieldRoom = 256

// giveCookie returns the Set-Cookie field values that give the browser a
// sealed ticket and expire the cookie at former scopes.
func (m *Machine) giveCookie(t *Ticket, tenant string, maxAge, now Time, seed *Seed) ([]string, error) {
	p := &m.policy
	b := append(make([]byte, 0, fieldRoom+len(p.CookiePath)+len(p.CookieDomain)), p.CookieName...)
	b, err := m.appendCookie(append(b, '='), t, tenant, now, seed)
	if err != nil {
		return nil, err
	}
	b = m.appendAttributes(b, Scope{p.CookiePath, p.CookieDomain}, maxAge)
	return m.expireFormer([]string{string(b)}), nil
}

// ClearCookie returns the Set-Cookie field values that remove the cookie from
// the browser, wherever it was set.
func (m *Machine) ClearCookie() []string {
	return m.expireFormer([]string{m.expired(Scope{m.policy.CookiePath, m.policy.CookieDomain})})
}

func (m *Machine) expireFormer(fields []string) []string {
	for _, s := range m.policy.FormerScopes {
		fields = append(fields, m.expired(s))
	}
	return fields
}

func (m *Machine) expired(s Scope) string {
	return string(m.appendAttributes([]byte(m.policy.CookieName+"="), s, 0))
}

func (m *Machine) appendAttributes(b []byte, s Scope, maxAge Time) []byte {
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
	if !p.AllowInsecure {
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
	if m.policy.EndWithBrowser && s.in.lifetime <= m.policy.Lifetime {
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
	if s.state != StateActive || s.ticket.secret == nil || s.behind {
		return nil, nil
	}
	return m.giveCookie(&s.ticket, s.rec.Tenant, m.maxAge(s, now), now, &seed)
}
