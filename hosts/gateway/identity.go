package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/core"
)

// The header fields by which the origin learns who is signed in.
const (
	HeaderUser   = "Session-User"
	HeaderTenant = "Session-Tenant"
	HeaderID     = "Session-Id"
)

// SetIdentity adds the header fields by which the origin learns who is signed in.
func SetIdentity(h http.Header, s *core.Session) {
	h.Set(HeaderUser, encode(s.User()))
	h.Set(HeaderID, s.ID().String())
	if tenant := s.Tenant(); tenant != "" {
		h.Set(HeaderTenant, encode(tenant))
	}
}

// encode percent-encodes what is not plain ASCII, so that no field can be
// broken off and every origin reads the same name.
func encode(name string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(name) {
		if c := name[i]; c > 0x20 && c < 0x7f && c != '%' {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return out.String()
}

// dropCookie removes the cookie of a name from the Cookie fields, and leaves the
// others as they are.
func dropCookie(h http.Header, name string) {
	var kept []string
	for _, field := range h["Cookie"] {
		var pairs []string
		for pair := range strings.SplitSeq(field, ";") {
			if key, _, _ := strings.Cut(pair, "="); strings.TrimSpace(key) != name {
				pairs = append(pairs, strings.TrimSpace(pair))
			}
		}
		if len(pairs) > 0 {
			kept = append(kept, strings.Join(pairs, "; "))
		}
	}
	delete(h, "Cookie")
	if len(kept) > 0 {
		h["Cookie"] = kept
	}
}

// setsCookie reports whether an answer sets or expires the cookie of a name.
func setsCookie(h http.Header, name string) bool {
	return slices.ContainsFunc(h["Set-Cookie"], func(field string) bool {
		key, _, _ := strings.Cut(field, "=")
		return strings.TrimSpace(key) == name
	})
}
