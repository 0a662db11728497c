package main

import (
	"fmt"
	"strings"

	"github.com/rockstar-web/sessions/conformance/vectors"
	"github.com/rockstar-web/sessions/core"
)

// t0 is the first moment of an epoch; number is of the one machine.
const (
	t0     core.Time = 500_000 * core.Hour
	number           = 1
)

// Keys that were drawn for the vectors and protect nothing else.
var (
	keyA = core.Key{Bytes: core.NewSecret("7c1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15")}
	keyB = core.Key{Bytes: core.NewSecret("e26b90d1743fa85c0d9e27b6f1483a5cc7d2045b9e8f1a6630bd94e7521fc8a0")}
	keyC = core.Key{Bytes: core.NewSecret("15a7f4c2d89b3e60a4f19c5d7e02b8463fd8a90c61e5247bb03c9d1ef6a78254")}
)

var plain = setup{keys: core.KeyRing{keyA}}

func (m setup) with(change func(*core.Policy)) setup {
	change(&m.policy)
	return m
}

func (m setup) ring(keys ...core.Key) setup {
	m.keys = keys
	return m
}

func (m setup) machine(g *generator) *core.Machine {
	c, err := core.NewMachine(m.policy, m.keys)
	g.must(err)
	return c
}

// fields shows the keys, and of the policy what is not its default.
func (m setup) fields() (all []vectors.Field) {
	for _, k := range m.keys {
		v := string(k.Bytes.Bytes())
		if k.SealFrom != 0 || k.OpenUntil != 0 {
			v += fmt.Sprintf(" seal_from %d open_until %d", k.SealFrom, k.OpenUntil)
		}
		all = append(all, in("key", v))
	}
	p := m.policy
	for _, f := range []struct {
		name  string
		value any
		zero  bool
	}{
		{"cookie_name", p.CookieName, p.CookieName == ""}, {"cookie_path", p.CookiePath, p.CookiePath == ""},
		{"cookie_domain", p.CookieDomain, p.CookieDomain == ""}, {"allow_insecure", p.AllowInsecure, !p.AllowInsecure},
		{"allow_scripts", p.AllowScripts, !p.AllowScripts}, {"same_site", p.SameSite, p.SameSite == 0},
		{"partitioned", p.Partitioned, !p.Partitioned}, {"end_with_browser", p.EndWithBrowser, !p.EndWithBrowser},
		{"former_scopes", p.FormerScopes, p.FormerScopes == nil}, {"lifetime", p.Lifetime, p.Lifetime == 0},
		{"anonymous_lifetime", p.AnonymousLifetime, p.AnonymousLifetime == 0}, {"max_lifetime", p.MaxLifetime, p.MaxLifetime == 0},
		{"idle_timeout", p.IdleTimeout, p.IdleTimeout == 0}, {"renew_after", p.RenewAfter, p.RenewAfter == 0},
		{"renew_grace", p.RenewGrace, p.RenewGrace == 0}, {"retention", p.Retention, p.Retention == 0},
		{"bind_ipv4_bits", p.BindIPv4Bits, p.BindIPv4Bits == 0}, {"bind_ipv6_bits", p.BindIPv6Bits, p.BindIPv6Bits == 0},
		{"bind_user_agent", p.BindUserAgent, !p.BindUserAgent}, {"session_size", p.SessionSize, p.SessionSize == 0},
		{"warn_size", p.WarnSize, p.WarnSize == 0}, {"merge", p.Merge, p.Merge == nil}, {"exclusive", p.Exclusive, p.Exclusive == nil},
		{"secure_by_request", p.SecureByRequest, !p.SecureByRequest}, {"last_wins", p.LastWins, p.LastWins == nil}, {"last_wins_all", p.LastWinsAll, !p.LastWinsAll},
	} {
		if !f.zero {
			all = append(all, in("policy."+f.name, f.value))
		}
	}
	return all
}

// held is a session as a browser and a store have it.
type held struct {
	cookie string // of a Cookie field
	record core.Record
}

func (h held) value() string {
	_, v, _ := strings.Cut(h.cookie, "=")
	return v
}

// store carries out effects.
func store(e core.Effects) (h held) {
	if e.Save != nil {
		h.record = *e.Save
	}
	if len(e.Cookies) > 0 {
		h.cookie, _, _ = strings.Cut(e.Cookies[0], ";")
	}
	return h
}

var visitor = core.Request{Tenant: "acme", IP: "\xc0\x00\x02\x07", UserAgent: "Mozilla/5.0"}

// begin stores a new session to which do was done.
func (m setup) begin(g *generator, q core.Request, now core.Time, seed byte, do func(*core.Session) error) held {
	c := m.machine(g)
	if g.err != nil {
		return held{}
	}
	s := c.New(q)
	g.must(do(s))
	e, err := c.Commit(s, now, core.Seed{seed})
	g.must(err)
	return store(e)
}

// alice is signed in since t0, with two values.
func (m setup) alice(g *generator) held { return m.begin(g, visitor, t0, 1, loginAlice) }

func loginAlice(s *core.Session) error {
	if err := s.Login("alice", 0); err != nil {
		return err
	}
	if err := s.SetValue("a", []byte{1}); err != nil {
		return err
	}
	return s.SetValue("n", []byte{10})
}

// ticket opens the cookie.
func (m setup) ticket(g *generator, h held, now core.Time) core.Ticket {
	if g.err != nil {
		return core.Ticket{}
	}
	tickets, err := m.machine(g).Identify([]string{h.cookie}, h.record.Tenant, now)
	if err != nil {
		g.must(fmt.Errorf("identify: %w", err))
		return core.Ticket{}
	}
	return tickets[0]
}

// resume gives the session of a request with the cookie.
func (m setup) resume(g *generator, h held, q core.Request, now core.Time) *core.Session {
	c := m.machine(g)
	if g.err != nil {
		return nil
	}
	s, err := c.Resume(m.ticket(g, h, now), h.record, q, now)
	if err != nil {
		g.must(fmt.Errorf("resume: %w", err))
	}
	return s
}

// then resumes, changes and stores again.
func (m setup) then(g *generator, h held, now core.Time, seed byte, do func(*core.Session) error) held {
	s := m.resume(g, h, visitor, now)
	if g.err != nil {
		return h
	}
	g.must(do(s))
	e, err := m.machine(g).Commit(s, now, core.Seed{seed})
	g.must(err)
	next := store(e)
	if next.cookie == "" {
		next.cookie = h.cookie
	}
	if e.Save == nil {
		next.record = h.record
	}
	return next
}

func nothing(*core.Session) error { return nil }

func recordFields(r *core.Record) []vectors.Field {
	return []vectors.Field{in("record.id", r.ID[:]), in("record.version", r.Version), in("record.tenant", r.Tenant), in("record.user", r.User),
		in("record.created_at", r.CreatedAt), in("record.seen_at", r.SeenAt), in("record.expires_at", r.ExpiresAt), in("record.sealed", r.Sealed)}
}

// ends names the moments around a limit.
var ends = []struct {
	name  string
	shift core.Time
}{{"before", -1}, {"at", 0}, {"after", 1}}

// at chooses the expectation before a limit, and from it on.
func at(shift core.Time, before, from string) string {
	if shift < 0 {
		return before
	}
	return from
}
