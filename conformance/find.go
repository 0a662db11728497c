package conformance

import (
	"bytes"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var findCases = []testCase{
	{"find-selects", "Find returns the records that match the query, whole, and no others, of no other tenant or user.", findSelects},
	{"find-names", "Find tells all tenants and users apart, whatever characters they have.", findNames},
	{"find-expired", "Find returns an expired record like any other, until it is swept or forgotten.", findExpired},
	{"find-follows-saves", "Find goes by the record as it is stored now, not as it was when it was inserted.", findFollowsSaves},
	{"find-ended", "Find does not return sessions that have ended or were swept.", findEnded},
	{"find-apart", "The caller may keep what Find returns and change its fields: that changes nothing in the store, nor in another record.", findApart},
}

// everything selects all records.
var everything = hosts.Query{AnyTenant: true, AnyUser: true}

// page asks for one page, which must be in order, behind after and no longer
// than limit.
func (p *probe) page(s hosts.Store, q hosts.Query, after core.ID, limit int) []core.Record {
	got, err := able[hosts.Finder](s).Find(p.ctx, q, after, limit)
	if err != nil {
		p.fail("Find %+v: %v", q, err)
	}
	if len(got) > limit {
		p.fail("Find with limit %d returns %d records", limit, len(got))
	}
	for _, r := range got {
		if bytes.Compare(r.ID[:], after[:]) <= 0 {
			p.fail("Find returns %v, which does not come after %v by the bytes of the ID", r.ID, after)
		}
		if !q.Matches(&r) {
			p.fail("Find %+v returns a record that does not match: %s", q, describe(r, core.NoVersion))
		}
		after = r.ID
	}
	return got
}

// walk reads all pages. Between two pages it calls between with the last one.
func (p *probe) walk(s hosts.Store, q hosts.Query, limit int, between func(last []core.Record)) []core.Record {
	var all []core.Record
	var after core.ID
	for range maxTries {
		got := p.page(s, q, after, limit)
		all = append(all, got...)
		if len(got) < limit {
			return all
		}
		after = got[len(got)-1].ID
		between(got)
	}
	p.fail("a walk with limit %d has found %d records and there is no end", limit, len(all))
	return nil
}

// finds holds the answer to q to those of the records that match it.
func (p *probe) finds(s hosts.Store, q hosts.Query, records []core.Record) {
	var want []core.Record
	for _, r := range records {
		if q.Matches(&r) {
			want = append(want, r)
		}
	}
	sortByID(want)
	p.equal(q, p.page(s, q, core.ID{}, len(records)+1), want)
}

func sortByID(records []core.Record) {
	slices.SortFunc(records, func(x, y core.Record) int { return bytes.Compare(x.ID[:], y.ID[:]) })
}

func (p *probe) equal(q hosts.Query, got, want []core.Record) {
	for i := range min(len(got), len(want)) {
		if d := difference(want[i], got[i]); d != "" {
			p.fail("Find %+v returns at place %d of %d: %s", q, i, len(got), d)
		}
	}
	if len(got) != len(want) {
		p.fail("Find %+v returns %d records, want %d", q, len(got), len(want))
	}
}

// findSelects has tenants and users that run together when they are joined
// without a separator, or that differ in case or trailing space only.
func findSelects(p *probe) {
	p.finds(p.a, everything, nil)
	p.finds(p.a, hosts.Query{}, nil)
	tenants := []string{"", "a", "ab", "A", "a "}
	users := []string{"", "bc", "c", "C", "c "}
	var all []core.Record
	for _, tenant := range tenants {
		for _, user := range users {
			r := p.record()
			r.Tenant, r.User = tenant, user
			r.ExpiresAt += core.Time(len(all) % 3)
			p.save(p.a, r, core.NoVersion)
			all = append(all, r)
		}
	}
	for _, before := range []core.Time{0, 1, p.soon, p.soon + 1, p.soon + 2, p.soon + 3} {
		p.finds(p.b, hosts.Query{AnyTenant: true, AnyUser: true, ExpiresBefore: before}, all)
		for i, tenant := range append(tenants, "abc") {
			p.finds(p.a, hosts.Query{Tenant: tenant, AnyUser: true, ExpiresBefore: before}, all)
			p.finds(p.b, hosts.Query{AnyTenant: true, User: users[i%len(users)], ExpiresBefore: before}, all)
			for _, user := range append(users, "abc") {
				p.finds(p.b, hosts.Query{Tenant: tenant, User: user, ExpiresBefore: before}, all)
			}
		}
	}
	// What is not asked for is not looked at.
	p.finds(p.a, hosts.Query{Tenant: "a", AnyTenant: true, User: "c"}, all)
	p.finds(p.a, hosts.Query{Tenant: "a", User: "c", AnyUser: true}, all)
}

func findNames(p *probe) {
	var all []core.Record
	for i, name := range hostileNames {
		r := p.record()
		r.Tenant, r.User = name, hostileNames[len(hostileNames)-1-i]
		p.save(p.a, r, core.NoVersion)
		all = append(all, r)
	}
	for _, r := range all {
		p.finds(p.a, hosts.Query{Tenant: r.Tenant, AnyUser: true}, all)
		p.finds(p.b, hosts.Query{AnyTenant: true, User: r.User}, all)
		p.finds(p.a, hosts.Query{Tenant: r.Tenant, User: r.User}, all)
		p.finds(p.b, hosts.Query{Tenant: r.User, User: r.Tenant}, all)
	}
	// Joined, the two of each pair are the same.
	for _, sep := range separators {
		pair := []core.Record{p.record(), p.record()}
		pair[0].Tenant, pair[0].User = "a", "b"+sep+"c"
		pair[1].Tenant, pair[1].User = "a"+sep+"b", "c"
		for i, r := range pair {
			p.save(p.handle(i), r, core.NoVersion)
		}
		p.finds(p.b, hosts.Query{Tenant: pair[0].Tenant, User: pair[0].User}, pair)
	}
}

// findExpired asks for more of a store that is swept, which never forgets.
func findExpired(p *probe) {
	live, just := p.record(), p.expired()
	all := []core.Record{live, just}
	if offers[hosts.Sweeper](p.a) {
		long := p.record()
		long.ExpiresAt = 3
		all = append(all, long)
	}
	for i, r := range all {
		p.save(p.handle(i), r, core.NoVersion)
	}
	for _, before := range []core.Time{0, just.ExpiresAt, just.ExpiresAt + 1, live.ExpiresAt, live.ExpiresAt + 1} {
		for i, q := range []hosts.Query{everything, {Tenant: "acme", User: "alice"}, {Tenant: "acme", AnyUser: true}, {AnyTenant: true, User: "alice"}} {
			q.ExpiresBefore = before
			p.finds(p.handle(i), q, all)
		}
	}
}

func findFollowsSaves(p *probe) {
	other := p.record()
	other.User = ""
	is := p.record()
	is.User = ""
	all := []core.Record{other, is}
	p.save(p.a, other, core.NoVersion)
	p.save(p.a, is, core.NoVersion)
	changes := []func(r *core.Record){
		func(r *core.Record) { r.User = "alice" }, // signs in
		func(r *core.Record) { r.User = "bob" },
		func(r *core.Record) { r.ExpiresAt += core.Hour }, // is touched
		func(r *core.Record) { r.ExpiresAt -= 2 * core.Hour },
		func(r *core.Record) { r.Tenant = "other" },
		func(r *core.Record) { r.Tenant, r.User = "acme", "" }, // signs out
		func(r *core.Record) {},
	}
	for i, f := range changes {
		was := all[1]
		all[1] = p.next(was)
		f(&all[1])
		p.save(p.handle(i), all[1], was.Version)
		for _, q := range []hosts.Query{
			everything, {Tenant: "acme"}, {Tenant: "acme", User: "alice"}, {Tenant: "acme", User: "bob"},
			{AnyTenant: true, User: "bob"}, {Tenant: "acme", AnyUser: true}, {Tenant: "other", AnyUser: true},
			{AnyTenant: true, AnyUser: true, ExpiresBefore: p.soon}, {Tenant: "acme", User: "bob", ExpiresBefore: p.soon + 1},
		} {
			p.finds(p.a, q, all)
			p.finds(p.b, q, all)
		}
	}
}

func findEnded(p *probe) {
	var all []core.Record
	for range 10 {
		r := p.record()
		p.save(p.a, r, core.NoVersion)
		all = append(all, r)
	}
	for i := 0; len(all) > 0; i++ {
		if offers[hosts.Sweeper](p.a) && i%2 == 1 {
			was := all[0]
			all[0] = p.next(was)
			all[0].ExpiresAt = 1
			p.save(p.a, all[0], was.Version)
			p.sweepAll(p.handle(i), 2, 5)
		} else {
			p.delete(p.handle(i), all[0].ID)
		}
		all = all[1:]
		p.finds(p.a, hosts.Query{Tenant: "acme", User: "alice"}, all)
		p.finds(p.b, everything, all)
	}
}

// findApart appends to the bytes, which reaches the next ones where all are cut
// from one buffer, and has the store use its memory again.
func findApart(p *probe) {
	all := p.saveExpiring(20, p.soon)
	sortByID(all)
	kept := p.page(p.a, everything, core.ID{}, 100)
	p.equal(everything, kept, all)
	got := p.page(p.a, everything, core.ID{}, 100)
	for i := range got {
		_ = append(got[i].Sealed, bytes.Repeat([]byte{guard}, 400)...)
		got[i].User, got[i].Version = "mallory", 1
	}
	for i, r := range all {
		if !bytes.Equal(got[i].Sealed, r.Sealed) {
			p.fail("the bytes of one found record change with another's")
		}
		p.holds(p.a, r)
		p.delete(p.b, r.ID)
		p.save(p.b, p.record(), core.NoVersion)
	}
	for i, r := range all {
		if d := difference(r, kept[i]); d != "" {
			p.fail("a record that Find returned has changed when it was deleted and others saved: %s", d)
		}
	}
}
