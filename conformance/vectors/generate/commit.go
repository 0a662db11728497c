package main

import (
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

// committed adds a commit, whose effects stand in words beside the reply.
func (g *generator) committed(name, about string, m setup, s *core.Session, now core.Time, seed core.Seed, expect string) {
	if g.err != nil {
		return
	}
	frame := wire.AppendCommit(nil, number, now, seed, s)
	fields := append(m.fields()[:0:0], in("now", now), in("seed", seed), in("session", s.AppendBytes(nil)))
	if e, err := m.machine(g).Commit(s, now, seed); err == nil {
		fields = append(fields, out("delete", e.Delete[:]), out("touch", e.Touch), out("did", e.Did), out("size", e.Size), out("warn", e.Warn), out("prev", e.Prev))
		if e.Save != nil {
			for _, f := range recordFields(e.Save) {
				f.Name = "out." + strings.TrimPrefix(f.Name, "in.")
				fields = append(fields, f)
			}
		}
		if e.Trace != nil {
			fields = append(fields, out("trace.id", e.Trace.ID[:]), out("trace.expires_at", e.Trace.ExpiresAt), out("trace.sealed", e.Trace.Sealed))
		}
		for _, name := range e.Dropped {
			fields = append(fields, out("dropped", name))
		}
		for _, c := range e.Cookies {
			fields = append(fields, out("set_cookie", c))
		}
	}
	g.add("commit/"+name, about, m, frame, expect, fields...)
}

// change resumes alice at a moment and does something.
func (m setup) change(g *generator, now core.Time, do func(*core.Session) error) *core.Session {
	s := m.resume(g, m.alice(g), visitor, now)
	if g.err == nil {
		g.must(do(s))
	}
	return s
}

func (m setup) fresh(g *generator, do func(*core.Session) error) *core.Session {
	s := m.machine(g).New(visitor)
	g.must(do(s))
	return s
}

func end(s *core.Session) error { s.End(); return nil }

func login(user string, lifetime core.Time) func(*core.Session) error {
	return func(s *core.Session) error { return s.Login(user, lifetime) }
}

func set(name string, value ...byte) func(*core.Session) error {
	return func(s *core.Session) error { return s.SetValue(name, value) }
}

func commits(g *generator) {
	seed := core.Seed{9}
	later := t0 + core.Minute
	for _, c := range []struct {
		name, about string
		s           *core.Session
		expect      string
	}{
		{"new-empty", "A new session with nothing in it has no effects.", plain.fresh(g, nothing), "ok"},
		{"new-value", "The first value stores a session without a user.", plain.fresh(g, set("a", 1)), "ok"},
		{"new-login", "A login stores a session.", plain.fresh(g, login("alice", 0)), "ok"},
		{"new-login-remembered", "A lifetime of its own.", plain.fresh(g, login("alice", 30*core.Day)), "ok"},
		{"new-login-proven", "A login with a stamp of the credentials, and how the user has proved who they are.", plain.fresh(g, func(s *core.Session) error {
			return s.LoginWith("alice", core.Login{Stamp: core.NewSecret("hash 1"), Methods: []string{"pwd"}})
		}), "ok"},
		{"confirmed", "The user has proved once more who they are: a new secret.", plain.change(g, later, func(s *core.Session) error { return s.Confirm("otp") }), "ok"},
		{"renewed-with", "A new secret under a new stamp.", plain.change(g, later, func(s *core.Session) error { return s.RenewWith("hash 2") }), "ok"},
		{"adopted", "A stamp for a session without is stored as a use is.", plain.change(g, later, func(s *core.Session) error { return s.Adopt("hash 1") }), "ok"},
		{"outdated", "The credentials have changed: what was loaded ends by a save, with no cookie.", plain.change(g, later, func(s *core.Session) error { s.Outdate(); return nil }), "ok"},
		{"new-renewed", "A privilege change of a new session alone stores nothing.", plain.fresh(g, (*core.Session).Renew), "ok"},
		{"new-ended", "Ending what is not stored clears the cookie.", plain.fresh(g, end), "ok"},
		{"new-kept", "A session that is stored although it is empty.", plain.fresh(g, func(s *core.Session) error { return s.Keep(core.Seed{5}) }), "ok"},
		{"unchanged", "A session that was only read has no effects.", plain.change(g, later, nothing), "ok"},
		{"value", "A changed value.", plain.change(g, later, set("a", 2)), "ok"},
		{"value-added", "Names are ordered by length, then bytes.", plain.change(g, later, set("b", 2)), "ok"},
		{"value-deleted", "A deleted value.", plain.change(g, later, func(s *core.Session) error { return s.DeleteValue("a") }), "ok"},
		{"cleared", "All values are removed; the session lives on.", plain.change(g, later, (*core.Session).ClearValues), "ok"},
		{"login-again", "The same user: a new secret, and the values stay.", plain.change(g, later, login("alice", 0)), "ok"},
		{"login-other", "Another user: the old session ends, and a new one without its values begins.", plain.change(g, later, login("bob", 0)), "ok"},
		{"renewed", "A privilege change makes a new secret.", plain.change(g, later, (*core.Session).Renew), "ok"},
		{"refreshed", "A refresh moves the deadline.", plain.change(g, later, (*core.Session).Refresh), "ok"},
		{"relimited", "A shorter lifetime.", plain.change(g, later, func(s *core.Session) error { return s.SetLifetime(core.Minute) }), "ok"},
		{"ended", "Ending deletes and clears the cookie.", plain.change(g, later, end), "ok"},
		{"value-and-ended", "What was changed before the end is gone.", plain.change(g, later, func(s *core.Session) error { defer s.End(); return s.SetValue("a", []byte{2}) }), "ok"},
	} {
		g.committed(c.name, c.about, plain, c.s, later, seed, c.expect)
	}
	g.committed("no-seed", "Nothing is issued without randomness.", plain, plain.change(g, later, set("a", 2)), later, core.Seed{}, "error seed")
	g.committed("seed-last-byte", "Every byte of the seed counts.", plain, plain.change(g, later, set("a", 2)), later, core.Seed{31: 9}, "ok")
	g.committed("same-seed-other-value", "A seed that comes twice gives no nonce twice, since the plaintext differs.", plain, plain.change(g, later, set("a", 3)), later, seed, "ok")
	none := keyA
	none.OpenUntil = t0 + core.Second
	g.committed("no-sealing-key", "No key of the ring seals now.", plain.ring(none), plain.change(g, t0, set("a", 2)), later, seed, "error no_sealing")
	bad := visitor
	bad.Tenant = "no\x00name"
	if g.err == nil {
		s := plain.machine(g).New(bad)
		g.must(s.Login("alice", 0))
		g.committed("bad-tenant", "A tenant that no store could keep.", plain, s, later, seed, "error bad_name")
	}
	small := plain.with(func(p *core.Policy) { p.WarnSize = 20 })
	for n := 11; n <= 13; n++ {
		text := append([]byte{0x60 | byte(n)}, strings.Repeat("x", n)...)
		g.committed("warn-"+string(rune('a'+n-11)), "A warning when the size passes WarnSize, which is 20 here.", small, small.fresh(g, set("name", text...)), later, seed, "ok")
	}
}

func commitTimes(g *generator) {
	seed := core.Seed{9}
	idle := plain.with(func(p *core.Policy) { p.IdleTimeout = 32 * core.Minute })
	most := plain.with(func(p *core.Policy) { p.MaxLifetime = 2 * core.Day })
	from := keyB
	from.SealFrom = t0 + core.Minute
	rotated := plain.ring(keyA, from)
	for _, e := range ends {
		g.committed("touch-"+e.name, "A use is written after a sixteenth of the idle timeout, without a cookie.", idle, idle.change(g, t0+2*core.Minute+e.shift, nothing), t0+2*core.Minute+e.shift, seed, "ok")
		long := core.Day - 1
		h := most.then(g, most.alice(g), t0+long, 2, (*core.Session).Refresh)
		last := t0 + 2*core.Day - core.DefaultLifetime + e.shift
		s := most.resume(g, h, visitor, max(last, t0+long))
		if g.err == nil {
			g.must(s.Refresh())
		}
		g.committed("refresh-max-"+e.name, "No refresh goes past MaxLifetime since the login.", most, s, max(last, t0+long), seed, "ok")
		g.committed("reseal-"+e.name, "What a former key sealed is sealed anew once its successor seals.", rotated, rotated.resume(g, plain.alice(g), visitor, t0+core.Minute+e.shift), t0+core.Minute+e.shift, seed, "ok")
	}
	byID, err := plain.machine(g).Resume(core.ByID(plain.alice(g).record.ID), plain.alice(g).record, core.Request{Tenant: "acme"}, t0+core.Hour)
	g.must(err)
	g.committed("by-id", "A program's look is no use, and is not noted.", plain, byID, t0+core.Hour, seed, "ok")
	if g.err == nil {
		g.must(byID.SetValue("a", []byte{2}))
	}
	g.committed("by-id-value", "A program's change is written, without a cookie and without a use.", plain, byID, t0+core.Hour, seed, "ok")
	g.committed("clock-back", "The clock went back: the last use never does.", plain, plain.change(g, t0, set("a", 2)), t0-core.Minute, seed, "ok")
	versions := plain.alice(g)
	for n := range byte(10) {
		versions = plain.then(g, versions, t0+core.Time(n), 20+n, set("a", n))
	}
	s := plain.resume(g, versions, visitor, t0+core.Minute)
	if g.err == nil {
		g.must(s.SetValue("a", []byte{20}))
	}
	g.committed("versions", "A record remembers its last eight versions.", plain, s, t0+core.Minute, seed, "ok")
}

// secrets is periodic renewal.
func secrets(g *generator) {
	seed := core.Seed{9}
	m := plain.with(func(p *core.Policy) { p.RenewAfter, p.RenewGrace = 10*core.Minute, 30*core.Second })
	for _, e := range ends {
		g.committed("renewal-"+e.name, "The next secret is due at RenewAfter.", m, m.change(g, t0+10*core.Minute+e.shift, nothing), t0+10*core.Minute+e.shift, seed, "ok")
	}
	quiet := visitor
	quiet.NoCookie = true
	s := m.resume(g, m.alice(g), quiet, t0+20*core.Minute)
	g.committed("renewal-no-cookie", "It does not begin where a cookie cannot travel.", m, s, t0+20*core.Minute, seed, "ok")
	first := m.alice(g)
	second := m.then(g, first, t0+10*core.Minute, 2, nothing)
	behind := held{first.cookie, second.record}
	g.committed("renewal-follow", "A request with the previous secret gets the one that followed it.", m, m.resume(g, behind, visitor, t0+11*core.Minute), t0+11*core.Minute, seed, "ok")
	g.committed("renewal-seen", "The next secret is seen for the first time: from now on the previous has its grace.", m, m.resume(g, second, visitor, t0+11*core.Minute), t0+11*core.Minute, seed, "ok")
	off := plain.alice(g)
	g.committed("renewal-switched-on", "Renewal that was switched on later makes its key first.", m, m.resume(g, off, visitor, t0+30*core.Minute), t0+30*core.Minute, seed, "ok")
	g.committed("renewal-and-login", "A login begins a new chain.", m, m.change(g, t0+20*core.Minute, login("alice", 0)), t0+20*core.Minute, seed, "ok")
}

func cookies(g *generator) {
	seed := core.Seed{9}
	shapes := map[string]func(*core.Policy){
		"default": func(*core.Policy) {}, "strict": func(p *core.Policy) { p.SameSite = core.SameSiteStrict },
		"none": func(p *core.Policy) { p.SameSite = core.SameSiteNone }, "insecure": func(p *core.Policy) { p.AllowInsecure = true },
		"scripts": func(p *core.Policy) { p.AllowScripts = true }, "partitioned": func(p *core.Policy) { p.Partitioned = true },
		"domain": func(p *core.Policy) { p.CookieDomain = ".example.com" }, "path": func(p *core.Policy) { p.CookiePath = "/app" },
		"browser": func(p *core.Policy) { p.EndWithBrowser = true },
		"former": func(p *core.Policy) {
			p.FormerScopes = []core.Scope{{Path: "/old"}, {Path: "/", Domain: "example.com"}}
		},
		"host": func(p *core.Policy) { p.CookieName = "__Host-s" },
	}
	for name, change := range shapes {
		m := plain.with(change)
		g.add("clear_cookie/"+name, "The fields that remove the cookie.", m, wire.AppendClearCookie(nil, number, true), "ok")
		g.committed("cookie-"+name, "The fields that set the cookie.", m, m.fresh(g, login("alice", 0)), t0, seed, "ok")
	}
	browser := plain.with(shapes["browser"])
	g.committed("cookie-browser-remembered", "A session that is remembered outlives the browser.", browser, browser.fresh(g, login("alice", 30*core.Day)), t0, seed, "ok")
	add := func(name, about string, s *core.Session, seed core.Seed, expect string) {
		if g.err == nil {
			g.add("cookie/"+name, about, plain, wire.AppendCookie(nil, number, t0, seed, s), expect, in("now", t0), in("seed", seed))
		}
	}
	add("stored", "The cookie of a stored session, set by hand.", plain.change(g, t0, nothing), seed, "ok")
	add("new", "A session that is not stored has none.", plain.fresh(g, nothing), seed, "ok")
	add("ended", "One that has ended has none.", plain.change(g, t0, end), seed, "ok")
	add("no-seed", "Nothing is sealed without randomness.", plain.change(g, t0, nothing), core.Seed{}, "error seed")
}
