package redis

import (
	"slices"
	"sync"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// before is a server of the version before on the same sessions.
type before struct {
	layout1
	s *Store
}

func versionBefore(s *Store) before { return before{layout1{s.server.shards}, s} }

// save returns what its script answers for one save.
func (v before) save(t testing.TB, r core.Record, prev core.Version) rueidis.RedisMessage {
	t.Helper()
	var j job
	v.layout1.save(&j, &r, prev)
	answers, err := v.run(t, j).ToArray()
	require.NoError(t, err)
	return answers[0]
}

func (v before) requireSaves(t testing.TB, r core.Record, prev core.Version) {
	t.Helper()
	m := v.save(t, r, prev)
	n, err := m.AsInt64()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

func (v before) run(t testing.TB, j job) rueidis.RedisResult {
	t.Helper()
	c := v.s.server.client
	return c.Do(background, c.B().Eval().Script(j.script.text).Numkeys(int64(len(j.keys))).Key(j.keys...).Arg(j.args...).Build())
}

// people are sessions of some users and of nobody, many of them in one shard.
func people(n int) []core.Record {
	all := append(inShard(n), oneOfEach()...)
	for i := range all {
		all[i].User = []string{"ada", "bob", "carol", ""}[i%4]
		all[i].Tenant = []string{"", "acme"}[i/4%2]
	}
	return all
}

// requireFinds holds searches of every kind to the sessions that there are.
func requireFinds(t *testing.T, s *Store, all []core.Record) {
	t.Helper()
	for _, q := range []hosts.Query{everybody, {User: "ada"}, {Tenant: "acme", User: "bob"}, {Tenant: "acme"}, {AnyTenant: true, User: "carol"}, {Tenant: "acme", AnyUser: true}} {
		var want []core.ID
		for i := range all {
			if q.Matches(&all[i]) {
				want = append(want, all[i].ID)
			}
		}
		slices.SortFunc(want, func(a, b core.ID) int { return slices.Compare(a[:], b[:]) })
		found, err := s.Find(t.Context(), q, core.ID{}, len(all)+1)
		require.NoError(t, err)
		require.Equal(t, want, idsOf(found), "%+v", q)
	}
}

// onEach gives the test a store of its own, on one server and in a cluster.
func onEach(t *testing.T, test func(t *testing.T, s *Store, url string)) {
	for name, url := range map[string]func(testing.TB) string{"single": servers.Redis, "cluster": servers.RedisCluster} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			s := open(t, at, Options{Prefix: newPrefix()})
			t.Cleanup(func() { wipe(t, s) })
			test(t, s, at)
		})
	}
}

// A store that the version before has filled is converted when it opens, also by
// several servers at once: every session is there, in every search.
func TestOpenConverts(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, url string) {
		v := versionBefore(s)
		all := people(soak.Rounds(t, 20, 300))
		for _, r := range all {
			v.requireSaves(t, r, core.NoVersion)
		}
		ended, expired := all[0], all[1]
		require.NoError(t, v.run(t, v.delete(ended.ID)).Error())
		s.expire(t, expired)
		all = all[2:]

		var opened sync.WaitGroup
		for range 4 {
			opened.Go(func() {
				s, err := Open(t.Context(), url, Options{Prefix: s.server.o.Prefix})
				if assert.NoError(t, err) {
					assert.NoError(t, s.Close())
				}
			})
		}
		opened.Wait()
		require.Equal(t, []core.ID{expired.ID}, audit(t, s))
		requireFinds(t, s, all)
		require.Empty(t, audit(t, s))
		for i, r := range all {
			all[i] = next(r)
			all[i].User = "bob"
			save(t, s, all[i], r.Version)
			requireHolds(t, s, all[i])
		}
		requireFinds(t, s, all)
		require.Empty(t, audit(t, s))
		for _, r := range all {
			require.NoError(t, s.Delete(t.Context(), r.ID))
		}
		require.Empty(t, s.keys(t))
	})
}

// A server of the version before that runs beside ours goes on with the sessions
// that there are. Where the index is converted it can begin none, and cannot
// search; where it is not yet, ours convert what it has begun when they meet it.
func TestVersionBeforeBeside(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ string) {
		v := versionBefore(s)
		all := people(40)
		for _, r := range all {
			v.requireSaves(t, r, core.NoVersion)
		}
		requireFinds(t, s, all)
		require.Empty(t, audit(t, s))

		old := all[0]
		all[0] = next(old)
		all[0].ExpiresAt += core.Hour
		v.requireSaves(t, all[0], old.Version)
		requireHolds(t, s, all[0])
		mine := save(t, s, newRecord(), core.NoVersion)
		touched := next(mine)
		touched.ExpiresAt += 6 * core.Day
		v.requireSaves(t, touched, mine.Version)
		require.Empty(t, audit(t, s))

		late := newRecord()
		late.ID[0] = 0x3f
		m := v.save(t, late, core.NoVersion)
		text, err := m.ToString()
		require.NoError(t, err)
		require.Contains(t, text, "WRONGTYPE")
		requireGone(t, s, late.ID)
		o := ownerOf("", "ada")
		require.ErrorContains(t, s.server.client.Do(background, v.find(s.server.client, o)[0x3f]).Error(), "WRONGTYPE")
		require.ErrorContains(t, v.run(t, v.delete(all[0].ID)).Error(), "WRONGTYPE")
		requireGone(t, s, all[0].ID)
		require.NoError(t, v.run(t, v.delete(all[0].ID)).Error(), "a second time there is nothing to do")
	})
}

// Whatever meets an index of layout 1 first converts it.
func TestSavesConvert(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ string) {
		v := versionBefore(s)
		all := people(0)
		for _, r := range all {
			v.requireSaves(t, r, core.NoVersion)
		}
		var saves []hosts.Saving
		for i, r := range all {
			fresh := newRecord()
			fresh.ID[0] = byte(i)
			switch i % 3 {
			case 0:
				saves = append(saves, hosts.Saving{Record: fresh})
			case 1:
				saves = append(saves, hosts.Saving{Record: next(r), Prev: r.Version})
				saves[i].Record.User = "dora"
			default:
				saves = append(saves, hosts.Saving{Record: next(r), Prev: r.Version})
				saves[i].Record.ExpiresAt += 30 * core.Day
			}
		}
		for _, err := range s.SaveMany(t.Context(), saves) {
			require.NoError(t, err)
		}
		for i, x := range saves {
			if i%3 == 0 {
				all = append(all, x.Record)
			} else {
				all[i] = x.Record
			}
		}
		require.Empty(t, audit(t, s))
		requireFinds(t, s, all)
	})
}

// A server whose memory is full is converted, too, and ends can be made.
func TestFullServerConverts(t *testing.T) {
	p := start(t)
	v := versionBefore(open(t, p.url(), Options{}))
	all := people(300)
	for _, r := range all {
		v.requireSaves(t, r, core.NoVersion)
	}
	p.do(t, "CONFIG", "SET", "maxmemory", "1mb")
	require.ErrorIs(t, v.s.Save(t.Context(), newRecord(), core.NoVersion), hosts.ErrFull)
	requireFinds(t, v.s, all)
	require.Empty(t, audit(t, v.s))
	for _, r := range all {
		require.NoError(t, v.s.Delete(t.Context(), r.ID))
	}
	require.Empty(t, v.s.keys(t))
}
