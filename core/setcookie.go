package core

import "strings"

// setCookie returns the Set-Cookie field values that give the browser a value,
// or take it away when it is empty, and expire the cookie at former scopes.
func (m *Machine) setCookie(value string, maxAge Time) []string {
	p := &m.policy
	fields := make([]string, 0, 1+len(p.FormerScopes))
	fields = append(fields, m.cookieField(value, Scope{p.CookiePath, p.CookieDomain}, maxAge))
	for _, s := range p.FormerScopes {
		fields = append(fields, m.cookieField("", s, 0))
	}
	return fields
}

// persistentUntilClosed leaves Max-Age out: the browser forgets the cookie
// when it is closed.
const untilClosed Time = -1

func (m *Machine) cookieField(value string, s Scope, maxAge Time) string {
	p := &m.policy
	var b strings.Builder
	b.Grow(len(p.CookieName) + len(value) + len(s.Path) + len(s.Domain) + 96)
	b.WriteString(p.CookieName)
	b.WriteByte('=')
	b.WriteString(value)
	b.WriteString("; Path=")
	b.WriteString(s.Path)
	if s.Domain != "" {
		b.WriteString("; Domain=")
		b.WriteString(strings.TrimPrefix(s.Domain, "."))
	}
	if maxAge != untilClosed {
		b.WriteString("; Max-Age=")
		b.WriteString(decimal(int((maxAge + Second - 1) / Second)))
	}
	if !p.AllowScripts {
		b.WriteString("; HttpOnly")
	}
	if !p.AllowInsecure {
		b.WriteString("; Secure")
	}
	b.WriteString([...]string{"; SameSite=Lax", "; SameSite=Strict", "; SameSite=None"}[p.SameSite])
	if p.Partitioned {
		b.WriteString("; Partitioned")
	}
	return b.String()
}

// ClearCookie returns the Set-Cookie field values that remove the cookie from
// the browser, wherever it was set.
func (m *Machine) ClearCookie() []string { return m.setCookie("", 0) }

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
	if s.state != StateActive || s.ticket.secret == [32]byte{} || s.behind {
		return nil, nil
	}
	value, err := m.sealCookie(&s.ticket, s.rec.Tenant, now, &seed)
	if err != nil {
		return nil, err
	}
	return m.setCookie(value, m.maxAge(s, now)), nil
}
