package sessionctl

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rockstar-web/sessions/core"
)

// moment is a core.Time as people and JSON read it. Any number is one.
type moment core.Time

// MarshalText writes milliseconds: 2026-05-04T03:02:01.007Z.
func (m moment) MarshalText() ([]byte, error) {
	return time.UnixMilli(int64(m)).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z"), nil
}

// String writes whole seconds.
func (m moment) String() string {
	return time.UnixMilli(int64(m)).UTC().Format(time.RFC3339)
}

// shown is a name that stands in a table and on a terminal: in quotes where it
// is not plain, since tenants and users may hold anything but controls.
func shown(name string) string {
	odd := func(r rune) bool { return unicode.IsSpace(r) || !strconv.IsPrint(r) || r == '"' }
	switch {
	case name == "":
		return "-"
	case name == "-" || strings.IndexFunc(name, odd) >= 0:
		return strconv.Quote(name)
	}
	return name
}

// escaped keeps what text has of other letters than printable ones from acting
// on a terminal.
func escaped(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return text
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// oneLine joins the lines of an error, such as a driver's, which tries an address
// twice and says so twice.
func oneLine(text string) string {
	var b strings.Builder
	last := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case last != "" && strings.HasPrefix(line, last):
			line = line[len(last):]
		case strings.HasSuffix(last, ":"):
			b.WriteByte(' ')
		case last != "":
			b.WriteString("; ")
		}
		b.WriteString(line)
		last = line
	}
	return b.String()
}

// bytesOf counts: 1 byte, 2 bytes.
func bytesOf(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}

// plural counts: 1 session, 2 sessions.
func plural(n int) string {
	if n == 1 {
		return "1 session"
	}
	return strconv.Itoa(n) + " sessions"
}
