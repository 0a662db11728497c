package cachestore

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

func depth(sh *shard, at ref) int {
	if at == 0 {
		return 0
	}
	return 1 + max(depth(sh, sh.slot(at).left()), depth(sh, sh.slot(at).right()))
}

// What a page looks at does not grow with what lies before and behind it: the
// tree of a user is shallow, also when his IDs come in order and many have ended.
func TestWorkOfAPage(t *testing.T) {
	const limit = 200
	many := soak.Rounds(t, 6000, 20_000)
	st, err := Open(Options{MaxBytes: 7 << 20, MaxUserBytes: 7 << 20}) // one shard
	require.NoError(t, err)
	sh := &st.shards[0]
	inOrder := func(n int) core.Record {
		r := withSealed(recordOf(n), 10)
		binary.BigEndian.PutUint64(r.ID[:], uint64(n)<<48)
		r.User = "the one"
		return r
	}
	for n := range many {
		require.NoError(t, st.Save(ctx, inOrder(n), core.NoVersion))
	}
	require.Less(t, depth(sh, sh.findUser([]byte("the one"))), 60)

	for _, after := range []int{0, many / 2, many - 2*limit} {
		p := page{query: &hosts.Query{User: "the one"}, after: inOrder(after).ID, limit: limit}
		require.NoError(t, sh.gather(&p))
		require.Equal(t, inOrder(after+1).ID, p.ids[0])
		require.Equal(t, inOrder(after+limit).ID, p.ids[limit-1])
	}

	for n := range many {
		if n%7 != 0 {
			require.NoError(t, st.Delete(ctx, inOrder(n).ID))
		}
	}
	require.Less(t, depth(sh, sh.findUser([]byte("the one"))), 60)
	audit(t, st)
}

// Find pages through the sessions of a user, of nobody and of all as the model
// does, whatever the limit.
func TestPages(t *testing.T) {
	st, m, many := open(t, modelBytes), model{}, soak.Rounds(t, 1000, 3000)
	for n := range many {
		r := recordOf(n)
		r.User = []string{"", "ann", "bob"}[n%3]
		require.NoError(t, st.Save(ctx, r, core.NoVersion))
		m[r.ID] = r
	}
	for _, q := range []hosts.Query{{User: "ann"}, {}, {AnyUser: true}, {User: "nobody"}} {
		want := m.find(q, core.ID{}, many)
		for _, limit := range []int{1, 7, 200, many} {
			var got []core.Record
			for after, more := (core.ID{}), true; more; {
				page, err := st.Find(ctx, q, after, limit)
				require.NoError(t, err)
				if more = len(page) == limit; more {
					after = page[limit-1].ID
				}
				got = append(got, page...)
			}
			require.Equal(t, want, got)
		}
	}
}
