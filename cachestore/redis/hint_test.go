package redis

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// hinted runs f with two stores on one server, and on a cluster.
func hinted(t *testing.T, f func(t *testing.T, s, other *Store)) {
	for name, url := range map[string]func(testing.TB) string{"server": servers.Redis, "cluster": servers.RedisCluster} {
		t.Run(name, func(t *testing.T) {
			o := Options{Prefix: newPrefix()}
			s, other := open(t, url(t), o), open(t, url(t), o)
			t.Cleanup(func() { wipe(t, s) })
			f(t, s, other)
			require.Empty(t, audit(t, s))
		})
	}
}

func of(user string) hosts.Query { return hosts.Query{Tenant: "acme", User: user} }

var shardsOfUsers atomic.Uint32

// newOf has a session of a user, in another shard than the 255 before: tests count shards.
func newOf(user string) core.Record {
	r := newRecord()
	r.User = user
	r.ID[0] = byte(shardsOfUsers.Add(1))
	return r
}

// login stores a session of a user.
func (s *Store) login(t testing.TB, user string) core.ID {
	t.Helper()
	return save(t, s, newOf(user), core.NoVersion).ID
}

// requireSearch holds the search of a login to the sessions that there are.
func (s *Store) requireSearch(t testing.TB, user string, want ...core.ID) {
	t.Helper()
	found, err := s.Find(hosts.LoginSearchContext(t.Context()), of(user), core.ID{}, 1000)
	require.NoError(t, err)
	slices.SortFunc(want, func(a, b core.ID) int { return slices.Compare(a[:], b[:]) })
	require.Equal(t, slices.Concat([]core.ID{}, want), slices.Concat([]core.ID{}, idsOf(found)))
}

// hint is the list of a user, and set what it is to be.
func (s *Store) hint(t testing.TB, user string) []string {
	t.Helper()
	c := s.server.client
	all, err := c.Do(background, c.B().Lrange().Key(s.hintKeyOf(user)).Start(0).Stop(-1).Build()).AsStrSlice()
	require.NoError(t, err)
	return all
}

func (s *Store) hintKeyOf(user string) string { return s.server.hintKey(ownerOf("acme", user)) }

func (s *Store) setHint(t testing.TB, user string, is ...string) {
	t.Helper()
	c, key := s.server.client, s.hintKeyOf(user)
	require.NoError(t, c.Do(background, c.B().Del().Key(key).Build()).Error())
	if len(is) > 0 {
		require.NoError(t, c.Do(background, c.B().Rpush().Key(key).Element(is...).Build()).Error())
	}
}

func TestHints(t *testing.T) {
	hinted(t, func(t *testing.T, s, other *Store) {
		one := s.login(t, "ada")
		require.Empty(t, s.hint(t, "ada"), "nobody has searched: a hint would take memory for nothing")
		s.requireSearch(t, "ada", one)
		require.Equal(t, []string{"=1", shardName(int(one[0]))}, s.hint(t, "ada"), "what a walk has found")
		left := time.Duration(s.number(t, "PTTL", s.hintKeyOf("ada"))) * time.Millisecond
		require.InDelta(t, hintLife, left, float64(time.Minute))

		two := other.login(t, "ada")
		other.login(t, "bob")
		s.requireSearch(t, "ada", one, two)
		require.Equal(t, []string{"=1", shardName(int(one[0])), shardName(int(two[0]))}, s.hint(t, "ada"), "and what was announced since")

		s.setHint(t, "ada") // lost
		three := s.login(t, "ada")
		other.requireSearch(t, "ada", one, two, three)
		for n, err := range s.SaveMany(t.Context(), []hosts.Saving{{Record: newOf("ada")}, {Record: newOf("ada")}, {Record: newOf("")}}) {
			require.NoError(t, err, n)
		}
		require.Len(t, s.hint(t, "ada"), 6)
		require.Empty(t, s.hint(t, ""), "nobody has no hint")
	})
}

// A session that gets another user, and a save that is repeated since its answer was lost.
func TestHintsOfMovesAndRepeats(t *testing.T) {
	hinted(t, func(t *testing.T, s, other *Store) {
		s.requireSearch(t, "bob")
		require.Equal(t, []string{"=0"}, s.hint(t, "bob"))
		r := save(t, s, newOf("ada"), core.NoVersion)
		was := r.Version
		r = next(r)
		r.User = "bob"
		save(t, other, r, was)
		s.requireSearch(t, "bob", r.ID)

		changed := s.hint(t, "bob")
		was = r.Version
		r = next(r)
		save(t, s, r, was)
		was = r.Version
		r = next(r)
		r.ExpiresAt += 100 * core.Day
		require.NoError(t, s.Save(hosts.TouchContext(t.Context()), r, was))
		require.Equal(t, changed, s.hint(t, "bob"), "a change announces nothing, and neither does a touch")

		if s.server.cluster {
			s.setHint(t, "bob", "=0")
			save(t, s, r, was)
			s.requireSearch(t, "bob", r.ID)
		}
	})
}

// Every search but that of a login, or of a user of one tenant, walks.
func TestOtherSearchesUseNoHint(t *testing.T) {
	hinted(t, func(t *testing.T, s, _ *Store) {
		id := s.login(t, "ada")
		s.setHint(t, "ada", "=0") // which is wrong
		s.requireSearch(t, "ada")
		found, err := s.Find(t.Context(), of("ada"), core.ID{}, 10)
		require.NoError(t, err)
		require.Equal(t, []core.ID{id}, idsOf(found))
		require.Equal(t, []string{"=0"}, s.hint(t, "ada"))
		c := s.server.client
		require.NoError(t, c.Do(background, c.B().Rpush().Key(s.server.hintKey(ownerOf("", "ada"))).Element("=0").Build()).Error())
		for _, q := range []hosts.Query{everybody, {AnyTenant: true, User: "ada"}, {Tenant: "acme", AnyUser: true}} {
			found, err := s.Find(hosts.LoginSearchContext(t.Context()), q, core.ID{}, 10)
			require.NoError(t, err)
			require.Equal(t, []core.ID{id}, idsOf(found))
		}
	})
}

// What somebody else has put in the place of a hint is no answer.
func TestDamagedHints(t *testing.T) {
	hinted(t, func(t *testing.T, s, _ *Store) {
		id := s.login(t, "ada")
		for _, is := range [][]string{{"=1", "xyz"}, {"=1", "100"}, {"="}, {"=-1"}, {"01"}, {">1", "01"}, {""}} {
			s.setHint(t, "ada", is...)
			s.requireSearch(t, "ada", id)
		}
		s.setHint(t, "ada")
		c := s.server.client
		require.NoError(t, c.Do(background, c.B().Set().Key(s.hintKeyOf("ada")).Value("=0").Build()).Error())
		s.requireSearch(t, "ada", id)
		two := s.login(t, "ada")
		require.Empty(t, s.hint(t, "ada"), "it is deleted by a login, which cannot add to it")
		s.requireSearch(t, "ada", id, two)
	})
}

// After many logins a search walks again, and shards without sessions leave the hint. One
// that nobody reads is deleted.
func TestHintsStayShort(t *testing.T) {
	hinted(t, func(t *testing.T, s, _ *Store) {
		s.requireSearch(t, "ada")
		for range mostSince {
			require.NoError(t, s.Delete(t.Context(), s.login(t, "ada")))
		}
		s.requireSearch(t, "ada")
		require.Len(t, s.hint(t, "ada"), 1+mostSince)
		last := s.login(t, "ada")
		s.requireSearch(t, "ada", last)
		require.Equal(t, []string{"=1", shardName(int(last[0]))}, s.hint(t, "ada"))

		all := make([]hosts.Saving, hintLength)
		for i := range all {
			all[i].Record = newOf("ada")
		}
		for _, err := range s.SaveMany(t.Context(), all[:hintLength-2]) {
			require.NoError(t, err)
		}
		require.Len(t, s.hint(t, "ada"), hintLength)
		s.login(t, "ada")
		require.Empty(t, s.hint(t, "ada"))
	})
}

// A page that is not the last leaves the hint to another search, and any page uses it.
func TestHintsAndPages(t *testing.T) {
	hinted(t, func(t *testing.T, s, _ *Store) {
		var want []core.ID
		for _, r := range append(inShard(40), oneOfEach()[:20]...) {
			r.User = "ada"
			want = append(want, save(t, s, r, core.NoVersion).ID)
		}
		slices.SortFunc(want, func(a, b core.ID) int { return slices.Compare(a[:], b[:]) })
		pages := func() (got []core.ID) {
			for after := (core.ID{}); ; after = got[len(got)-1] {
				page, err := s.Find(hosts.LoginSearchContext(t.Context()), of("ada"), after, 7)
				require.NoError(t, err)
				if got = append(got, idsOf(page)...); len(page) < 7 {
					return got
				}
			}
		}
		require.Equal(t, want, pages())
		require.Len(t, s.hint(t, "ada"), 1, "a walk that was begun")
		left := time.Duration(s.number(t, "PTTL", s.hintKeyOf("ada"))) * time.Millisecond
		require.LessOrEqual(t, left, walkLife)
		s.requireSearch(t, "ada", want...)
		require.Equal(t, "=21", s.hint(t, "ada")[0])
		require.Equal(t, want, pages())
		require.Equal(t, "=21", s.hint(t, "ada")[0])
	})
}

// Logins race with walks and with the loss of the hint: each finds its own session, and
// afterwards the hint lacks none.
func TestHintsUnderRace(t *testing.T) {
	const logins = 8
	rounds := soak.Rounds(t, 8, 100)
	hinted(t, func(t *testing.T, s, other *Store) {
		for round := range rounds {
			user := strings.Repeat("u", round+1)
			var all sync.WaitGroup
			for n := range logins {
				mine := []*Store{s, other}[n%2]
				all.Go(func() {
					if n == 0 && round%4 == 0 {
						s.setHint(t, user)
					}
					r := newOf(user)
					if !assert.NoError(t, mine.Save(background, r, core.NoVersion)) {
						return
					}
					found, err := mine.Find(hosts.LoginSearchContext(background), of(user), core.ID{}, 1000)
					assert.NoError(t, err)
					assert.Contains(t, idsOf(found), r.ID)
				})
			}
			all.Wait()
			found, err := s.Find(t.Context(), of(user), core.ID{}, 1000)
			require.NoError(t, err)
			require.Len(t, found, logins)
			s.requireSearch(t, user, idsOf(found)...)
			s.requireSearch(t, user, idsOf(found)...)
			require.True(t, strings.HasPrefix(s.hint(t, user)[0], "="))
		}
	})
}

// The second login reads the shards of the hint, not all 256.
func TestLoginsReadFewShards(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{})
	for _, r := range people(200) {
		save(t, s, r, core.NoVersion)
	}
	one := s.login(t, "zoe")
	s.requireSearch(t, "zoe", one)
	two := s.login(t, "zoe")
	p.do(t, "CONFIG", "RESETSTAT")
	s.requireSearch(t, "zoe", one, two)
	require.Equal(t, []int{0, 1, 2, 1, 1}, []int{s.commandCalls(t, "get"), s.commandCalls(t, "evalsha"), s.commandCalls(t, "zrangebylex"), s.commandCalls(t, "mget"), s.commandCalls(t, "lrange")})
	require.Equal(t, "session:shards:{fc}:fc84e77df604fe0b822b33ad87c148a0", s.server.hintKey(ownerOf("acme", "älice")), "as in JavaScript")
	require.False(t, strings.HasPrefix(s.hintKeyOf("zoe"), s.server.tracked()), "a follower would hear of it")
}

// A server whose user may not add to a hint deletes it: others would lack its sessions.
func TestHintsWithoutTheRights(t *testing.T) {
	p := start(t)
	p.do(t, append(append(strings.Fields("ACL SETUSER app on >secret resetkeys -@all +hello +select +client +ping +info"), listedRights(t)...), "-rpush", "-rpushx", "-lrange")...)
	s, poor := open(t, p.url(), Options{}), open(t, "redis://app:secret@"+p.Address(), Options{})
	one := s.login(t, "ada")
	s.requireSearch(t, "ada", one)
	two := poor.login(t, "ada")
	require.Empty(t, s.hint(t, "ada"))
	poor.requireSearch(t, "ada", one, two)
	s.requireSearch(t, "ada", one, two)
	poor.requireSearch(t, "ada", one, two)
}
