package main

import (
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

// conflict is two requests with the same session: the first stores, the second
// is rebased on that.
func (g *generator) conflict(name, about string, m setup, mine, theirs func(*core.Session) error, expect string) {
	later := t0 + core.Minute
	h := m.alice(g)
	s := m.resume(g, h, visitor, later)
	if g.err != nil {
		return
	}
	g.must(mine(s))
	stored := m.then(g, h, later, 2, theirs)
	g.rebased(name, about, m, s, &stored.record, later, expect)
}

func (g *generator) rebased(name, about string, m setup, s *core.Session, theirs *core.Record, now core.Time, expect string) {
	if g.err != nil {
		return
	}
	fields := append(m.fields()[:0:0], in("now", now), in("session", s.AppendBytes(nil)))
	if theirs != nil {
		fields = append(fields, recordFields(theirs)...)
	}
	g.add("rebase/"+name, about, m, wire.AppendRebase(nil, number, now, s, theirs), expect, fields...)
}

func remove(name string) func(*core.Session) error {
	return func(s *core.Session) error { return s.DeleteValue(name) }
}

func rebases(g *generator) {
	exclusive := plain.with(func(p *core.Policy) { p.Exclusive = []string{"a"} })
	for _, c := range []struct {
		name, about  string
		m            setup
		mine, theirs func(*core.Session) error
		expect       string
	}{
		{"other-names", "Changes to different names both survive.", plain, set("b", 2), set("c", 3), "ok"},
		{"same-name", "On the same name the later commit wins.", plain, set("a", 2), set("a", 3), "ok"},
		{"same-value", "Both made the same change.", plain, set("a", 2), set("a", 2), "ok"},
		{"deleted-by-them", "Deleted underneath, set here.", plain, set("a", 2), remove("a"), "ok"},
		{"deleted-here", "Set underneath, deleted here.", plain, remove("a"), set("a", 2), "ok"},
		{"deleted-by-both", "Deleted by both.", plain, remove("a"), remove("a"), "ok"},
		{"cleared-here", "Clearing removes what this request saw, not what came since.", plain, (*core.Session).ClearValues, set("b", 2), "ok"},
		{"cleared-by-them", "Cleared underneath.", plain, set("b", 2), (*core.Session).ClearValues, "ok"},
		{"unchanged", "A request that changed nothing goes on with theirs.", plain, nothing, set("a", 2), "ok"},
		{"login-here", "A login here goes on the record of theirs.", plain, login("alice", 0), set("b", 2), "ok"},
		{"login-both", "Both signed in: this one begins a fresh session with nothing of the stored record.", plain, login("alice", 0), login("alice", 0), "ok"},
		{"login-other-user", "Another user has signed in meanwhile.", plain, login("alice", 0), login("bob", 0), "ok"},
		{"login-by-them", "A login has replaced the cookie: changes are refused.", plain, set("b", 2), login("alice", 0), "refused superseded"},
		{"renewed-by-them", "So has a privilege change.", plain, set("b", 2), (*core.Session).Renew, "refused superseded"},
		{"read-renewed-by-them", "A request that only read has nothing to store.", plain, nothing, (*core.Session).Renew, "ok"},
		{"refreshed-both", "Both refreshed.", plain, (*core.Session).Refresh, (*core.Session).Refresh, "ok"},
		{"relimited-here", "A lifetime of its own.", plain, func(s *core.Session) error { return s.SetLifetime(core.Hour) }, set("b", 2), "ok"},
		{"exclusive-same", "A name that must not have changed underneath did.", exclusive, set("a", 2), set("a", 3), "conflict a"},
		{"exclusive-other", "Another name did.", exclusive, set("a", 2), set("b", 3), "ok"},
		{"exclusive-untouched", "It changed underneath, and this request left it alone.", exclusive, set("b", 2), set("a", 3), "ok"},
	} {
		g.conflict(c.name, c.about, c.m, c.mine, c.theirs, c.expect)
	}
	later := t0 + core.Minute
	g.rebased("gone-changed", "The session has ended meanwhile: changes are refused.", plain, plain.change(g, later, set("a", 2)), nil, later, "refused ended")
	g.rebased("gone-read", "The session has ended: a request that changed nothing goes on.", plain, plain.change(g, later, nothing), nil, later, "ok")
	g.rebased("gone-login", "A login never fails: it begins a fresh session.", plain, plain.change(g, later, func(s *core.Session) error {
		if err := s.SetValue("cart", []byte{3}); err != nil {
			return err
		}
		return s.Login("alice", 0)
	}), nil, later, "ok")
	h := plain.alice(g)
	for _, e := range ends {
		now := t0 + core.DefaultLifetime
		s := plain.resume(g, h, visitor, now-1)
		if g.err == nil {
			g.must(s.SetValue("a", []byte{2}))
		}
		g.rebased("expired-"+e.name, "What expired while this request ran has ended.", plain, s, &h.record, now+e.shift, at(e.shift, "ok", "refused ended"))
	}
	bad := h.record
	bad.User = "mallory"
	g.rebased("corrupt", "A record that does not open.", plain, plain.change(g, later, set("a", 2)), &bad, later, "refused corrupt")
}

func merges(g *generator) {
	m := plain.with(func(p *core.Policy) {
		p.Merge = map[string]core.MergeKind{"n": core.MergeCounter, "s": core.MergeSet}
	})
	value := func(v any) []byte {
		b, err := core.AppendValue(nil, v)
		g.must(err)
		return b
	}
	put := func(name string, v any) func(*core.Session) error { return set(name, value(v)...) }
	for _, c := range []struct {
		name, about        string
		of                 string
		base, mine, theirs any
	}{
		{"counter-both", "Both added: both count.", "n", 10, 13, 15}, {"counter-down", "One took away.", "n", 10, 7, 15}, {"counter-int64", "Of type int64.", "n", int64(10), int64(11), int64(12)},
		{"counter-types", "Of two types: the later wins.", "n", 10, int64(11), 12}, {"counter-overflow", "Past the end: the later wins.", "n", int64(0), int64(1), int64(1<<63 - 1)},
		{"counter-text", "No number: the later wins.", "n", "ten", 11, 12}, {"set-both", "Both added elements.", "s", []string{"a"}, []string{"a", "b"}, []string{"a", "c"}},
		{"set-removed", "One removed, one added.", "s", []string{"a", "b"}, []string{"b"}, []string{"a", "b", "c"}}, {"set-same", "Both added the same.", "s", []string{}, []string{"x"}, []string{"x"}},
		{"set-any", "Elements of any type.", "s", []any{1}, []any{1, "1"}, []any{1, nil}}, {"set-types", "Of two types: the later wins.", "s", []string{"a"}, []any{"a", "b"}, []string{"a", "c"}},
	} {
		h := m.then(g, m.alice(g), t0, 3, put(c.of, c.base))
		s := m.resume(g, h, visitor, t0+core.Minute)
		if g.err != nil {
			return
		}
		g.must(put(c.of, c.mine)(s))
		stored := m.then(g, h, t0+core.Minute, 4, put(c.of, c.theirs))
		g.rebased("merge-"+c.name, c.about, m, s, &stored.record, t0+core.Minute, "ok")
	}
}

// outdated are requests that meet the end of their session by a change of credentials.
func outdated(g *generator) {
	later := t0 + core.Minute
	h := plain.alice(g)
	over := plain.then(g, h, later, 7, func(s *core.Session) error { s.Outdate(); return nil })
	mine := func(do func(*core.Session) error) *core.Session {
		s := plain.resume(g, h, visitor, later)
		if g.err == nil {
			g.must(do(s))
		}
		return s
	}
	g.rebased("outdated-set", "A change is refused.", plain, mine(set("a", 2)), &over.record, later, "refused credentials_changed")
	g.rebased("outdated-read", "What only noted a use is not stored.", plain, mine(nothing), &over.record, later, "ok")
	g.rebased("outdated-renewed", "The request that has changed them itself begins anew, with all that it had.", plain,
		mine(func(s *core.Session) error { return s.RenewWith("hash 2") }), &over.record, later, "ok")
	stamped := plain.then(g, h, later, 8, func(s *core.Session) error { return s.Adopt("hash 1") })
	g.rebased("adopted-twice", "A stamp that a sibling has stored stays.", plain, mine(func(s *core.Session) error {
		if err := s.Adopt("hash 2"); err != nil {
			return err
		}
		return s.SetValue("a", []byte{2})
	}), &stamped.record, later, "ok")
}

func folds(g *generator) {
	later := t0 + core.Minute
	add := func(name, about string, m setup, t, s *core.Session, expect string) {
		if g.err == nil {
			g.add("fold/"+name, about, m, wire.AppendFold(nil, number, t, s), expect, in("into", t.AppendBytes(nil)), in("session", s.AppendBytes(nil)))
		}
	}
	add("values", "The changes of one request go along with another's.", plain, plain.change(g, later, set("a", 2)), plain.change(g, later, set("b", 3)), "ok")
	add("same-name", "The later one wins.", plain, plain.change(g, later, set("a", 2)), plain.change(g, later, set("a", 3)), "ok")
	add("nothing", "A request that changed nothing.", plain, plain.change(g, later, set("a", 2)), plain.change(g, later, nothing), "ok")
	add("refresh", "A refresh goes along.", plain, plain.change(g, later, nothing), plain.change(g, later, (*core.Session).Refresh), "ok")
	h := plain.alice(g)
	renewed := plain.then(g, h, later, 2, (*core.Session).Renew)
	add("superseded", "A request from before a privilege change.", plain, plain.resume(g, renewed, visitor, later), plain.change(g, later, set("a", 3)), "refused superseded")
	exclusive := plain.with(func(p *core.Policy) { p.Exclusive = []string{"a"} })
	add("exclusive", "A name that must not have changed underneath.", exclusive, exclusive.change(g, later, set("a", 2)), exclusive.change(g, later, set("a", 3)), "conflict a")
}

func applieds(g *generator) {
	chain := []held{plain.alice(g)}
	for n := range byte(12) {
		chain = append(chain, plain.then(g, chain[n], t0+core.Time(n), 30+n, set("a", n)))
	}
	if g.err != nil {
		return
	}
	last := chain[len(chain)-1].record
	version := func(n int) core.Version { return chain[n].record.Version }
	add := func(name, about string, version, prev core.Version, r core.Record, expect string) {
		g.add("applied/"+name, about, plain, wire.AppendApplied(nil, number, t0, version, prev, &r), expect,
			append(recordFields(&r), in("version", version), in("prev", prev))...)
	}
	add("own", "The record is this save.", version(12), version(11), last, "ok")
	add("prev", "The record is what the save was to replace: it was not applied.", 77, version(12), last, "ok")
	add("before", "The save was applied, and others after it.", version(8), version(7), last, "ok")
	add("oldest-kept", "The oldest version that is remembered.", version(4), version(3), last, "ok")
	add("forgotten", "A version that is not remembered any more: nobody can tell.", version(3), version(2), last, "ok")
	add("never", "Its predecessor is remembered, and was replaced by another: it was not applied.", 77, version(7), last, "ok")
	add("whole-history", "The whole history is remembered, and it is not in it.", 77, 78, chain[3].record, "ok")
	bad := last
	bad.SeenAt++
	add("corrupt", "A record that does not open.", 77, 78, bad, "refused corrupt")
}
