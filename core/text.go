package core

import (
	"strconv"
	"unicode/utf8"
)

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

func clip(s string, most int) string { return s[:min(len(s), most)] }
