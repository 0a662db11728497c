package redis

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// guarded is a primary with a replica and a sentinel.
func guarded(t *testing.T) (primary, replica, sentinel *process, url string) {
	primary = start(t)
	replica = startReplica(t, primary)
	sentinel = startSentinel(t, primary)
	eventually(t, "the sentinel knows the replica", func() bool {
		return sentinel.Shows(t, "slaves=1", "INFO", "sentinel")
	})
	return primary, replica, sentinel, "redis+sentinel://" + sentinel.Address() + "/main"
}

// orderFailover has the sentinel promote the replica, once it finds that fit.
func orderFailover(t *testing.T, sentinel *process) {
	eventually(t, "the sentinel fails over", func() bool {
		return sentinel.Shows(t, "OK", "SENTINEL", "FAILOVER", "main")
	})
}

// The primary dies, hangs, or is set back while it answers. A follower of it has
// a gap, or no answer; none says that all is known once the other server decides, for
// longer than the store itself asks the old one. The mark is on the new one.
func TestFeedFailover(t *testing.T) {
	for name, away := range map[string]func(t *testing.T, primary, sentinel *process){
		"killed":  func(_ *testing.T, primary, _ *process) { primary.Kill() },
		"ordered": func(t *testing.T, _, sentinel *process) { orderFailover(t, sentinel) },
		"hangs": func(t *testing.T, primary, _ *process) {
			thaw := primary.Freeze(t)
			t.Cleanup(thaw)
		},
	} {
		t.Run(name, func(t *testing.T) {
			primary, replica, sentinel, url := guarded(t)
			a := open(t, url, Options{Timeout: time.Second})
			b := other(t, a, url)
			eventually(t, "the mark is on the replica", func() bool { return a.EnableCaching(background) == nil })
			f := follow(t, a)
			require.Empty(t, changed(t, f))
			away(t, primary, sentinel)
			eventually(t, "the replica takes over", func() bool { return replica.Shows(t, "role:master", "INFO", "replication") })
			r := newRecord()
			eventually(t, "another process saves on the new primary", func() bool {
				return b.server.primary() == replica.Address() && b.Save(background, r, core.NoVersion) == nil
			})
			eventually(t, "there is a gap", func() bool {
				c, err := f.Changes(t.Context())
				if err == nil && c.Gap == nil {
					assert.Equal(t, primary.Address(), a.server.primary(), "the store asks the new primary, and the feed the old one")
				}
				return c.Gap != nil
			})
			var g feed.Follower
			eventually(t, "it follows the new one", func() (ok bool) {
				next, err := a.Follow(t.Context())
				if err == nil && g != nil {
					assert.NoError(t, g.Close())
				}
				if err == nil {
					g = next
				}
				return err == nil && next.(*follower).address == replica.Address()
			})
			t.Cleanup(func() { require.NoError(t, g.Close()) })
			require.NoError(t, b.Delete(t.Context(), r.ID))
			require.Contains(t, changed(t, g), r.ID)
			requireState(t, b, feed.On)
		})
	}
}

// A primary whose sentinels have named another is not believed while it still says
// that it is one.
func TestFeedOfAnOldPrimary(t *testing.T) {
	primary, replica, sentinel, url := guarded(t)
	a := open(t, url, Options{Timeout: time.Second})
	f := follow(t, a)
	// The old one is out of the sentinel's reach, and goes on as a primary.
	primary.do(t, "CONFIG", "SET", "requirepass", "none of yours")
	primary.Password = "none of yours"
	orderFailover(t, sentinel)
	eventually(t, "the replica takes over", func() bool { return replica.Shows(t, "role:master", "INFO", "replication") })
	eventually(t, "the client goes there", func() bool { return a.server.primary() == replica.Address() })
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, c.Gap, errMovedOn)
	require.True(t, primary.Shows(t, "role:master", "INFO", "replication"), "it still says that it is one")
}

// A cache over the store, and another process: what is saved there is read here, and
// who is logged out there is logged out here, by the time of the answer.
func TestCachedStore(t *testing.T) {
	_, _, _, sentinels := guarded(t)
	for name, url := range map[string]string{"one server": start(t).url(), "sentinels": sentinels} {
		t.Run(name, func(t *testing.T) {
			s := open(t, url, Options{})
			cached, err := cachestore.NewCached(s, cachestore.CachedOptions{})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, cached.Close()) })
			elsewhere, err := hosts.New(other(t, s, url), hosts.Config{Key: benchKey})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, elsewhere.Close()) })

			for range 3 {
				r := save(t, cached, newRecord(), core.NoVersion)
				recalls := func(want core.Record) func() bool {
					return func() bool {
						if _, ok := cached.Recall(r.ID); !ok {
							_, _ = cached.Load(background, r.ID)
						}
						got, ok := cached.Recall(r.ID)
						return ok && got.Version == want.Version
					}
				}
				eventually(t, "it is recalled", recalls(r))
				own := next(r)
				require.NoError(t, cached.Save(t.Context(), own, r.Version))
				eventually(t, "the own save", recalls(own))
				later := save(t, elsewhere.Store(), next(own), own.Version)
				eventually(t, "a save elsewhere", func() bool { got, ok := cached.Recall(r.ID); return !ok || got.Version == later.Version })
				eventually(t, "a save elsewhere, cached", recalls(later))

				stop, late := make(chan struct{}), make(chan bool, 1)
				go func() { // reads all the time, as requests do
					for {
						select {
						case <-stop:
							_, ok := cached.Recall(r.ID)
							late <- ok
							return
						default:
							recalls(later)()
						}
					}
				}()
				require.NoError(t, elsewhere.Destroy(t.Context(), r.ID))
				close(stop)
				require.False(t, <-late, "it is believed after the logout")
			}
			stats := cached.Stats()
			require.Positive(t, stats.Hits)
			require.Zero(t, stats.Feed.Gaps)
		})
	}
}
