package stores

import (
	"regexp"
	"strings"
)

// What may be a key, the value of a cookie or a password in a text that was typed.
var (
	secretDigits = regexp.MustCompile(`[0-9A-Fa-f]{48,}|[0-9A-Za-z_-]{80,}`)
	schemeOf     = regexp.MustCompile(`[0-9A-Za-z+.-]*://`)
	passwordIs   = regexp.MustCompile(`(?is)(passw(?:or)?d|pwd|secret|token)\s*[=:].*`)
)

// Typed is a text that somebody typed, fit to be repeated in an error: of what looks like
// a URL only the scheme, and no password or key. "..." stands for the rest.
func Typed(text string) string {
	text = passwordIs.ReplaceAllString(text, "$1=...")
	if scheme := schemeOf.FindString(text); scheme != "" {
		text = scheme + "..."
	} else if at := strings.LastIndexByte(text, '@'); at >= 0 {
		if name, _, ok := strings.Cut(text[:at], ":"); ok {
			text = name + ":..."
		}
	}
	return secretDigits.ReplaceAllString(text, "...")
}
