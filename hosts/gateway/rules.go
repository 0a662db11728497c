package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/hosts"
)

// Access says who may ask for a path.
type Access uint8

// The kinds of Access. The zero value is the safe one.
const (
	SignedIn Access = iota // a user is signed in
	Public                 // everybody; the session is not looked at
	Denied                 // nobody: 404
)

var accessNames = []string{"signed-in", "public", "denied"}

// String returns the access in a word.
func (a Access) String() string {
	if int(a) < len(accessNames) {
		return accessNames[a]
	}
	return "unlisted"
}

// ParseAccess reads what String wrote.
func ParseAccess(text string) (Access, error) {
	if i := slices.Index(accessNames, text); i >= 0 {
		return Access(i), nil
	}
	return 0, &hosts.ConfigError{Field: "Rules.Access", Value: text, Allowed: strings.Join(accessNames, ", ")}
}

// Rule gives the paths below a prefix an Access. "/img" is that path and those
// below it, not "/images"; "/img/" is only those below it.
type Rule struct {
	Prefix string
	Access Access
}

const maxRules = 1000

// rules are ordered by length, the longest first.
type rules []Rule

func newRules(given []Rule) (rules, error) {
	if len(given) > maxRules {
		return nil, &hosts.ConfigError{Field: "Rules", Value: fmt.Sprint(len(given)), Allowed: fmt.Sprintf("at most %d", maxRules)}
	}
	list := rules(slices.Clone(given))
	slices.SortStableFunc(list, func(a, b Rule) int { return len(b.Prefix) - len(a.Prefix) })
	for i, r := range list {
		switch {
		case !plainPath(r.Prefix):
			return nil, &hosts.ConfigError{Field: "Rules.Prefix", Value: r.Prefix, Allowed: "a path that begins with /, decoded, without //, dot segments and backslashes"}
		case int(r.Access) >= len(accessNames):
			return nil, &hosts.ConfigError{Field: "Rules.Access", Value: fmt.Sprint(r.Access), Allowed: strings.Join(accessNames, ", ")}
		case slices.ContainsFunc(list[:i], func(o Rule) bool { return o.Prefix == r.Prefix }):
			return nil, &hosts.ConfigError{Field: "Rules.Prefix", Value: r.Prefix, Allowed: "one rule for each prefix"}
		}
	}
	return list, nil
}

// of returns the access of a plain path; without a rule it needs a user.
func (list rules) of(path string) Access {
	for _, r := range list {
		rest, ok := strings.CutPrefix(path, r.Prefix)
		if ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(r.Prefix, "/")) {
			return r.Access
		}
	}
	return SignedIn
}

// plainPath reports whether every server reads a decoded path alike: it begins
// with one slash, has no empty and no dot segments (also before a parameter, as
// in "..;x"), no backslash, no control characters, and nothing that a second
// decoding would make one of these.
func plainPath(path string) bool {
	if !strings.HasPrefix(path, "/") {
		return false
	}
	for i := range len(path) {
		if path[i] < 0x20 || path[i] == 0x7f || path[i] == '\\' {
			return false
		}
	}
	lower := strings.ToLower(path)
	for _, twice := range []string{"%2e", "%2f", "%5c", "%00", "%25"} {
		if strings.Contains(lower, twice) {
			return false
		}
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		s, _, _ = strings.Cut(s, ";")
		if s == "." || s == ".." || segments[i] == "" && i < len(segments)-1 {
			return false
		}
	}
	return true
}

// plainTarget is plainPath for a request, whose encoded form must hide no
// separator either.
func plainTarget(decoded, encoded string) bool {
	lower := strings.ToLower(encoded)
	return plainPath(decoded) && !strings.Contains(lower, "%2f") && !strings.Contains(lower, "%5c")
}
