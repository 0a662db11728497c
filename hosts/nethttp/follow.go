package nethttp

import (
	"bytes"

	"github.com/rockstar-web/sessions/core"
)

// follow goes over to the session that the manager's verbs have begun or stored
// in this request's exchange, or else the visit's own would take the place of a
// sign-in. What was put into a session that is not stored goes along; changes
// of a stored one that are not in the other yet are left to the commit, which
// stores or refuses them.
func (v *Visit) follow() {
	c := v.x.Current()
	if v.s == nil || c == nil || c.State() != core.StateActive || c.Version() == v.s.Version() || v.firm {
		return
	}
	switch v.s.State() {
	case core.StateNew:
		next := *c
		for _, name := range v.s.Names() {
			value, _ := v.s.Value(name)
			if next.SetValue(name, value) != nil {
				return
			}
		}
		c = &next
	case core.StateActive:
		if v.s.Changed() && !sameValues(v.s, c) {
			return
		}
	default:
		return
	}
	v.s, v.refusal = c, nil
}

func sameValues(a, b *core.Session) bool {
	if a.Len() != b.Len() {
		return false
	}
	for _, name := range a.Names() {
		x, _ := a.Value(name)
		y, ok := b.Value(name)
		if !ok || !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}
