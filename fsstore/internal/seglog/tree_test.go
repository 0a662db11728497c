//go:build darwin || freebsd || linux

package seglog

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// requireTree holds that a tree is in order, all of one user's, and none above a
// higher rank. It returns how many are in it.
func requireTree(t *testing.T, x *index, root ref) int {
	if root == 0 {
		return 0
	}
	e := x.entry(root)
	for _, below := range []ref{e.left, e.right} {
		if below != 0 {
			require.GreaterOrEqual(t, x.rank(root), x.rank(below))
			require.Equal(t, e.owner, x.entry(below).owner)
			require.Equal(t, below == e.left, x.entry(below).before(e))
		}
	}
	return 1 + requireTree(t, x, e.left) + requireTree(t, x, e.right)
}

func depth(x *index, root ref) int {
	if root == 0 {
		return 0
	}
	return 1 + max(depth(x, x.entry(root).left), depth(x, x.entry(root).right))
}

// pages returns all that q selects, found in pages, and at how many entries a page
// looked at most.
func pages(x *index, q hosts.Query, limit int) (all []core.ID, most int) {
	for after := (core.ID{}); ; {
		var page []core.ID
		s := x.selects(&q, after)
		for end := false; !end && len(page) < limit; {
			var ids []core.ID
			ids, end = s.next(limit - len(page))
			page = append(page, ids...)
		}
		all, most = append(all, page...), max(most, s.looked)
		if len(page) < limit {
			return all, most
		}
		after = page[limit-1]
	}
}

var queries = []hosts.Query{
	everybody, {}, {User: "ada"}, {Tenant: "acme", User: "ada"}, {User: "nobody"}, {AnyUser: true}, {AnyTenant: true, User: "bob"},
	{Tenant: "acme", AnyUser: true, ExpiresBefore: 300}, {User: "ada", ExpiresBefore: 300},
}

// requireSelected compares what the index selects with the records themselves.
func requireSelected(t *testing.T, x *index, records map[core.ID]core.Record) {
	t.Helper()
	for _, q := range queries {
		var want []core.ID
		for id, r := range records {
			if q.Matches(&r) {
				want = append(want, id)
			}
		}
		slices.SortFunc(want, func(a, b core.ID) int { return slices.Compare(a[:], b[:]) })
		for _, limit := range []int{1, 7, 200, 5000} {
			got, _ := pages(x, q, limit)
			require.Equal(t, want, got, "%+v, %d", q, limit)
		}
		var got []core.ID // as a page goes on whose sessions end meanwhile
		s := x.selects(&q, core.ID{})
		for end := false; !end; {
			var ids []core.ID
			ids, end = s.next(7)
			got = append(got, ids...)
		}
		require.Equal(t, want, got, "%+v", q)
	}
}

// What comes, changes its user and goes in any order is selected as from a plain
// map, also while a log is opened. IDs that begin alike are in one table.
func TestSelection(t *testing.T) {
	steps := soak.Rounds(t, 2000, 6000)
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			x, records := newIndex(), map[core.ID]core.Record{}
			x.opening = seed%2 > 0
			for step := range steps {
				id := core.ID{byte(rng.IntN(3)), byte(rng.IntN(256)), byte(rng.IntN(8)), 1}
				if seed%3 == 0 {
					id[0] = 7
				}
				if rng.IntN(3) == 0 {
					x.remove(id)
					delete(records, id)
				} else {
					r := core.Record{ID: id, Version: 1, ExpiresAt: core.Time(rng.IntN(1000))}
					r.Tenant, r.User = []string{"", "acme"}[rng.IntN(2)], []string{"", "ada", "bob"}[rng.IntN(3)]
					x.put(&r, span32{1, uint32(step), 80})
					records[id] = r
				}
			}
			if x.opening {
				x.ownLater()
			}
			requireSelected(t, x, records)
			trees, owned := 0, 0
			for i := range x.users {
				x.users[i].all(func(r ref) { trees += requireTree(t, x, r) })
			}
			for _, r := range records {
				if r.User != "" {
					owned++
				}
			}
			require.Equal(t, owned, trees)
			for id := range records {
				x.remove(id)
			}
			requireSelected(t, x, nil)
			for i := range x.users {
				require.Zero(t, x.users[i].n)
			}
		})
	}
}

// What a page looks at does not grow with what lies before and behind it: the tree
// of a user is shallow, also when the IDs come in order and many have ended.
func TestWorkOfAPage(t *testing.T) {
	const limit = 200
	most := soak.Rounds(t, 20_000, 100_000)
	id := func(n, many int) (id core.ID) {
		binary.BigEndian.PutUint64(id[:], uint64(n+1)*(1<<63/uint64(many)*2))
		id[15] = 1
		return id
	}
	for _, opening := range []bool{false, true} {
		for _, many := range []int{1000, 10_000, most} {
			x := newIndex()
			x.opening = opening
			for n := range many - 1 {
				r := core.Record{ID: id(n, many), Version: 1, ExpiresAt: 1, User: "the one"}
				x.put(&r, span32{1, uint32(n), 80})
			}
			if opening {
				x.ownLater()
			}
			of := hosts.Query{User: "the one"}
			owner := x.ownerOf("", "the one")
			require.Less(t, depth(x, x.rootOf(owner)), 70)
			found, most := pages(x, of, limit)
			require.Len(t, found, many-1)
			require.LessOrEqual(t, most, limit)
			found, most = pages(x, everybody, limit)
			require.Len(t, found, many-1)
			require.LessOrEqual(t, most, 2*limit)

			_, most = pages(x, hosts.Query{User: "the one", ExpiresBefore: 1}, limit) // none
			require.Equal(t, many-1, most)
			for n := range many - 1 {
				if n%7 > 0 {
					x.remove(id(n, many))
				}
			}
			require.Less(t, depth(x, x.rootOf(owner)), 70)
			require.Equal(t, len(x.expiries), requireTree(t, x, x.rootOf(owner)))
		}
	}
}
