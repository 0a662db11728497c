package nethttp

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// field is one of the answer's header that waits for the first byte.
type field struct{ name, value string }

// reply keeps a field for the answer, in place of an earlier one: of its name,
// or for cookies of its name, path and domain.
func (v *Session) reply(name, value string) error {
	if v.request.sent.Load() {
		return ErrHeadersSent
	}
	f := field{name, value}
	i := slices.IndexFunc(**v.fields, func(old field) bool {
		return old.name == name && (name != "Set-Cookie" || cookieScope(old.value) == cookieScope(value))
	})
	if i < 0 {
		**v.fields = append(**v.fields, f)
	} else {
		(**v.fields)[i] = f
	}
	return nil
}

// cookieScope returns what identifies one cookie of ours in a browser. Most have the
// manager's name, and Partitioned stands last.
func cookieScope(value string) string {
	pair, attributes, _ := strings.Cut(value, ";")
	name, _, _ := strings.Cut(pair, "=")
	partitioned := strings.HasSuffix(attributes, "; Partitioned")
	for _, end := range []string{"; Max-Age", "; HttpOnly", "; Secure", "; SameSite"} {
		attributes, _, _ = strings.Cut(attributes, end)
	}
	if partitioned {
		attributes += "; Partitioned"
	}
	return name + ";" + attributes
}

// begin commits and puts on the answer what the session adds to it, beside the
// handler's cookies and over what it says to caches. After a failure nothing of the
// handler's is left on the answer. Where it owes the wait for a logout, nothing was put
// there yet.
func (v *Session) begin(h http.Header) (owes bool, err error) {
	if v.dead = v.commit(); v.dead != nil {
		clear(h)
		maps.Copy(h, v.request.given)
		return false, v.dead
	}
	if v.x.Owes() {
		return true, nil
	}
	cookie := false
	for _, f := range **v.fields {
		if f.name == "Set-Cookie" {
			h.Add(f.name, f.value)
			cookie = true
		} else {
			h.Set(f.name, f.value)
		}
	}
	if cookie {
		NoStore(h)
	}
	v.addVary(h)
	return false, nil
}

func (v *Session) addVary(h http.Header) {
	if len(h["Vary"]) == 0 {
		v.vary[0] = "Cookie"
		h["Vary"] = v.vary[:1:1]
		return
	}
	for _, line := range h["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			if n := strings.TrimSpace(name); n == "*" || strings.EqualFold(n, "Cookie") {
				return
			}
		}
	}
	h.Add("Vary", "Cookie")
}
