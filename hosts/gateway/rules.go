package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
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
// below it, not "/images"; "/img/" is only those below it. Bytes are compared: a
// closed path below a public one is safe only at an origin that compares bytes,
// too, and takes "/Admin", "/admin." and "/admin " for other paths than "/admin".
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
		case !nethttp.PlainPath(r.Prefix, ""):
			return nil, &hosts.ConfigError{Field: "Rules.Prefix", Value: r.Prefix, Allowed: "a path that begins with /, decoded, in UTF-8, without //, dot segments and backslashes"}
		case int(r.Access) >= len(accessNames):
			return nil, &hosts.ConfigError{Field: "Rules.Access", Value: fmt.Sprint(r.Access), Allowed: strings.Join(accessNames, ", ")}
		case slices.ContainsFunc(list[:i], func(o Rule) bool { return o.Prefix == r.Prefix }):
			return nil, &hosts.ConfigError{Field: "Rules.Prefix", Value: r.Prefix, Allowed: "one rule for each prefix"}
		}
	}
	return list, nil
}

// of returns the access of a plain path. An origin may read "/admin;x" as
// "/admin", "/a;x/b" as "/a/b", or end the path at the ";": of these readings
// the one with the strictest access counts.
func (list rules) of(path string) Access {
	access := list.exactly(path)
	if before, _, ok := strings.Cut(path, ";"); ok {
		access = stricter(access, stricter(list.exactly(before), list.exactly(withoutParameters(path))))
	}
	return access
}

// stricter orders Public, SignedIn, Denied.
func stricter(a, b Access) Access {
	if a == Public || b == Denied {
		return b
	}
	return a
}

// withoutParameters cuts each segment at its ";" and leaves out those of which
// nothing is left, but for a last one, which is a slash at the end.
func withoutParameters(path string) string {
	segments := strings.Split(path[1:], "/")
	kept := segments[:0]
	for i, s := range segments {
		if s, _, _ = strings.Cut(s, ";"); s != "" || i == len(segments)-1 {
			kept = append(kept, s)
		}
	}
	return "/" + strings.Join(kept, "/")
}

// exactly is of for a path without parameters. Without a rule it needs a user.
func (list rules) exactly(path string) Access {
	for _, r := range list {
		rest, ok := strings.CutPrefix(path, r.Prefix)
		if ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(r.Prefix, "/")) {
			return r.Access
		}
	}
	return SignedIn
}
