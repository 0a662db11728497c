package core

import (
	"strings"
)

func (p *Policy) checkCookie() error {
	name := lower(p.CookieName) // browsers compare the prefixes so
	switch {
	case !token(p.CookieName) || len(p.CookieName) > MaxNameLength:
		return &PolicyError{"CookieName", p.CookieName, "1 to 128 letters, digits and !#$%&'*+-.^_`|~"}
	case strings.HasPrefix(name, "__host-") && (p.AllowInsecure || p.CookiePath != "/" || p.CookieDomain != ""):
		return &PolicyError{"CookieName", p.CookieName, "__Host- only with Secure, path / and no domain"}
	case strings.HasPrefix(name, "__http-") && (p.AllowScripts || p.AllowInsecure):
		return &PolicyError{"CookieName", p.CookieName, "__Http- only with HttpOnly and Secure"}
	case strings.HasPrefix(name, "__host-http-") && p.AllowScripts:
		return &PolicyError{"CookieName", p.CookieName, "__Host-Http- only with HttpOnly"}
	case strings.HasPrefix(name, "__secure-") && p.AllowInsecure:
		return &PolicyError{"CookieName", p.CookieName, "__Secure- only with Secure"}
	case p.SecureByRequest && (p.AllowInsecure || p.Partitioned || p.SameSite == SameSiteNone || strings.HasPrefix(name, "__")):
		return &PolicyError{"SecureByRequest", "true", "only without AllowInsecure, Partitioned, SameSite None and a cookie name that begins with __, all of which fix Secure"}
	case p.SameSite > SameSiteNone:
		return &PolicyError{"SameSite", decimal(int(p.SameSite)), "Lax, Strict, None"}
	case p.SameSite == SameSiteNone && p.AllowInsecure:
		return &PolicyError{"SameSite", "None", "None only with Secure"}
	case p.Partitioned && p.AllowInsecure:
		return &PolicyError{"Partitioned", "true", "only with Secure"}
	case len(p.FormerScopes) > MaxCookies:
		return &PolicyError{"FormerScopes", decimal(len(p.FormerScopes)) + " pairs", "at most 4"}
	}
	if err := (Scope{p.CookiePath, p.CookieDomain}).check("CookiePath", "CookieDomain"); err != nil {
		return err
	}
	for i, s := range p.FormerScopes {
		if err := s.check("FormerScopes.Path", "FormerScopes.Domain"); err != nil {
			return err
		}
		if s.same(Scope{p.CookiePath, p.CookieDomain}) {
			return &PolicyError{"FormerScopes", s.Path + " " + s.Domain,
				"scopes of other cookies than the present one, which would be deleted as soon as it is set"}
		}
		for _, t := range p.FormerScopes[:i] {
			if s.same(t) {
				return &PolicyError{"FormerScopes", s.Path + " " + s.Domain, "each scope once, in whatever spelling"}
			}
		}
	}
	return nil
}

// same reports whether browsers keep one cookie for both: its domain in small
// letters, without the dot before it, whether it is for one host only, and its
// path, of which only white space at the end is dropped (RFC 6265bis, 5.6 and
// 5.7). A domain of one label, such as localhost, can only be the host itself,
// and browsers then keep the cookie for one host only, as without a domain.
func (s Scope) same(t Scope) bool {
	return trimmed(s.Path) == trimmed(t.Path) && s.host() == t.host()
}

func trimmed(path string) string {
	for strings.HasSuffix(path, " ") {
		path = path[:len(path)-1]
	}
	return path
}

// host is the domain as browsers compare it; empty for one host only.
func (s Scope) host() string {
	domain := lower(strings.TrimPrefix(s.Domain, "."))
	if !strings.Contains(domain, ".") {
		return ""
	}
	return domain
}

func (s Scope) check(pathField, domainField string) error {
	if !strings.HasPrefix(s.Path, "/") || len(s.Path) > 1024 || !attribute(s.Path) {
		return &PolicyError{pathField, s.Path, "a path that begins with /, without ; and control characters, of at most 1024 bytes"}
	}
	if s.Domain == "" {
		return nil
	}
	labels := strings.Split(strings.TrimPrefix(s.Domain, "."), ".")
	ok := len(s.Domain) <= 253
	for _, l := range labels {
		ok = ok && l != "" && len(l) <= 63 && l[0] != '-' && l[len(l)-1] != '-'
		for _, c := range []byte(l) {
			ok = ok && (c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
		}
	}
	if last := labels[len(labels)-1]; !ok || last[0] >= '0' && last[0] <= '9' {
		return &PolicyError{domainField, s.Domain, "a host name in ASCII, such as example.com; empty for this host only"}
	}
	return nil
}

// token is the grammar of a cookie name (RFC 9110, 5.6.2).
func token(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

func attribute(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 || c >= 0x7f || c == ';' {
			return false
		}
	}
	return true
}

// lower is strings.ToLower for ASCII, without its tables, a hundredth of the guest.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
