package core

import "strings"

// untilClosed leaves Max-Age out: the browser forgets the cookie when it is
// closed.
const untilClosed Time = -1

// fieldRoom is what a Set-Cookie field takes beside its path and domain.
const fieldRoom = 256

// giveCookie returns the Set-Cookie field values that give the browser a
// sealed ticket and expire the cookie's other kind and former scopes.
func (p *Policy) giveCookie(r *ring, t *Ticket, https bool, tenant string, maxAge, now Time, seed *Seed) ([]string, error) {
	b := append(make([]byte, 0, fieldRoom+len(p.CookiePath)+len(p.CookieDomain)), p.CookieName...)
	b, err := r.appendCookie(append(b, '='), t, p.CookieName, tenant, now, seed)
	if err != nil {
		return nil, err
	}
	scope := Scope{p.CookiePath, p.CookieDomain}
	b = p.appendAttributes(b, scope, maxAge, https, p.Partitioned)
	return p.expireFormer(append(p.expireOtherKind(nil, scope, https), string(b)), https), nil
}

func (p *Policy) expireFormer(fields []string, https bool) []string {
	for _, s := range p.FormerScopes {
		fields = p.expire(fields, s, https)
	}
	return fields
}

func (p *Policy) expire(fields []string, s Scope, https bool) []string {
	return append(p.expireOtherKind(fields, s, https), p.expired(s, https, p.Partitioned))
}

// expireOtherKind removes what is left of a policy that had Partitioned
// otherwise: browsers keep a partitioned cookie and one that is not side by
// side, and the one that is renewed no more would come back as if it were
// stolen. Only with SameSite=None is a partitioned cookie of any use. The field
// stands before the one that sets the cookie, since a browser that does not
// know Partitioned takes both for one.
func (p *Policy) expireOtherKind(fields []string, s Scope, https bool) []string {
	if !p.Partitioned && p.SameSite != SameSiteNone {
		return fields
	}
	return append(fields, p.expired(s, https, !p.Partitioned))
}

func (p *Policy) expired(s Scope, https, partitioned bool) string {
	return string(p.appendAttributes([]byte(p.CookieName+"="), s, 0, https, partitioned))
}

func (p *Policy) appendAttributes(b []byte, s Scope, maxAge Time, https, partitioned bool) []byte {
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

const (
	// ChangedSuffix follows the name of the session cookie in that of ChangedCookie.
	ChangedSuffix = "_changed"
	// ChangedFor is for how long a browser keeps ChangedCookie.
	ChangedFor = 2 * Second
)

// ChangedCookie returns a Set-Cookie field value that has the browser say for
// ChangedFor that it has just changed its session, in the scope of the session
// cookie: a server that keeps records in a cache then asks its store, and the
// visitor sees what they have done. It has no content that matters: who forges it
// costs a call of the store.
func (p *Policy) ChangedCookie(https bool) string {
	b := append(make([]byte, 0, fieldRoom+len(p.CookiePath)+len(p.CookieDomain)), p.CookieName...)
	b = append(b, ChangedSuffix+"=1"...)
	return string(p.appendAttributes(b, Scope{p.CookiePath, p.CookieDomain}, ChangedFor, https, p.Partitioned))
}
