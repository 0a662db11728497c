package redis

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

func requireState(t testing.TB, s *Store, want feed.State) {
	t.Helper()
	got, err := s.CachingState(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestMark(t *testing.T) {
	p := start(t)
	a := open(t, p.url(), Options{})
	b := other(t, a, p.url())
	requireState(t, b, feed.None)
	f := follow(t, b)
	believes := func() bool {
		c, err := f.Changes(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Gap)
		return c.Caching
	}
	require.False(t, believes())
	require.NoError(t, a.EnableCaching(t.Context()))
	require.NoError(t, a.EnableCaching(t.Context()))
	requireState(t, b, feed.On)
	require.True(t, believes())
	require.EqualValues(t, "-1", p.do(t, "TTL", "session:caching"), "nothing forgets it")

	states := []feed.State{feed.None, feed.On, feed.Stopping, feed.Off}
	allowed := map[[2]feed.State]bool{}
	for to, from := range mayFollow {
		for _, state := range from {
			allowed[[2]feed.State{state, feed.State(to)}] = true
		}
	}
	require.False(t, allowed[[2]feed.State{feed.On, feed.Off}])
	require.False(t, allowed[[2]feed.State{feed.On, feed.None}])
	require.Len(t, allowed, 14, "all but these two")
	for _, from := range states {
		for _, to := range states {
			p.do(t, "DEL", "session:caching")
			if from != feed.None {
				p.do(t, "SET", "session:caching", from.String())
			}
			err := a.SetCaching(t.Context(), to)
			if allowed[[2]feed.State{from, to}] {
				require.NoError(t, err, "%v to %v", from, to)
				requireState(t, b, to)
			} else {
				var refused *hosts.ConfigError
				require.ErrorAs(t, err, &refused, "%v to %v", from, to)
				requireState(t, b, from)
			}
			now, _ := b.CachingState(t.Context())
			require.Equal(t, now == feed.On, believes())
		}
		p.do(t, "DEL", "session:caching")
		if from == feed.Stopping || from == feed.Off {
			p.do(t, "SET", "session:caching", from.String())
			require.ErrorIs(t, a.EnableCaching(t.Context()), feed.ErrCachingOff)
			requireState(t, a, from)
		}
	}
	require.Error(t, a.SetCaching(t.Context(), feed.Off+1))
}

// Of two that go on and off at once, one is heard.
func TestMarkTwoAtOnce(t *testing.T) {
	u := servers.Redis(t)
	a := open(t, u, Options{Prefix: newPrefix()})
	b := other(t, a, u)
	t.Cleanup(func() { wipe(t, a) })
	for range 100 {
		var both sync.WaitGroup
		var on, off error
		both.Go(func() { on = a.EnableCaching(background) })
		both.Go(func() { off = b.SetCaching(background, feed.Off) })
		both.Wait()
		require.True(t, (on == nil) != (off == nil), "%v and %v", on, off)
		if on == nil {
			requireState(t, a, feed.On)
			require.NoError(t, a.SetCaching(t.Context(), feed.Stopping))
			require.NoError(t, b.SetCaching(t.Context(), feed.Off))
		}
		requireState(t, b, feed.Off)
		require.NoError(t, b.SetCaching(t.Context(), feed.None))
	}
}

// A later release's mark keeps this one out, by name.
func TestMarkOfALaterRelease(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{})
	p.do(t, "SET", "session:caching", "on2")
	_, err := s.CachingState(t.Context())
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	for _, err := range []error{s.EnableCaching(t.Context()), s.SetCaching(t.Context(), feed.On)} {
		require.ErrorContains(t, err, "newer release")
	}
	_, err = Open(t.Context(), p.url(), Options{})
	require.ErrorContains(t, err, "upgrade this program")
	open(t, p.url(), Options{Prefix: "another:"})
}

// The mark is on every replica in step when EnableCaching returns.
func TestMarkOnReplicas(t *testing.T) {
	primary := start(t)
	replica := startReplica(t, primary)
	s := open(t, primary.url(), Options{WaitTimeout: 100 * time.Millisecond})
	require.NoError(t, s.EnableCaching(t.Context()))
	require.Equal(t, "on", replica.do(t, "GET", "session:caching"))

	thaw := replica.Freeze(t)
	for range 2 { // the mark stands now, and is waited for all the same
		err := s.EnableCaching(t.Context())
		require.ErrorIs(t, err, hosts.ErrUnavailable)
		require.ErrorContains(t, err, "0 of 1 replicas have it after 100ms")
	}
	thaw()
	eventually(t, "the replica is back", func() bool { return s.EnableCaching(background) == nil })
	replica.Kill()
	eventually(t, "the primary has none", func() bool { return primary.Shows(t, "connected_slaves:0", "INFO", "replication") })
	require.NoError(t, s.EnableCaching(t.Context()), "none is in step")
}

func TestCachingIsRefused(t *testing.T) {
	cluster := open(t, servers.RedisCluster(t), Options{Prefix: newPrefix()})
	_, err := cluster.Follow(t.Context())
	for _, err := range []error{err, cluster.CanCache(), cluster.EnableCaching(t.Context()), cluster.SetCaching(t.Context(), feed.On)} {
		require.ErrorIs(t, err, feed.ErrUnsupported)
		require.ErrorContains(t, err, "use one server or sentinels")
	}
	requireState(t, cluster, feed.None)

	p := start(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	evicting := open(t, p.url(), Options{AllowEviction: true})
	require.ErrorIs(t, evicting.EnableCaching(t.Context()), feed.ErrUnsupported)
	requireState(t, evicting, feed.None)
	p.do(t, "CONFIG", "SET", "maxmemory-policy", "volatile-lru")
	require.NoError(t, evicting.EnableCaching(t.Context()), "the mark has no TTL")
	require.NoError(t, evicting.CanCache())

	cached := open(t, p.url(), Options{AllowEviction: true, Cache: time.Minute})
	require.ErrorIs(t, cached.CanCache(), feed.ErrUnsupported)
	require.ErrorIs(t, cached.EnableCaching(t.Context()), feed.ErrUnsupported)
	f := follow(t, cached) // who does not cache may
	r := save(t, evicting, newRecord(), 0)
	require.Contains(t, changed(t, f), r.ID)
}

// The error of a user without the rights names the missing one. Sessions go on.
func TestFeedRights(t *testing.T) {
	p := start(t)
	list := listedRights(t)
	p.do(t, append([]string{"ACL", "SETUSER", "app", "on", ">secret", "resetkeys", "resetchannels", "&session:*", "-@all", "+hello", "+select", "+client", "+ping", "+info", "+wait", "+subscribe"}, list...)...)
	u := "redis://app:secret@" + p.Address()
	s := open(t, u, Options{})
	require.NoError(t, s.EnableCaching(t.Context()))
	changed(t, follow(t, s))
	for _, missing := range []string{"-subscribe", "resetchannels", "-client|tracking", "-client|trackinginfo", "-info"} {
		p.do(t, "ACL", "SETUSER", "app", missing)
		_, err := s.Follow(t.Context())
		require.ErrorIs(t, err, hosts.ErrRefused, missing)
		require.ErrorContains(t, err, "grant the user", missing)
		save(t, s, newRecord(), 0)
		p.do(t, "ACL", "SETUSER", "app", "+client", "+info", "+subscribe", "&session:*")
	}
	p.do(t, "ACL", "SETUSER", "app", "-info")
	require.ErrorContains(t, s.EnableCaching(t.Context()), "grant the user +info")
}

// Nobody connects for a feed that nobody follows, and a follower leaves nothing.
func TestFeedConnections(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{})
	save(t, s, newRecord(), 0)
	requireState(t, s, feed.None)
	require.False(t, p.Shows(t, "sub=1", "CLIENT", "LIST"))
	require.True(t, p.Shows(t, "tracking_clients:0", "INFO", "clients"))
	var all sync.WaitGroup
	var n atomic.Int64
	for range 8 {
		all.Go(func() {
			f, err := s.Follow(t.Context())
			if assert.NoError(t, err) {
				n.Add(1)
				assert.NoError(t, f.Close())
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 8, n.Load())
	eventually(t, "they are gone", func() bool { return p.Shows(t, "tracking_clients:0", "INFO", "clients") })
}
