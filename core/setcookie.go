package core

import "strings"

// untilClosed leaves Max-Age out: the browser forgets the cookie when it is
// closed.
const untilClosed Time = -1

// fieldRoom is what a Set-Cookie field takes beside its path and domain.
const fieldRoom = 256

// giveCookie returns the Set-Cookie field values that give the browser a
// sealed ticket and expire the cookie's other kind and former scopes.
func (m *Machine) giveCookie(t *Ticket, q *Request, tenant string, maxAge, now Time, seed *Seed) ([]string, error) {
	p := &m.policy
	b := append(make([]byte, 0, fieldRoom+len(p.CookiePath)+len(p.CookieDomain)), p.CookieName...)
	b, err := m.appendCookie(append(b, '='), t, tenant, now, seed)
	if err != nil {
		return nil, err
	}
	scope := Scope{p.CookiePath, p.CookieDomain}
	b = m.appendAttributes(b, scope, maxAge, q.HTTPS, p.Partitioned)
	return m.expireFormer(append(m.expireOtherKind(nil, scope, q.HTTPS), string(b)), q.HTTPS), nil
}

// ClearCookie returns the Set-Cookie field values that remove the cookie from
// the browser, wherever it was set. https says how the request came, for
// Policy.SecureByRequest.
func (m *Machine) ClearCookie(https bool) []string {
	return m.expireFormer(m.expire(nil, Scope{m.policy.CookiePath, m.policy.CookieDomain}, https), https)
}

func (m *Machine) expireFormer(fields []string, https bool) []string {
	for _, s := range m.policy.FormerScopes {
		fields = m.expire(fields, s, https)
	}
	return fields
}

func (m *Machine) expire(fields []string, s Scope, https bool) []string {
	return append(m.expireOtherKind(fields, s, https), m.expired(s, https, m.policy.Partitioned))
}

// expireOtherKind removes what is left of a policy that had Partitioned
// otherwise: browsers keep a partitioned cookie and one that is not side by
// side, and the one that is renewed no more would come back as if it were
// stolen. Only with SameSite=None is a partitioned cookie of any use. The field
// stands before the one that sets the cookie, since a browser that does not
// know Partitioned takes both for one.
func (m *Machine) expireOtherKind(fields []string, s Scope, https bool) []string {
	if !m.policy.Partitioned && m.policy.SameSite != SameSiteNone {
		return fields
	}
	return append(fields, m.expired(s, https, !m.policy.Partitioned))
}

func (m *Machine) expired(s Scope, https, partitioned bool) string {
	return string(m.appendAttributes([]byte(m.policy.CookieName+"="), s, 0, https, partitioned))
}

func (m *Machine) appendAttributes(b []byte, s Scope, maxAge Time, https, partitioned bool) []byte {
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
	if partitioned {
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
	if s.state != StateActive || s.ticket.secret == nil || s.behind {
		return nil, nil
	}
	return m.giveCookie(&s.ticket, &s.req, s.rec.Tenant, m.maxAge(s, now), now, &seed)
}
