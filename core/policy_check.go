package core

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (p *Policy) check() error {
	if err := p.checkCookie(); err != nil {
		return err
	}
	for _, d := range []struct {
		field string
		value Time
		least Time
		most  Time
	}{
		{"Lifetime", p.Lifetime, Second, MaxLifetime},
		{"AnonymousLifetime", p.AnonymousLifetime, Second, MaxLifetime},
		{"MaxLifetime", p.MaxLifetime, p.Lifetime, MaxLifetime},
		{"IdleTimeout", p.IdleTimeout, 0, MaxLifetime},
		{"RenewAfter", p.RenewAfter, 0, MaxLifetime},
		{"RenewGrace", p.RenewGrace, Second, 5 * Minute},
		{"Retention", p.Retention, Second, MaxLifetime},
	} {
		if d.value < d.least || d.value > d.most {
			return &PolicyError{d.field, millis(d.value), millis(d.least) + " to " + millis(d.most)}
		}
	}
	if p.RenewAfter != 0 && p.RenewAfter < 4*p.RenewGrace {
		return &PolicyError{"RenewAfter", millis(p.RenewAfter), "0 (off), or at least four times RenewGrace, " + millis(4*p.RenewGrace)}
	}
	for _, d := range []struct {
		field              string
		value, least, most int
	}{
		{"BindIPv4Bits", p.BindIPv4Bits, 0, 32},
		{"BindIPv6Bits", p.BindIPv6Bits, 0, 128},
		{"SessionSize", p.SessionSize, 1 << 10, MaxSessionSize},
		{"WarnSize", p.WarnSize, 1, MaxSessionSize},
	} {
		if d.value < d.least || d.value > d.most {
			return &PolicyError{d.field, decimal(d.value), decimal(d.least) + " to " + decimal(d.most)}
		}
	}
	return p.checkNames()
}

// checkNames holds the names of values that have rules. Of several bad ones it
// tells the first in order, whatever the order of the map.
func (p *Policy) checkNames() error {
	var bad *PolicyError
	for name, kind := range p.Merge {
		e := &PolicyError{"Merge", name, ""}
		switch {
		case !validValueName(name):
			e.Allowed = "names of 1 to 128 bytes of valid UTF-8"
		case kind != MergeCounter && kind != MergeSet:
			e.Allowed = "MergeCounter and MergeSet, not kind " + decimal(int(kind))
		case slices.Contains(p.Exclusive, name):
			e.Allowed = "names that are not in Exclusive"
		default:
			continue
		}
		if bad == nil || name < bad.Value {
			bad = e
		}
	}
	if bad != nil {
		return bad
	}
	for _, name := range p.Exclusive {
		if !validValueName(name) {
			return &PolicyError{"Exclusive", name, "names of 1 to 128 bytes of valid UTF-8"}
		}
	}
	for _, name := range p.LastWins {
		e := &PolicyError{"LastWins", name, ""}
		_, merges := p.Merge[name]
		switch {
		case !validValueName(name):
			e.Allowed = "names of 1 to 128 bytes of valid UTF-8"
		case merges || slices.Contains(p.Exclusive, name):
			e.Allowed = "names that are not in Merge or Exclusive"
		default:
			continue
		}
		return e
	}
	return nil
}

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

// quote puts a text in quotes, with escapes for what would not show as itself:
// strconv.Quote without its tables, a twentieth of the guest.
func quote(s string) string {
	const digits = "0123456789abcdef"
	out := append(make([]byte, 0, len(s)+2), '"')
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r >= 0x20 && r < 0x7f || r >= 0xa0 && r != utf8.RuneError:
			out = append(out, s[:n]...)
		default:
			for _, b := range []byte(s[:n]) {
				out = append(out, '\\', 'x', digits[b>>4], digits[b&15])
			}
		}
		s = s[n:]
	}
	return string(append(out, '"'))
}

func decimal(n int) string { return strconv.Itoa(n) }

func millis(t Time) string { return strconv.FormatInt(int64(t), 10) + " ms" }
