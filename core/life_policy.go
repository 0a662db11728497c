package core

import "slices"

func (p *Policy) check() error {
	if err := p.checkCookie(); err != nil {
		return err
	}
	for _, d := range []struct {
		field string
		value Time
		least Time
		most  Time
	}{
		{"Lifetime", p.Lifetime, Second, MaxLifetime},
		{"AnonymousLifetime", p.AnonymousLifetime, Second, MaxLifetime},
		{"MaxLifetime", p.MaxLifetime, p.Lifetime, MaxLifetime},
		{"IdleTimeout", p.IdleTimeout, 0, MaxLifetime},
		{"RenewAfter", p.RenewAfter, 0, MaxLifetime},
		{"RenewGrace", p.RenewGrace, Second, 5 * Minute},
		{"Retention", p.Retention, Second, MaxLifetime},
	} {
		if d.value < d.least || d.value > d.most {
			return &PolicyError{d.field, millis(d.value), millis(d.least) + " to " + millis(d.most)}
		}
	}
	if p.RenewAfter != 0 && p.RenewAfter < 4*p.RenewGrace {
		return &PolicyError{"RenewAfter", millis(p.RenewAfter), "0 (off), or at least four times RenewGrace, " + millis(4*p.RenewGrace)}
	}
	for _, d := range []struct {
		field              string
		value, least, most int
	}{
		{"BindIPv4Bits", p.BindIPv4Bits, 0, 32},
		{"BindIPv6Bits", p.BindIPv6Bits, 0, 128},
		{"SessionSize", p.SessionSize, 1 << 10, MaxSessionSize},
		{"WarnSize", p.WarnSize, 1, MaxSessionSize},
	} {
		if d.value < d.least || d.value > d.most {
			return &PolicyError{d.field, decimal(d.value), decimal(d.least) + " to " + decimal(d.most)}
		}
	}
	return p.checkNames()
}

// checkNames holds the names of values that have rules. Of several bad ones it
// tells the first in order, whatever the order of the map.
func (p *Policy) checkNames() error {
	var bad *PolicyError
	for name, kind := range p.Merge {
		e := &PolicyError{"Merge", name, ""}
		switch {
		case !validValueName(name):
			e.Allowed = "names of 1 to 128 bytes of valid UTF-8"
		case kind != MergeCounter && kind != MergeSet:
			e.Allowed = "MergeCounter and MergeSet, not kind " + decimal(int(kind))
		case slices.Contains(p.Exclusive, name):
			e.Allowed = "names that are not in Exclusive"
		default:
			continue
		}
		if bad == nil || name < bad.Value {
			bad = e
		}
	}
	if bad != nil {
		return bad
	}
	for _, name := range p.Exclusive {
		if !validValueName(name) {
			return &PolicyError{"Exclusive", name, "names of 1 to 128 bytes of valid UTF-8"}
		}
	}
	for _, name := range p.LastWins {
		e := &PolicyError{"LastWins", name, ""}
		_, merges := p.Merge[name]
		switch {
		case !validValueName(name):
			e.Allowed = "names of 1 to 128 bytes of valid UTF-8"
		case merges || slices.Contains(p.Exclusive, name):
			e.Allowed = "names that are not in Merge or Exclusive"
		default:
			continue
		}
		return e
	}
	return nil
}
