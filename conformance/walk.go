package conformance

import (
	"bytes"
	"slices"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var walkCases = []testCase{
	{"find-order", "Find orders by the bytes of the ID and begins behind after, whether or not after exists.", findOrder},
	{"find-pages", "Pages of any size walk over every match exactly once; fewer than limit means the last page.", findPages},
	{"find-large", "A page has limit records whatever they weigh, while there are so many: fewer means the last page.", findLarge},
	{"find-changing", "A record that matches during the whole of a walk is never missing from it, whatever is inserted and deleted meanwhile.", findChanging},
	{"find-under-saves", "A record that matches during the whole of a walk is never missing from it, also while it is being saved.", findUnderSaves},
	{"find-acknowledged", "Find sees every Save and Delete that was acknowledged before it began, from any process.", findAcknowledged},
}

func findOrder(p *probe) {
	var all []core.Record
	for _, id := range hostileIDs() {
		r := p.record()
		r.ID = id
		p.save(p.a, r, core.NoVersion)
		all = append(all, r)
	}
	sortByID(all)
	q := hosts.Query{Tenant: "acme", User: "alice"}
	for _, r := range all {
		absent := r.ID
		absent[15]-- // mostly
		for _, after := range []core.ID{r.ID, absent} {
			i := slices.IndexFunc(all, func(r core.Record) bool { return bytes.Compare(r.ID[:], after[:]) > 0 })
			if i < 0 {
				i = len(all)
			}
			p.equal(q, p.page(p.b, q, after, 5), all[i:min(i+5, len(all))])
		}
	}
}

// findPages puts others between the matches: limit counts matches only. After
// that one page holds all that a store of the kit's size can have.
func findPages(p *probe) {
	const matches = 21
	var all []core.Record
	for i := range 3 * matches {
		r := p.record()
		if i%3 != 0 {
			r.User = "bob"
		} else {
			all = append(all, r)
		}
		p.save(p.a, r, core.NoVersion)
	}
	sortByID(all)
	q := hosts.Query{Tenant: "acme", User: "alice"}
	for _, limit := range []int{1, 2, 3, 7, matches - 1, matches, matches + 1, kitRecords} {
		p.equal(q, p.walk(p.handle(limit), q, limit, func([]core.Record) {}), all)
	}
	all = append(all, p.fill(kitRecords-3*matches, p.soon)...)
	sortByID(all)
	p.equal(q, p.page(p.b, q, core.ID{}, kitRecords), all)
}

// findLarge has pages of more than a megabyte, where engines end theirs.
func findLarge(p *probe) {
	const records, size, limit = 24, 60_000, 20
	var all []core.Record
	for i := range records {
		r := p.record()
		r.Sealed = sealed(r.Version, size)
		p.save(p.handle(i), r, core.NoVersion)
		all = append(all, r)
	}
	sortByID(all)
	q := hosts.Query{Tenant: "acme", User: "alice"}
	p.equal(q, p.page(p.b, q, core.ID{}, limit), all[:limit])
	p.equal(q, p.page(p.a, q, all[limit-1].ID, limit), all[limit:])
}

// complete fails if one of the steady records is not among those found.
func (p *probe) complete(steady, found []core.Record) {
	ids := make(map[core.ID]bool, len(found))
	for _, r := range found {
		ids[r.ID] = true
	}
	for _, r := range steady {
		if !ids[r.ID] {
			p.fail("the walk misses %v, one of %d that matched throughout", r.ID, len(steady))
		}
	}
}

// findChanging deletes, between two pages, the record that the next page
// begins behind, and inserts others on both sides of it.
func findChanging(p *probe) {
	q := hosts.Query{Tenant: "acme", User: "alice"}
	var steady []core.Record
	passing := make(map[core.ID]bool)
	for i := range 60 {
		r := p.record()
		p.save(p.a, r, core.NoVersion)
		if i%2 == 0 {
			steady = append(steady, r)
		} else {
			passing[r.ID] = true
		}
	}
	for _, limit := range []int{1, 3} {
		found := p.walk(p.a, q, limit, func(last []core.Record) {
			for _, r := range last {
				if passing[r.ID] {
					p.delete(p.b, r.ID)
				}
			}
			r := p.record()
			p.save(p.b, r, core.NoVersion)
			passing[r.ID] = true
		})
		p.complete(steady, found)
	}
}

// findUnderSaves touches the records all the time: an index that takes an
// entry out before it puts the next one in loses it for a moment.
func findUnderSaves(p *probe) {
	const walks, records = 40, 8 // few, so that each is away often if it ever is
	q := hosts.Query{Tenant: "acme", User: "alice"}
	steady := make([]core.Record, records)
	for i := range steady {
		steady[i] = p.record()
		p.save(p.a, steady[i], core.NoVersion)
	}
	var walking atomic.Int32
	walking.Store(2)
	saves := make(pulse)
	p.together(4, func(i int) {
		s := p.handle(i)
		if i < 2 {
			defer walking.Add(-1)
			for n := range walks {
				saves.await(p.ctx, 1)
				p.complete(steady, p.walk(s, q, 1+n%(records+1), func([]core.Record) {}))
			}
			return
		}
		for n := i; walking.Load() > 0; n++ {
			p.change(s, steady[n%len(steady)].ID, func(r core.Record) core.Record {
				r = p.next(r)
				r.ExpiresAt++
				r.SeenAt++
				return r
			})
			saves.beat()
		}
	})
}

func findAcknowledged(p *probe) {
	p.acknowledged(func(s hosts.Store, id core.ID) (core.Record, error) {
		for _, r := range p.page(s, hosts.Query{Tenant: "acme", User: "alice"}, core.ID{}, 100) {
			if r.ID == id {
				return r, nil
			}
		}
		return core.Record{}, core.ErrNotFound
	})
}
