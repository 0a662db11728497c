package conformance

import (
	"errors"
	"sync/atomic"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var endManyCases = []testCase{
	{"delete-many", "DeleteMany answers ids[i] at [i], as Delete would: those that are there are gone, no other, and what is missing is no error.", deleteMany},
	{"delete-many-against-saves", "Sessions that end together while others save them stay ended.", deleteManyAgainstSaves},
}

func (p *probe) deleteMany(s hosts.Store, ids []core.ID) {
	got := able[hosts.BatchDeleter](s).DeleteMany(p.ctx, ids)
	if len(got) != len(ids) {
		p.fail("DeleteMany of %d IDs gives %d answers", len(ids), len(got))
	}
	for i, err := range got {
		if err != nil {
			p.fail("DeleteMany of %d IDs answers at [%d]: %v", len(ids), i, err)
		}
	}
}

// deleteMany ends what is there, what is not, one twice, and nothing.
func deleteMany(p *probe) {
	p.deleteMany(p.a, nil)
	all := p.saveExpiring(600, p.soon)
	for _, n := range []int{1, 2, 500} {
		ids := []core.ID{p.id()}
		for _, r := range all[:n] {
			ids = append(ids, r.ID)
		}
		ids = append(ids, ids[len(ids)-1], p.id())
		p.deleteMany(p.a, ids)
		for _, r := range all[:n] {
			p.gone(p.b, r.ID)
			p.conflict(p.b, p.next(r), r.Version)
		}
		all = all[n:]
	}
	for _, r := range all {
		p.holds(p.b, r)
	}
}

// deleteManyAgainstSaves ends ten sessions at once, each of which somebody saves.
func deleteManyAgainstSaves(p *probe) {
	const many = 10
	for round := range 10 {
		all := p.saveExpiring(many, p.soon)
		ids := make([]core.ID, many)
		for i := range all {
			ids[i] = all[i].ID
		}
		var ended atomic.Bool
		p.together(1+many, func(i int) {
			s := p.handle(i + round)
			if i == many {
				p.deleteMany(s, ids)
				ended.Store(true)
				return
			}
			for r := all[i]; ; {
				late := ended.Load()
				next := p.next(r)
				switch err := p.try(s, next, r.Version); {
				case errors.Is(err, core.ErrConflict):
					return
				case err != nil:
					p.fail("Save: %v", err)
				case late:
					p.fail("Save was accepted after the session had ended: DeleteMany had returned")
				}
				r = next
			}
		})
		for _, id := range ids {
			p.gone(p.a, id)
			p.gone(p.b, id)
		}
	}
}
