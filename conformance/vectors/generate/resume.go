package main

import (
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

func news(g *generator) {
	add := func(name, about string, q core.Request) {
		g.add("new/"+name, about, plain, wire.AppendNew(nil, number, q), "ok", in("tenant", q.Tenant), in("ip", []byte(q.IP)), in("user_agent", q.UserAgent))
	}
	add("visitor", "A visitor without a session.", visitor)
	add("unknown", "Nothing is known of the request.", core.Request{})
	add("flags", "A request that acts for no tenant and takes no cookie.", core.Request{AnyTenant: true, NoCookie: true})
	m := plain
	c := m.machine(g)
	if g.err != nil {
		return
	}
	keep := func(name, about string, s *core.Session, seed core.Seed, expect string) {
		g.add("keep_id/"+name, about, m, wire.AppendKeepID(nil, number, seed, s), expect, in("seed", seed))
	}
	keep("new", "A new session gets its ID at once.", c.New(visitor), core.Seed{5}, "ok")
	keep("stored", "A stored one keeps its own.", m.resume(g, m.alice(g), visitor, t0), core.Seed{5}, "ok")
	keep("no-seed", "Without randomness there is no ID.", c.New(visitor), core.Seed{}, "error seed")
}

func (g *generator) resumed(name, about string, m setup, h held, t core.Ticket, q core.Request, now core.Time, expect string) {
	fields := append(recordFields(&h.record), in("now", now), in("tenant", q.Tenant), in("ip", []byte(q.IP)), in("user_agent", q.UserAgent))
	g.add("resume/"+name, about, m, wire.AppendResume(nil, number, now, t, q, &h.record), expect, fields...)
}

func resumes(g *generator) {
	h := plain.alice(g)
	t := plain.ticket(g, h, t0)
	g.resumed("signed-in", "A session of a signed-in user.", plain, h, t, visitor, t0, "ok")
	anonymous := plain.begin(g, visitor, t0, 3, func(s *core.Session) error { return s.SetValue("a", []byte{1}) })
	g.resumed("anonymous", "A session without a user.", plain, anonymous, plain.ticket(g, anonymous, t0), visitor, t0, "ok")
	g.resumed("by-id", "A program asks by ID: no secret is held against the record, and nothing is bound.", plain, h, core.ByID(h.record.ID), core.Request{Tenant: "acme"}, t0, "ok")
	g.resumed("other-record", "The store answered with another session.", plain, anonymous, t, visitor, t0, "refused unknown_session")
	g.resumed("other-tenant", "A session of another tenant, asked for by ID.", plain, h, core.ByID(h.record.ID), core.Request{Tenant: "globex"}, t0, "refused wrong_tenant")
	g.resumed("any-tenant", "Operators act for every tenant.", plain, h, core.ByID(h.record.ID), core.Request{AnyTenant: true}, t0, "ok")

	over := plain.then(g, h, t0, 7, func(s *core.Session) error { s.Outdate(); return nil })
	over.cookie = h.cookie
	g.resumed("outdated", "The user's credentials have changed a moment ago.", plain, over, t, visitor, t0, "refused credentials_changed")
	g.resumed("outdated-before", "Or a minute ago.", plain, over, t, visitor, t0+core.SupersededHold, "refused credentials_changed")
	g.resumed("outdated-by-id", "To a program such a session is not there.", plain, over, core.ByID(h.record.ID), core.Request{Tenant: "acme"}, t0, "refused unknown_session")
	proven := plain.then(g, h, t0, 8, func(s *core.Session) error {
		return s.LoginWith("alice", core.Login{Stamp: core.NewSecret("hash 1"), Methods: []string{"pwd", "otp"}})
	})
	g.resumed("proven", "A session that knows how its user has proved who they are.", plain, proven, plain.ticket(g, proven, t0), visitor, t0, "ok")

	idle := plain.with(func(p *core.Policy) { p.IdleTimeout = 30 * core.Minute })
	short := plain.with(func(p *core.Policy) { p.IdleTimeout, p.Lifetime = 30*core.Minute, 20*core.Minute })
	both := plain.with(func(p *core.Policy) { p.IdleTimeout, p.Lifetime = 30*core.Minute, 30*core.Minute })
	for _, e := range ends {
		for name, c := range map[string]struct {
			m       setup
			limit   core.Time
			about   string
			refusal string
		}{
			"idle":     {idle, 30 * core.Minute, "The idle timeout ends a session at the limit itself.", "refused idle"},
			"expired":  {plain, core.DefaultLifetime, "The lifetime ends a session at the limit itself.", "refused expired"},
			"lifetime": {short, 20 * core.Minute, "A lifetime shorter than the idle timeout.", "refused expired"},
			"both":     {both, 30 * core.Minute, "Both at one moment: idle is told.", "refused idle"},
		} {
			h := c.m.alice(g)
			g.resumed(name+"-"+e.name, c.about, c.m, h, c.m.ticket(g, h, t0), visitor, t0+c.limit+e.shift, at(e.shift, "ok", c.refusal))
		}
		g.resumed("anonymous-"+e.name, "A session without a user has a lifetime of its own.", plain, anonymous, plain.ticket(g, anonymous, t0), visitor,
			t0+core.DefaultAnonymousLifetime+e.shift, at(e.shift, "ok", "refused expired"))
	}
	longer := plain.with(func(p *core.Policy) { p.IdleTimeout = 40 * core.Minute })
	moved := idle.alice(g)
	g.resumed("clear-expiry", "A policy that was changed: the clear ExpiresAt counts too, by which sweeps go.", longer, moved, longer.ticket(g, moved, t0), visitor, t0+35*core.Minute, "refused idle")

	renewed := plain.then(g, h, t0+core.Minute, 2, (*core.Session).Renew)
	renewed.cookie = h.cookie
	g.resumed("superseded", "A privilege change has replaced the cookie.", plain, renewed, t, visitor, t0+core.Minute, "refused superseded")
	g.resumed("newer-than-record", "A restored store: the record is older than the cookie.", plain, h,
		plain.ticket(g, plain.then(g, h, t0+core.Minute, 2, (*core.Session).Renew), t0+core.Minute), visitor, t0+core.Minute, "refused superseded")
	theft(g)
}

// theft is about the previous secret after a periodic renewal.
func theft(g *generator) {
	m := plain.with(func(p *core.Policy) { p.RenewAfter, p.RenewGrace = 10*core.Minute, 30*core.Second })
	first := m.alice(g)
	old := m.ticket(g, first, t0)
	renewedAt := t0 + 10*core.Minute
	second := m.then(g, first, renewedAt, 2, nothing)
	if g.err == nil && second.cookie == first.cookie {
		g.must(fmt.Errorf("theft: nothing was renewed"))
	}
	g.resumed("renewed", "The next secret after a periodic renewal.", m, second, m.ticket(g, second, renewedAt), visitor, renewedAt, "ok")
	g.resumed("previous", "The previous secret while the next has not been seen.", m, second, old, visitor, renewedAt+core.Hour, "ok")
	seenAt := renewedAt + core.Minute
	seen := m.then(g, second, seenAt, 3, nothing) // the new secret is shown
	for _, e := range ends {
		g.resumed("grace-"+e.name, "The previous secret lives on for a grace after the next was seen; then it is theft.", m, seen, old, visitor,
			seenAt+30*core.Second+e.shift, at(e.shift, "ok", "refused theft"))
	}
	third := m.then(g, held{second.cookie, seen.record}, seenAt+20*core.Minute, 4, nothing)
	g.resumed("two-behind", "A secret two renewals old is theft at once.", m, third, old, visitor, seenAt+20*core.Minute, "refused theft")
}

// families: a session learns an address of the other family from its user's login.
func families(g *generator) {
	m := plain.with(func(p *core.Policy) { p.BindIPv4Bits, p.BindIPv6Bits = 32, 64 })
	h := m.begin(g, visitor, t0, 1, loginAlice)
	other := visitor
	other.IP = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	signIn := other
	signIn.SignIn = true
	t := m.ticket(g, h, t0)
	g.resumed("sign-in", "Of the other family, for a login of the user that follows at once.", m, h, t, signIn, t0, "ok")
	anonymous := m.begin(g, visitor, t0, 3, func(s *core.Session) error { return s.SetValue("a", []byte{1}) })
	g.resumed("sign-in-anonymous", "The same of a session without a user: nobody can prove that it is theirs.", m, anonymous, m.ticket(g, anonymous, t0), signIn, t0, "refused ip_family")
	if g.err != nil {
		return
	}
	c := m.machine(g)
	s, err := c.Resume(t, h.record, signIn, t0)
	g.must(err)
	if g.err != nil {
		return
	}
	g.must(s.Login("alice", 0))
	e, err := c.Commit(s, t0, core.Seed{4})
	g.must(err)
	if g.err != nil {
		return
	}
	both := store(e)
	t = m.ticket(g, both, t0)
	g.resumed("both-families-first", "After a login over the other family the first address is known.", m, both, t, visitor, t0, "ok")
	g.resumed("both-families-second", "After a login over the other family that address is known.", m, both, t, other, t0, "ok")
	far := other
	far.IP = "\x20\x01\x0d\xb9" + other.IP[4:]
	g.resumed("both-families-far", "Another address of the family that the login made known.", m, both, t, far, t0, "refused ip_changed")
}

func bindings(g *generator) {
	for _, c := range []struct {
		name, about string
		bits4       int
		bits6       int
		from, to    string
		expect      string
	}{
		{"ipv4-same", "The whole address is bound, and stays.", 32, 128, "\xc0\x00\x02\x07", "\xc0\x00\x02\x07", "ok"},
		{"ipv4-other", "Another address.", 32, 128, "\xc0\x00\x02\x07", "\xc0\x00\x02\x08", "refused ip_changed"},
		{"ipv4-network", "Another address of the bound network.", 24, 64, "\xc0\x00\x02\x07", "\xc0\x00\x02\xff", "ok"},
		{"ipv4-other-network", "Another network.", 24, 64, "\xc0\x00\x02\x07", "\xc0\x00\x03\x07", "refused ip_changed"},
		{"ipv4-odd-bits", "Bits that are no whole bytes: the last bound one differs.", 25, 64, "\xc0\x00\x02\x07", "\xc0\x00\x02\x87", "refused ip_changed"},
		{"ipv4-odd-bits-same", "Bits that are no whole bytes: an unbound one differs.", 25, 64, "\xc0\x00\x02\x07", "\xc0\x00\x02\x47", "ok"},
		{"family", "IPv6 is not IPv4: nothing is known of it, and the session lives on.", 32, 128, "\xc0\x00\x02\x07", "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "refused ip_family"},
		{"family-off", "Only IPv6 is bound, and began the session.", 0, 64, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "\xc0\x00\x02\x07", "refused ip_family"},
		{"family-free", "Only IPv6 is bound, and IPv4 began the session: it is bound to nothing.", 0, 64, "\xc0\x00\x02\x07", "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "ok"},
		{"unknown-now", "The address is not known any more.", 32, 128, "\xc0\x00\x02\x07", "", "refused ip_changed"},
		{"unknown-then", "It was not known at the beginning: nothing is bound.", 32, 128, "", "\xc0\x00\x02\x07", "ok"},
		{"ipv6-network", "The host part of IPv6 may change.", 0, 64, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "\x20\x01\x0d\xb8\x00\x00\x00\x00\xff\x00\x00\x00\x00\x00\x00\x02", "ok"},
		{"ipv6-other", "Another IPv6 network.", 0, 64, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "\x20\x01\x0d\xb8\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01", "refused ip_changed"},
		{"ipv4-off", "Only IPv6 is bound.", 0, 64, "\xc0\x00\x02\x07", "\x08\x08\x08\x08", "ok"},
	} {
		m := plain.with(func(p *core.Policy) { p.BindIPv4Bits, p.BindIPv6Bits = c.bits4, c.bits6 })
		from, to := visitor, visitor
		from.IP, to.IP = c.from, c.to
		h := m.begin(g, from, t0, 1, loginAlice)
		g.resumed("bound-"+c.name, c.about, m, h, m.ticket(g, h, t0), to, t0, c.expect)
	}
	families(g)
	m := plain.with(func(p *core.Policy) { p.BindUserAgent = true })
	h := m.alice(g)
	other := visitor
	other.UserAgent = "curl/8"
	g.resumed("bound-agent", "The user agent is bound, and stays.", m, h, m.ticket(g, h, t0), visitor, t0, "ok")
	g.resumed("bound-agent-other", "Another user agent.", m, h, m.ticket(g, h, t0), other, t0, "refused user_agent_changed")
	g.resumed("bound-agent-by-id", "A program has no user agent.", m, h, core.ByID(h.record.ID), core.Request{Tenant: "acme"}, t0, "ok")
}

// corruptions changes each clear field of a record, and what is sealed.
func corruptions(g *generator) {
	h := plain.alice(g)
	t := plain.ticket(g, h, t0)
	q := visitor
	q.AnyTenant = true
	for name, change := range map[string]func(*core.Record){
		"version": func(r *core.Record) { r.Version++ }, "tenant": func(r *core.Record) { r.Tenant = "globex" },
		"user": func(r *core.Record) { r.User = "mallory" }, "created": func(r *core.Record) { r.CreatedAt++ },
		"seen": func(r *core.Record) { r.SeenAt++ }, "expires": func(r *core.Record) { r.ExpiresAt++ },
		"moved-bytes": func(r *core.Record) { r.Tenant, r.User = "acmea", "lice" },
		"sealed-end":  func(r *core.Record) { r.Sealed[len(r.Sealed)-1] ^= 1 }, "sealed-middle": func(r *core.Record) { r.Sealed[40] ^= 1 },
		"format": func(r *core.Record) { r.Sealed[0] = 2 }, "epoch": func(r *core.Record) { r.Sealed[8] ^= 1 },
		"cut": func(r *core.Record) { r.Sealed = r.Sealed[:len(r.Sealed)-1] }, "tiny": func(r *core.Record) { r.Sealed = r.Sealed[:30] },
		"empty": func(r *core.Record) { r.Sealed = nil }, "other-key": func(r *core.Record) { r.Sealed[2] ^= 1 },
	} {
		bad := h
		bad.record.Sealed = append([]byte(nil), h.record.Sealed...)
		if g.err == nil {
			change(&bad.record)
		}
		g.resumed("corrupt-"+name, "A record that was changed in the store does not open.", plain, bad, t, q, t0, "refused corrupt")
	}
	from := keyB
	from.SealFrom = t0 + core.Minute
	g.resumed("former-key", "A record that a former key sealed.", plain.ring(keyA, from), h, t, visitor, t0+core.Hour, "ok")
	until := keyA
	until.OpenUntil = t0 + core.Minute
	g.resumed("retired-key", "A key opens records for as long as it is in the ring.", plain.ring(until, keyB), h, t, visitor, t0+core.Hour, "ok")
}

func dues(g *generator) {
	idle := plain.with(func(p *core.Policy) { p.IdleTimeout = 32 * core.Minute })
	add := func(name, about string, m setup, now core.Time, s *core.Session) {
		g.committed("due-"+name, about, m, s, now, core.Seed{9}, "ok")
	}
	for _, e := range ends {
		add("touch-"+e.name, "A use is noted after a sixteenth of the idle timeout.", idle, t0+2*core.Minute+e.shift, idle.resume(g, idle.alice(g), visitor, t0+2*core.Minute+e.shift))
		add("touch-lifetime-"+e.name, "Without an idle timeout, after a sixteenth of the lifetime, at most an hour.", plain, t0+core.Hour+e.shift, plain.resume(g, plain.alice(g), visitor, t0+core.Hour+e.shift))
	}
	if g.err != nil {
		return
	}
	add("new", "A new session with nothing in it.", plain, t0, plain.machine(g).New(visitor))
	byID, err := plain.machine(g).Resume(core.ByID(plain.alice(g).record.ID), plain.alice(g).record, core.Request{Tenant: "acme"}, t0+2*core.Hour)
	g.must(err)
	add("by-id", "A program's look is no use.", plain, t0+2*core.Hour, byID)
	same := plain.resume(g, plain.alice(g), visitor, t0)
	g.must(same.SetValue("a", []byte{1}))
	add("same-value", "A value that is set to what it was is no change.", plain, t0, same)
}
