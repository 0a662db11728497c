package console

import (
	"strings"
)

// Bounds of what a user agent says.
const (
	maxParsed = 512 // bytes that are looked at; a session keeps no more
	maxShown  = 160 // bytes that Printable leaves
)

// An Agent is what a user agent says of itself, which may be untrue. What it does not
// say, or what is not among the common ones, is empty.
type Agent struct {
	Browser string // "Chrome"
	System  string // "macOS"
}

// named are words of user agents and what they mean. Of several in one the first of the
// list counts: most browsers claim to be others, too.
type named []struct{ word, name string }

var browsers = named{
	{"Edg", "Edge"}, {"EdgA", "Edge"}, {"EdgiOS", "Edge"}, {"Edge", "Edge"},
	{"OPR", "Opera"}, {"OPT", "Opera"}, {"OPiOS", "Opera"},
	{"SamsungBrowser", "Samsung Internet"},
	{"Vivaldi", "Vivaldi"},
	{"YaBrowser", "Yandex Browser"},
	{"UCBrowser", "UC Browser"},
	{"Ddg", "DuckDuckGo"}, {"DuckDuckGo", "DuckDuckGo"},
	{"Firefox", "Firefox"}, {"FxiOS", "Firefox"},
	{"Chrome", "Chrome"}, {"CriOS", "Chrome"}, {"HeadlessChrome", "Chrome"}, {"Chromium", "Chrome"},
	{"Safari", "Safari"},
	{"MSIE", "Internet Explorer"}, {"Trident", "Internet Explorer"},
}

var systems = named{
	{"iPhone", "iPhone"}, {"iPod", "iPhone"}, {"iPad", "iPad"},
	{"Android", "Android"},
	{"Windows", "Windows"},
	{"Macintosh", "macOS"},
	{"CrOS", "ChromeOS"},
	{"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"},
	{"Linux", "Linux"},
}

// ParseUserAgent reads the common browsers and systems out of a User-Agent field. An iPad
// that asks for pages of desktops says that it is a Mac.
func ParseUserAgent(userAgent string) Agent {
	words := map[string]bool{}
	userAgent = userAgent[:min(len(userAgent), maxParsed)]
	for word := range strings.FieldsFuncSeq(userAgent, func(r rune) bool { return strings.ContainsRune(" ();,", r) }) {
		name, _, _ := strings.Cut(word, "/")
		words[name] = true
	}
	return Agent{Browser: browsers.in(words), System: systems.in(words)}
}

func (n named) in(words map[string]bool) string {
	for _, one := range n {
		if words[one.word] {
			return one.name
		}
	}
	return ""
}

// DeviceOf names the kind of device that a user agent says it is: "Chrome on macOS". It is
// for hosts.Config.DeviceOf and for mails, in English, and always printable.
func DeviceOf(userAgent string) string { return ParseUserAgent(userAgent).name(&english) }

// Printable returns what can be shown of a text that a visitor has sent, such as their
// user agent: printable ASCII. All else between is one U+FFFD, also control characters
// and marks that turn the direction of writing. What is longer than 160 bytes is cut.
func Printable(text string) string {
	var out strings.Builder
	odd := false
	for _, r := range text {
		if out.Len() >= maxShown {
			out.WriteString("…")
			break
		}
		plain := r >= ' ' && r <= '~'
		switch {
		case plain:
			out.WriteRune(r)
		case !odd:
			out.WriteRune('\uFFFD')
		}
		odd = !plain
	}
	return out.String()
}
