package main

import (
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

func configures(g *generator) {
	ok := func(name, about string, m setup) { g.add("configure/"+name, about, m, nil, "ok") }
	ok("defaults", "The empty policy is complete.", plain)
	ok("raw-key", "A key of 32 raw bytes.", plain.ring(core.Key{Bytes: core.NewSecret("\x9f\x3c\x1a\x7b\xe2\xd8\x40\x56\x6b\x0e\x9d\x17\xc4\xa5\xf2\x38\x1d\x6e\x7b\x90\xa1\xc3\xf5\x4e\x28\xb7\xd6\x0c\x9e\xa4\x1f\x53")}))
	ok("upper-case-key", "Hexadecimal digits of either case.", plain.ring(core.Key{Bytes: core.NewSecret(strings.ToUpper(string(keyA.Bytes.Bytes())))}))
	until := keyA
	until.OpenUntil = t0
	ok("warning-no-successor", "A key that stops opening without a successor is a warning.", plain.ring(until))
	from := keyB
	from.SealFrom = t0 - core.Hour
	ok("warning-too-early", "So is one that stops opening while its cookies live.", plain.ring(until, from))
	for name, e := range map[string]struct {
		keys   core.KeyRing
		expect string
	}{
		"no-key":       {nil, "error no_key"},
		"empty-key":    {core.KeyRing{{}}, "error no_key"},
		"short-key":    {core.KeyRing{{Bytes: core.NewSecret("short")}}, "error key_length"},
		"half-in-hex":  {core.KeyRing{{Bytes: core.NewSecret(keyA.Bytes.Bytes()[:32])}}, "error key_hex_raw"},
		"zero-key":     {core.KeyRing{{Bytes: core.NewSecret(make([]byte, 32))}}, "error weak_key"},
		"repeated-key": {core.KeyRing{{Bytes: core.NewSecret(strings.Repeat("7c1f0e9a", 8))}}, "error weak_key"},
		"same-key":     {core.KeyRing{keyA, keyA}, "error same_key"},
		"key-times":    {core.KeyRing{{Bytes: keyA.Bytes, SealFrom: 2, OpenUntil: 1}}, "error key_times"},
		"many-keys":    {make(core.KeyRing, 17), "error too_many_keys"},
	} {
		g.add("configure/"+name, "A key ring that is refused.", setup{keys: e.keys}, nil, e.expect)
	}
	for name, change := range map[string]func(*core.Policy){
		"CookieName": func(p *core.Policy) { p.CookieName = "a b" }, "CookiePath": func(p *core.Policy) { p.CookiePath = "x" },
		"CookieDomain": func(p *core.Policy) { p.CookieDomain = "a..b" }, "SameSite": func(p *core.Policy) { p.SameSite = 3 },
		"Partitioned":         func(p *core.Policy) { p.Partitioned, p.AllowInsecure = true, true },
		"FormerScopes":        func(p *core.Policy) { p.FormerScopes = make([]core.Scope, 5) },
		"FormerScopes.Path":   func(p *core.Policy) { p.FormerScopes = []core.Scope{{Path: "/;"}} },
		"FormerScopes.Domain": func(p *core.Policy) { p.FormerScopes = []core.Scope{{Path: "/", Domain: "1.2.3.4"}} },
		"Lifetime":            func(p *core.Policy) { p.Lifetime = -1 }, "AnonymousLifetime": func(p *core.Policy) { p.AnonymousLifetime = 1 },
		"MaxLifetime": func(p *core.Policy) { p.MaxLifetime = 401 * core.Day }, "IdleTimeout": func(p *core.Policy) { p.IdleTimeout = -1 },
		"RenewAfter": func(p *core.Policy) { p.RenewAfter = core.Second }, "RenewGrace": func(p *core.Policy) { p.RenewGrace = core.Hour },
		"Retention": func(p *core.Policy) { p.Retention = 1 }, "BindIPv4Bits": func(p *core.Policy) { p.BindIPv4Bits = 33 },
		"BindIPv6Bits": func(p *core.Policy) { p.BindIPv6Bits = -1 }, "SessionSize": func(p *core.Policy) { p.SessionSize = 1 },
		"WarnSize": func(p *core.Policy) { p.WarnSize = -1 }, "Merge": func(p *core.Policy) { p.Merge = map[string]core.MergeKind{"n": 9} },
		"Exclusive": func(p *core.Policy) { p.Exclusive = []string{""} },
	} {
		g.add("configure/refused-"+strings.ToLower(name), "A policy that is refused names its field.", plain.with(change), nil, "policy "+name)
	}
	host := plain.with(func(p *core.Policy) { p.CookieName, p.CookiePath = "__Host-s", "/app" })
	g.add("configure/refused-host-prefix", "A __Host- cookie has the path /.", host, nil, "policy CookieName")
	none := plain.with(func(p *core.Policy) { p.SameSite, p.AllowInsecure = core.SameSiteNone, true })
	g.add("configure/refused-none-insecure", "SameSite=None needs Secure.", none, nil, "policy SameSite")

	frames := []struct {
		name, about, expect string
		frame               []byte
	}{
		{"unknown-op", "A verb that does not exist.", "unknown_op", []byte{200, 1, 0, 0, 0}},
		{"op-zero", "No verb is zero.", "unknown_op", []byte{0}},
		{"no-machine", "No machine has the number.", "unknown_machine", wire.AppendClearCookie(nil, 2, true)},
		{"machine-zero", "Machines are numbered from 1.", "unknown_machine", wire.AppendClearCookie(nil, 0, true)},
		{"cut", "A frame that ends too early.", "malformed", wire.AppendClearCookie(nil, 1, true)[:3]},
		{"more", "A frame with a byte behind its end.", "malformed", append(wire.AppendClearCookie(nil, 1, true), 0)},
		{"count-lies", "A count of more than the frame has.", "malformed", append(wire.AppendIdentify(nil, 1, t0, "", nil)[:15], 0xff, 0xff, 0xff, 0xff)},
	}
	for _, f := range frames {
		g.add("frame/"+f.name, f.about, plain, f.frame, f.expect)
	}
}
