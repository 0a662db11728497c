package nethttp

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// The query parameters of a login page.
const (
	returnParam = "return_to" // the page to go to afterwards
	reasonParam = "reason"    // why the session that there was is over: a core.Reason in words
)

// MaxReturnTo is the longest page to return to, in bytes. Longer ones are left out.
const MaxReturnTo = 2048

// ReturnTo returns the page that a visitor wanted before they were sent to the
// login page: the parameter return_to of the request, in its query or in its
// posted form. Anybody can write a link with such a parameter, so it is believed
// only where [IsLocal] holds. Otherwise it returns the page otherwise.
//
//	http.Redirect(w, r, nethttp.ReturnTo(r, "/account"), http.StatusSeeOther)
func ReturnTo(r *http.Request, otherwise string) string {
	if target := r.FormValue(returnParam); IsLocal(target) {
		return target
	}
	return otherwise
}

// IsLocal reports whether a browser that is sent to target stays on this origin:
// it is a path, with a query and a fragment or without, of at most [MaxReturnTo]
// bytes of printable ASCII, and a [PlainPath]. That refuses "//host", "/\host",
// URLs with a scheme, line ends, and what is such a thing only once it is decoded.
// A few honest paths are refused with them, such as "/a//b" and "/a%2Fb".
func IsLocal(target string) bool {
	if len(target) > MaxReturnTo {
		return false
	}
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return false
		}
	}
	encoded := pathOf(target)
	decoded, err := url.PathUnescape(encoded)
	if err != nil || !PlainPath(decoded, encoded) {
		return false
	}
	_, err = url.Parse(target) // of the fragment, too: handlers may read it
	return err == nil
}

// pathOf returns a target without its query and fragment.
func pathOf(target string) string {
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		return target[:i]
	}
	return target
}

// PlainPath reports whether every server and browser reads a path alike: decoded,
// it begins with one slash, has no empty and no dot segments (also before a
// parameter, as in "..;x"), no backslash, no control characters, nothing that a
// second decoding would change, and is UTF-8: of what is not, such as the bytes c0
// ae, some servers make a dot. The encoded form, if there is one, must hide no
// separator.
func PlainPath(decoded, encoded string) bool {
	if !strings.HasPrefix(decoded, "/") || !utf8.ValidString(decoded) {
		return false
	}
	for i := range len(decoded) {
		twice := decoded[i] == '%' && i+2 < len(decoded) && isHex(decoded[i+1]) && isHex(decoded[i+2])
		if decoded[i] < 0x20 || decoded[i] == 0x7f || decoded[i] == '\\' || twice {
			return false
		}
	}
	segments := strings.Split(decoded[1:], "/")
	for i, s := range segments {
		s, _, _ = strings.Cut(s, ";")
		if s == "." || s == ".." || segments[i] == "" && i < len(segments)-1 {
			return false
		}
	}
	lower := strings.ToLower(encoded)
	return !strings.Contains(lower, "%2f") && !strings.Contains(lower, "%5c")
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
