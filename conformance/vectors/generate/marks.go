package main

import (
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

func reads(name string) func(*core.Session) error {
	return func(s *core.Session) error { s.Read(name); return nil }
}

func adds(name string, n int64) func(*core.Session) error {
	return func(s *core.Session) error { _, err := s.AddValue(name, n); return err }
}

func updates(name string, value ...byte) func(*core.Session) error {
	return func(s *core.Session) error { return s.UpdateValue(name, value) }
}

func all(steps ...func(*core.Session) error) func(*core.Session) error {
	return func(s *core.Session) error {
		for _, f := range steps {
			if err := f(s); err != nil {
				return err
			}
		}
		return nil
	}
}

// marks are what a request reads, adds and updates.
func marks(g *generator) {
	alice := func() *core.Session { return plain.change(g, t0, nothing) }
	for _, c := range []struct {
		name, about string
		changes     []byte
		expect      string
	}{
		{"read", "A value is read.", wire.AppendRead(nil, "a"), "ok"},
		{"read-missing", "That a value is missing is read, too.", wire.AppendRead(nil, "zz"), "ok"},
		{"read-then-set", "What was read is noted beside what is written.", wire.AppendSet(wire.AppendRead(nil, "a"), "a", []byte{2}), "ok"},
		{"add", "A difference.", wire.AppendAdd(nil, "n", 5), "ok"},
		{"add-twice", "Differences add up.", wire.AppendAdd(wire.AppendAdd(nil, "n", 5), "n", -7), "ok"},
		{"add-missing", "A missing counter is 0.", wire.AppendAdd(nil, "zz", 1), "ok"},
		{"add-overflow", "A sum has 64 bits.", wire.AppendAdd(nil, "n", 1<<63-1), "error counter"},
		{"add-to-text", "A text is no counter.", wire.AppendAdd(wire.AppendSet(nil, "t", []byte{0x61, 'x'}), "t", 1), "error counter"},
		{"add-no-name", "A counter has a name.", wire.AppendAdd(nil, "", 1), "error value_name"},
		{"update", "A value that was computed from the one before.", wire.AppendUpdate(nil, "a", []byte{2}), "ok"},
		{"update-bad", "It is a value like any other.", wire.AppendUpdate(nil, "a", []byte{0xf7}), "error bad_value"},
	} {
		g.applied(c.name, c.about, plain, alice(), c.changes, c.expect)
	}
	s := alice()
	if g.err == nil {
		g.must(all(set("b", 2), login("alice", 0))(s))
		g.add("quiet/changed", "A quiet view has nothing of what the request did.", plain, wire.AppendQuiet(nil, number, s), "ok", in("session", s.AppendBytes(nil)))
		q := plain.change(g, t0, set("b", 2)).Quiet()
		g.must(q.DeleteValue("a"))
		g.committed("quiet", "It stores values, notes no use and sets no cookie.", plain, q, t0+core.Hour, core.Seed{9}, "ok")
	}
}

// readings are requests that meet, and what the second has read.
func readings(g *generator) {
	wins := plain.with(func(p *core.Policy) { p.LastWins = []string{"a"} })
	every := plain.with(func(p *core.Policy) { p.LastWinsAll = true })
	for _, c := range []struct {
		name, about  string
		m            setup
		mine, theirs func(*core.Session) error
		expect       string
	}{
		{"read-set", "What was read and then set has changed underneath.", plain, all(reads("a"), set("a", 2)), set("a", 3), "conflict a"},
		{"read-deleted", "So is what was read and then deleted.", plain, all(reads("a"), remove("a")), set("a", 3), "conflict a"},
		{"read-missing", "A missing value was read, and is there now.", plain, all(reads("b"), set("b", 2)), set("b", 3), "conflict b"},
		{"read-same", "It already is what is written.", plain, all(reads("a"), set("a", 3)), set("a", 3), "ok"},
		{"read-other", "Another value changed.", plain, all(reads("a"), set("a", 2)), set("b", 3), "ok"},
		{"read-only", "It was read and not written.", plain, all(reads("a"), set("b", 2)), set("a", 3), "ok"},
		{"set-read-set", "What was read is the request's own.", plain, all(set("a", 2), reads("a"), set("a", 4)), set("a", 3), "ok"},
		{"last-wins", "The policy lets the later one win, for a name.", wins, all(reads("a"), set("a", 2)), set("a", 3), "ok"},
		{"last-wins-all", "And for all.", every, all(reads("a"), set("a", 2)), set("a", 3), "ok"},
		{"added-both", "All additions count.", plain, adds("n", 2), adds("n", 3), "ok"},
		{"added-beside-set", "To whatever is there by then.", plain, adds("n", 2), set("n", 3), "ok"},
		{"added-to-text", "Which must be a counter.", plain, adds("n", 2), set("n", 0x61, 'x'), "conflict n"},
		{"updated", "Nobody else has changed it.", plain, updates("a", 2), set("b", 3), "ok"},
		{"updated-again", "It is to be computed anew.", plain, updates("a", 2), set("a", 3), "ok"},
		{"added-and-updated-again", "The addition before it is made anew.", plain, all(adds("n", 2), updates("n", 9)), set("n", 3), "ok"},
	} {
		g.conflict(c.name, c.about, c.m, c.mine, c.theirs, c.expect)
	}
	later := t0 + core.Minute
	h := plain.alice(g)
	byID, err := plain.machine(g).Resume(core.ByID(h.record.ID), h.record, core.Request{Tenant: "acme"}, later)
	g.must(err)
	if g.err != nil {
		return
	}
	g.must(all(reads("a"), set("a", 2), login("alice", 0))(byID))
	theirs := plain.then(g, h, later, 2, set("a", 3)).record
	g.rebased("login-leaves-out", "A login never fails: the value is left out, and named.", plain, byID, &theirs, later, "ok")
	next, err := plain.machine(g).Rebase(byID, &theirs, later)
	g.must(err)
	g.committed("dropped", "What a login has left out is named.", plain, next, later, core.Seed{9}, "ok")
	again := plain.change(g, later, updates("a", 2))
	again, err = plain.machine(g).Rebase(again, &theirs, later)
	g.must(err)
	g.committed("again", "What must be computed anew is not stored.", plain, again, later, core.Seed{9}, "error again")
	doubles(g)
}

// doubles are logins that had one session.
func doubles(g *generator) {
	later := t0 + core.Minute
	for _, c := range []struct {
		name, about  string
		mine, theirs func(*core.Session) error
	}{
		{"double-login", "A login of the same user superseded it: what was loaded stays, and what was put.", all(login("alice", 0), set("a", 1), set("b", 2)), login("alice", 0)},
		{"double-login-renewed", "A change of privilege did: only what was put stays.", all(login("alice", 0), set("a", 1), set("b", 2)), (*core.Session).Renew},
	} {
		g.conflict(c.name, c.about, plain, c.mine, c.theirs, "ok")
	}
	g.rebased("gone-login-equal", "The session has ended: what was put stays, also where it equals what was there.", plain,
		plain.change(g, later, all(set("a", 1), adds("n", 3), login("alice", 0))), nil, later, "ok")
	g.rebased("gone-quiet", "A quiet view hears that the session has ended.", plain, plain.change(g, later, nothing).Quiet(), nil, later, "refused ended")
}

// begins are sessions that a request must not begin.
func begins(g *generator) {
	strict := plain.with(func(p *core.Policy) { p.SameSite = core.SameSiteStrict })
	none := plain.with(func(p *core.Policy) { p.SameSite = core.SameSiteNone })
	secure := plain.with(func(p *core.Policy) { p.SecureByRequest = true })
	browser := plain.with(func(p *core.Policy) { p.EndWithBrowser = true })
	seed := core.Seed{9}
	begin := func(name, about string, m setup, change func(*core.Request), do func(*core.Session) error, expect string) {
		q := visitor
		change(&q)
		s := m.machine(g).New(q)
		g.must(do(s))
		g.committed(name, about, m, s, t0, seed, expect)
	}
	late := func(q *core.Request) { q.Superseded = true }
	link := func(q *core.Request) { q.CrossSite = core.CrossSiteNavigation }
	form := func(q *core.Request) { q.CrossSite = core.CrossSiteOther }
	barred := func(q *core.Request) { q.SignIn = true }
	https := func(q *core.Request) { q.HTTPS = true }
	begin("superseded", "A late request begins no session in place of a login's.", plain, late, set("a", 1), "refused superseded")
	begin("superseded-login", "It may sign in.", plain, late, login("alice", 0), "ok")
	begin("superseded-read", "And read.", plain, late, nothing, "ok")
	begin("cross-site", "Nor does a request of another site.", plain, form, set("a", 1), "refused cross_site")
	begin("cross-site-login", "It may sign in.", plain, form, login("alice", 0), "ok")
	begin("cross-site-link", "A link brings the Lax cookie.", plain, link, set("a", 1), "ok")
	begin("cross-site-link-strict", "And not the Strict one.", strict, link, set("a", 1), "refused cross_site")
	begin("cross-site-none", "SameSite=None is for other sites.", none, form, set("a", 1), "ok")
	begin("other-family", "A session that is not open to this address is not replaced.", plain, barred, set("a", 1), "refused ip_family")
	begin("secure-https", "Secure by the request: HTTPS.", secure, https, login("alice", 0), "ok")
	begin("secure-http", "Plain HTTP.", secure, func(*core.Request) {}, login("alice", 0), "ok")
	begin("remembered", "A lifetime of its own is remembered, whatever its length.", browser, https, login("alice", core.DefaultLifetime), "ok")
	g.add("clear_cookie/secure-http", "The cookie of a plain request.", secure, wire.AppendClearCookie(nil, number, false), "ok")
	h := plain.alice(g)
	renewed := plain.then(g, h, t0+core.Second, 2, (*core.Session).Renew)
	for _, e := range ends {
		now := t0 + core.Second + core.SupersededHold + e.shift
		t := plain.ticket(g, h, now)
		g.add("resume/superseded-lately-"+e.name, "For a minute a superseded cookie is one of a late request.", plain,
			wire.AppendResume(nil, number, now, t, visitor, &renewed.record), "refused superseded", append(recordFields(&renewed.record), in("now", now))...)
	}
	other := plain.change(g, t0, login("bob", 0))
	if g.err != nil {
		return
	}
	e, err := plain.machine(g).Commit(other, t0, core.Seed{7})
	if g.must(err); g.err != nil {
		return
	}
	t := plain.ticket(g, h, t0)
	g.add("resume/replaced", "Another user has signed in in its place.", plain, wire.AppendResume(nil, number, t0, t, visitor, e.Trace), "refused superseded", append(recordFields(e.Trace), in("now", t0))...)
	g.add("resume/replaced-by-id", "A program finds no session there.", plain, wire.AppendResume(nil, number, t0, core.ByID(h.record.ID), visitor, e.Trace), "refused unknown_session", append(recordFields(e.Trace), in("now", t0))...)
}
