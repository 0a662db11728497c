package redis

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

var everybody = hosts.Query{AnyTenant: true, AnyUser: true}

// own opens a store on the shared server, with a prefix of its own.
func own(t *testing.T, o Options) *Store {
	o.Prefix = newPrefix()
	s := open(t, servers.Redis(t), o)
	t.Cleanup(func() { wipe(t, s) })
	return s
}

func (s *Store) number(t *testing.T, words ...string) int64 {
	c := s.server.client
	n, err := c.Do(background, c.B().Arbitrary(words...).Build()).AsInt64()
	require.NoError(t, err)
	return n
}

// inShard is n records whose IDs begin with the same byte.
func inShard(n int) []core.Record {
	all := make([]core.Record, n)
	for i := range all {
		all[i] = newRecord()
		all[i].ID[0] = 0x3f
	}
	return all
}

// Sessions that expire unseen leave entries, which new sessions drop.
func TestNewSessionsCleanUp(t *testing.T) {
	s := own(t, Options{})
	const n = 200
	for _, r := range inShard(n) {
		save(t, s, r, core.NoVersion)
		s.expire(t, r)
	}
	// One in 32 looks. That none of 600 does is less likely than one in a hundred million.
	const surely = 600
	fresh := inShard(surely)
	for _, r := range fresh {
		save(t, s, r, core.NoVersion)
	}
	require.Less(t, len(audit(t, s)), n/2)
	for range 3 { // come and go, so that as many expire as begin
		for i, r := range inShard(surely) {
			save(t, s, r, core.NoVersion)
			s.expire(t, fresh[i])
			fresh[i] = r
		}
	}
	require.Less(t, len(audit(t, s)), surely, "entries of expired sessions pile up")
}

// A search drops what it finds expired.
func TestSearchesCleanUp(t *testing.T) {
	s := own(t, Options{})
	var live []core.ID
	for i, r := range inShard(100) {
		save(t, s, r, core.NoVersion)
		if i%2 == 0 {
			s.expire(t, r)
		} else {
			live = append(live, r.ID)
		}
	}
	require.NotEmpty(t, audit(t, s))
	found, err := s.Find(t.Context(), hosts.Query{Tenant: "acme", User: "ada"}, core.ID{}, 1000)
	require.NoError(t, err)
	require.ElementsMatch(t, live, idsOf(found))
	require.Empty(t, audit(t, s))
}

// An entry whose record has come back since it was found expired stays.
func TestCleaningLooksAgain(t *testing.T) {
	s := own(t, Options{})
	r := save(t, s, newRecord(), core.NoVersion)
	(&finder{part: s.server.whole}).clean(t.Context(), []entry{entryOf(&r)})
	require.Empty(t, audit(t, s))
	requireHolds(t, s, r)
}

// An index outlives every session of its shard, however their expiries move,
// and does not live for ever.
func TestIndexLife(t *testing.T) {
	s := own(t, Options{})
	r := newRecord()
	index := s.server.shard(r.ID).index
	hours := func() int64 { return s.number(t, "PTTL", index) / int64(core.Hour) }
	save(t, s, r, core.NoVersion)
	require.GreaterOrEqual(t, hours(), int64(24*28))
	require.LessOrEqual(t, hours(), int64(24*56+2))

	short := r
	short.ID[15]++
	for _, ahead := range []core.Time{core.Minute, 400 * core.Day, core.Hour, 401 * core.Day, 402 * core.Day, core.Minute} {
		was := r
		r = next(r)
		r.ExpiresAt = now() + ahead
		save(t, s, r, was.Version)
		was = short
		short = next(short)
		save(t, s, short, core.NoVersion)
		require.Empty(t, audit(t, s))
		require.NoError(t, s.Delete(t.Context(), short.ID))
	}
	require.GreaterOrEqual(t, hours(), int64(24*402), "others may have been told that it lives so long")
	require.LessOrEqual(t, hours(), int64(24*(402+56)+2))
	require.NoError(t, s.Delete(t.Context(), r.ID))
	require.Empty(t, s.keys(t))
}

// A touch within the same days writes nothing but the record.
func TestTouchesLeaveTheIndexAlone(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{})
	r := save(t, s, newRecord(), core.NoVersion)
	calls := func(command string) int {
		return s.commandCalls(t, command)
	}
	adds, expires, removes := calls("zadd"), calls("pexpireat"), calls("zrem")
	for n := range 10 {
		was := r
		r = next(r)
		if n%2 == 0 {
			r.ExpiresAt += core.Second
		}
		save(t, s, r, was.Version)
	}
	require.Equal(t, adds, calls("zadd"))
	require.Equal(t, expires, calls("pexpireat"))
	require.Equal(t, removes, calls("zrem"))
	require.Positive(t, adds)
}

func (s *Store) commandCalls(t *testing.T, name string) int {
	c := s.server.client
	info, err := c.Do(background, c.B().Info().Section("commandstats").Build()).ToString()
	require.NoError(t, err)
	_, rest, _ := strings.Cut(info, "cmdstat_"+name+":calls=")
	text, _, _ := strings.Cut(rest, ",")
	n, _ := strconv.Atoi(text)
	return n
}

// A record that comes after its time is forgotten at once, and the index of
// the others stays.
func TestRecordThatComesTooLate(t *testing.T) {
	s := own(t, Options{})
	all := inShard(2)
	save(t, s, all[0], core.NoVersion)
	all[1].ExpiresAt = 3
	save(t, s, all[1], core.NoVersion)
	requireGone(t, s, all[1].ID)
	requireHolds(t, s, all[0])
	require.Equal(t, []core.ID{all[1].ID}, audit(t, s))
	found, err := s.Find(t.Context(), everybody, core.ID{}, 10)
	require.NoError(t, err)
	require.Equal(t, []core.ID{all[0].ID}, idsOf(found))
	require.Empty(t, audit(t, s))

	was := all[0]
	late := next(was)
	late.ExpiresAt = 3
	save(t, s, late, was.Version)
	requireGone(t, s, late.ID)
	found, err = s.Find(t.Context(), everybody, core.ID{}, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Empty(t, s.keys(t))
}

// The server's clock and the record's expiry alone decide.
func TestServerForgetsAfterRetention(t *testing.T) {
	s := own(t, Options{Retention: time.Minute})
	r := newRecord()
	r.ExpiresAt = now() - core.Minute + 300 // milliseconds are left
	save(t, s, r, core.NoVersion)
	requireHolds(t, s, r)
	eventually(t, "it is forgotten", func() bool {
		_, err := s.Load(background, r.ID)
		return err != nil
	})
	require.GreaterOrEqual(t, now(), r.ExpiresAt+core.Minute)
	requireGone(t, s, r.ID)
	left := s.number(t, "PTTL", s.server.shard(save(t, s, newRecord(), core.NoVersion).ID).index)
	require.Positive(t, left)
}

// Everything is paged in the order of IDs, whether shards have much or little,
// and whether the query can use the index or must look at records.
func TestPages(t *testing.T) {
	s := own(t, Options{})
	all := inShard(300)
	for range 300 {
		all = append(all, newRecord())
	}
	for i := range all {
		all[i].User = []string{"ada", "bob", ""}[i%3]
		all[i].Tenant = []string{"acme", "initech"}[i/3%2]
		save(t, s, all[i], core.NoVersion)
	}
	slices.SortFunc(all, func(a, b core.Record) int { return slices.Compare(a.ID[:], b.ID[:]) })
	for _, q := range []hosts.Query{everybody, {Tenant: "acme", AnyUser: true}, {AnyTenant: true, User: "bob"}, {Tenant: "initech", User: "ada"}, {Tenant: "acme"}, {Tenant: "acme", User: "carol"}} {
		var want []core.ID
		for i := range all {
			if q.Matches(&all[i]) {
				want = append(want, all[i].ID)
			}
		}
		for _, limit := range []int{1, 7, 100, 1000} {
			if limit == 1 && len(want) > 200 && !soak.On() {
				continue
			}
			var got []core.ID
			for after := (core.ID{}); ; {
				page, err := s.Find(t.Context(), q, after, limit)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page), limit)
				got = append(got, idsOf(page)...)
				if len(page) < limit {
					break
				}
				after = got[len(got)-1]
			}
			require.Equal(t, want, got, "%+v by %d", q, limit)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Find(ctx, everybody, core.ID{}, 1)
	require.ErrorIs(t, err, context.Canceled)
}
