package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/core"
)

// The header fields that tell the origin who is signed in.
const (
	HeaderUser   = "Session-User"
	HeaderTenant = "Session-Tenant"
	HeaderID     = "Session-Id"
)

var (
	identity  = []string{HeaderUser, HeaderTenant, HeaderID}
	forwarded = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}
)

// dropClaims removes the fields that tell who is signed in, however they are
// spelt, and what an origin may take for a forwarding field, which itself is
// left to rewrite: servers that hand fields on as CGI variables take "Session.User"
// and "Session_User" for it.
func dropClaims(h http.Header) {
	for name := range h {
		spelt := func(as string) bool { return folds(name, as) }
		if slices.ContainsFunc(identity, spelt) || slices.ContainsFunc(forwarded, spelt) && !slices.Contains(forwarded, name) {
			delete(h, name)
		}
	}
}

// folds reports whether a field's name is another's to a server that ignores
// case and takes whatever is no letter and no digit for one character.
func folds(name, as string) bool {
	if len(name) != len(as) {
		return false
	}
	for i := range len(name) {
		if folded(name[i]) != folded(as[i]) {
			return false
		}
	}
	return true
}

func folded(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		return c
	}
	return '-'
}

// setIdentity tells the origin who is signed in.
func setIdentity(h http.Header, s *core.Session) {
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
