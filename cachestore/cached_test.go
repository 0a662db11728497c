package cachestore

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/internal/soak"
)

// TestCachedConformance: a cache is a store like the one behind it, also where two
// processes have one each.
func TestCachedConformance(t *testing.T) {
	conformance.TestShared(t, func(t *testing.T) (a, b hosts.Store) {
		s := newMarked(t)
		return newCached(t, s, CachedOptions{}), newCached(t, s, CachedOptions{MaxBytes: LeastCachedBytes})
	})
}

func TestCachedModel(t *testing.T) {
	conformance.TestModelShared(t, func(t *testing.T) (a, b hosts.Store) {
		s := newMarked(t)
		return newCached(t, s, CachedOptions{}), newCached(t, s, CachedOptions{})
	})
}

func TestCachedIsRefused(t *testing.T) {
	s := newMarked(t)
	for _, bytes := range []int64{-1, 1, LeastCachedBytes - 1, LargestMaxBytes + 1} {
		_, err := NewCached(s, CachedOptions{MaxBytes: bytes})
		require.ErrorContains(t, err, "CachedOptions.MaxBytes is")
	}
	_, err := NewCached(s.Store, CachedOptions{})
	require.ErrorIs(t, err, feed.ErrUnsupported)
	require.ErrorContains(t, err, "leave the cache out")
}

// use recalls a session for so long, until the cache believes it or not.
func use(c *Cached, id core.ID, d time.Duration) (hits int) {
	const every = 10 * time.Millisecond
	for range d / every {
		if _, ok := c.Recall(id); ok {
			hits++
		}
		<-time.After(every)
	}
	synctest.Wait()
	return hits
}

// inBubble has a store and two caches that follow it, and a session that the first has
// in memory.
func inBubble(t *testing.T, test func(t *testing.T, s *marked, c, other *Cached, r core.Record)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newMarked(t)
		c, other := newCached(t, s, CachedOptions{MaxBytes: LeastCachedBytes}), newCached(t, s, CachedOptions{MaxBytes: LeastCachedBytes})
		r := kept(7, 300)
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		use(c, r.ID, time.Second)
		_, err := c.Load(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, 10, use(c, r.ID, 100*time.Millisecond))
		test(t, s, c, other, r)
	})
}

// TestCachedKeepsUp with a session that is changed a thousand times a second elsewhere:
// no read is older than a lease, and loads go on to be believed.
func TestCachedKeepsUp(t *testing.T) {
	inBubble(t, func(t *testing.T, s *marked, c, _ *Cached, r core.Record) {
		hits := 0
		saved := map[core.Version]time.Duration{1: 0}
		began := time.Now()
		for n := range 3000 {
			<-time.After(time.Millisecond)
			next := r
			next.Version = core.Version(n + 2)
			require.NoError(t, s.Save(t.Context(), next, r.Version))
			r = next
			saved[r.Version] = time.Since(began)
			got, ok := c.Recall(r.ID)
			if !ok {
				_, err := c.Load(t.Context(), r.ID)
				require.NoError(t, err)
				continue
			}
			hits++
			if replaced, ok := saved[got.Version+1]; ok {
				require.Less(t, time.Since(began)-replaced, feed.Lease, "what is believed was replaced before that")
			}
		}
		require.Greater(t, hits, 2500)
		require.NoError(t, s.Delete(t.Context(), r.ID))
		<-time.After(feed.Lease)
		_, ok := c.Recall(r.ID)
		require.False(t, ok)
	})
}

// TestCachedDoubtsGarbage: whatever a feed answers costs loads, and nothing else.
func TestCachedDoubtsGarbage(t *testing.T) {
	type answer = func(context.Context, feed.Follower) (feed.Changes, error)
	rng := rand.New(rand.NewPCG(1, 2))
	var held []feed.Change
	for name, a := range map[string]answer{
		"an error": func(context.Context, feed.Follower) (feed.Changes, error) { return feed.Changes{}, errors.New("down") },
		"never": func(ctx context.Context, _ feed.Follower) (feed.Changes, error) {
			<-ctx.Done()
			return feed.Changes{}, ctx.Err()
		},
		"a gap": func(context.Context, feed.Follower) (feed.Changes, error) {
			return feed.Changes{Gap: errors.New("pruned"), Caching: true}, nil
		},
		"no mark": func(context.Context, feed.Follower) (feed.Changes, error) { return feed.Changes{}, nil },
		"too many changes": func(context.Context, feed.Follower) (feed.Changes, error) {
			return feed.Changes{Entries: make([]feed.Change, feed.MaxChanges+1), Caching: true}, nil
		},
		"twice, out of order, and foreign IDs": func(ctx context.Context, f feed.Follower) (feed.Changes, error) {
			c, err := f.Changes(ctx)
			held = append(held, c.Entries...)
			c.Entries = append(append([]feed.Change{{}, {ID: kept(99, 1).ID, Version: 5}}, held...), held...)
			rng.Shuffle(len(c.Entries), func(i, j int) { c.Entries[i], c.Entries[j] = c.Entries[j], c.Entries[i] })
			c.Caching = true
			return c, err
		},
		"late": func(ctx context.Context, f feed.Follower) (feed.Changes, error) {
			c, err := f.Changes(ctx)
			<-time.After(feed.Lease - 10*time.Millisecond)
			c.Caching = true
			return c, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *marked, c, _ *Cached, r core.Record) {
				s.answer(a)
				for n := range 20 {
					next := r
					next.Version = core.Version(n + 2)
					require.NoError(t, s.Save(t.Context(), next, r.Version))
					<-time.After(feed.Lease)
					if got, ok := c.Recall(r.ID); ok {
						require.Equal(t, next.Version, got.Version)
					} else {
						_, err := c.Load(t.Context(), r.ID)
						require.NoError(t, err)
					}
					r = next
				}
				require.NoError(t, s.Delete(t.Context(), r.ID))
				<-time.After(feed.Lease)
				require.Zero(t, use(c, r.ID, time.Second))
				s.answer(nil)
				other := kept(8, 300)
				require.NoError(t, c.Save(t.Context(), other, core.NoVersion))
				use(c, other.ID, 4*time.Second)
				_, err := c.Load(t.Context(), other.ID)
				require.NoError(t, err)
				require.Equal(t, 100, use(c, other.ID, time.Second), "all is well afterwards")
			})
		})
	}
}

// TestCachedOwnChanges are seen by the process at once, and by the other within a lease.
func TestCachedOwnChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *marked, c, other *Cached, r core.Record) {
		use(other, r.ID, time.Second)
		_, err := other.Load(t.Context(), r.ID)
		require.NoError(t, err)
		next := r
		next.Version = 2
		require.NoError(t, c.Save(t.Context(), next, r.Version))
		got, ok := c.Recall(r.ID)
		require.True(t, ok)
		require.Equal(t, next.Version, got.Version)
		require.ErrorIs(t, c.Save(t.Context(), r, 77), core.ErrConflict)
		_, ok = c.Recall(r.ID)
		require.False(t, ok, "after a conflict nobody knows")
		_, ok = other.Recall(r.ID)
		require.True(t, ok, "by what it had before")
		<-time.After(feed.Lease)
		_, ok = other.Recall(r.ID)
		require.False(t, ok)
		_, err = c.Load(t.Context(), r.ID)
		require.NoError(t, err)
		require.NoError(t, c.Delete(t.Context(), r.ID))
		_, ok = c.Recall(r.ID)
		require.False(t, ok)
	})
}

// TestCachedBounds: a record over the bound of a part is not kept, and loads as ever.
func TestCachedBounds(t *testing.T) {
	inBubble(t, func(t *testing.T, s *marked, c, _ *Cached, _ core.Record) {
		large, many := kept(9, LeastCachedBytes/2), soak.Rounds(t, 6000, 20_000)
		require.NoError(t, c.Save(t.Context(), large, core.NoVersion))
		_, ok := c.Recall(large.ID)
		require.False(t, ok)
		got, err := c.Load(t.Context(), large.ID)
		require.NoError(t, err)
		require.Equal(t, large.Sealed, got.Sealed)
		for i := range many {
			require.NoError(t, c.Save(t.Context(), kept(i, 300), core.NoVersion))
		}
		stats := c.Stats()
		require.LessOrEqual(t, stats.Bytes, int64(LeastCachedBytes))
		require.Positive(t, stats.Evicted)
		require.Less(t, stats.Sessions, many)
		require.Positive(t, stats.Hits)
		require.Positive(t, stats.Doubts[hosts.DoubtCold])
		require.NoError(t, c.Close()) // a feed that still answers may be faster than the first read
		_, ok = c.Recall(large.ID)
		require.False(t, ok)
		require.Positive(t, c.Stats().Doubts[hosts.DoubtFeed])
	})
}

// TestCachedOverhead: beside its record, as it is stored, a session takes at most 64
// bytes, whether the cache is full or not.
func TestCachedOverhead(t *testing.T) {
	parts := soak.Rounds(t, 2, 8)
	sessions := 12_500 * parts
	record := kept(0, 300)
	b, err := core.AppendRecord(nil, &record)
	require.NoError(t, err)
	s := newMarked(t)
	little := int64(parts) << 22
	for _, bytes := range []int64{little, 2 * little} { // what does not hold all, and what does
		c := newCached(t, s, CachedOptions{MaxBytes: bytes})
		for i := range sessions {
			r := kept(i, 300)
			f := c.ring(r.ID).begin(r.ID)
			c.saved(f, &r, core.NoVersion, nil)
		}
		stats := c.Stats()
		beside := float64(stats.Bytes)/float64(stats.Sessions) - float64(len(b))
		t.Logf("bound of %d MiB: %d of %d sessions in %d bytes: %.1f bytes for each beside its record of %d bytes", bytes>>20, stats.Sessions, sessions, stats.Bytes, beside, len(b))
		require.LessOrEqual(t, beside, 64.0)
		require.Equal(t, bytes == little, stats.Evicted > 0)
	}
}

// TestCachedUnderRace: the requests of two processes leave no call behind.
func TestCachedUnderRace(t *testing.T) {
	s := newMarked(t)
	caches := []*Cached{newCached(t, s, CachedOptions{MaxBytes: LeastCachedBytes}), newCached(t, s, CachedOptions{MaxBytes: LeastCachedBytes})}
	rounds := soak.Rounds(t, 700, 2000)
	var all sync.WaitGroup
	for i := range 8 {
		c := caches[i%2]
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 3))
			for n := range rounds {
				r := kept(rng.IntN(20), 100)
				got, err := c.Load(context.Background(), r.ID)
				if err == nil {
					r = got
				}
				r.Version = core.Version(n*16 + i + 2)
				switch rng.IntN(6) {
				case 0:
					_ = c.Save(context.Background(), r, core.NoVersion)
				case 1, 2:
					_ = c.Save(context.Background(), r, got.Version)
				case 3:
					_ = c.Delete(context.Background(), r.ID)
				case 4:
					c.LoadMany(context.Background(), []core.ID{r.ID, kept(1, 1).ID, r.ID})
				default:
					c.Recall(r.ID)
					c.Stats()
				}
			}
		})
	}
	all.Wait()
	for _, c := range caches {
		for i := range c.rings {
			require.Empty(t, c.rings[i].flying, "calls that are over")
		}
	}
}

// TestCachedForgetsWhenClosed, and nothing is believed afterwards.
func TestCachedForgetsWhenClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *marked, c, _ *Cached, r core.Record) {
		require.NoError(t, c.Close())
		require.Zero(t, use(c, r.ID, time.Second))
		require.Zero(t, c.Stats().Sessions)
		_, err := c.Load(t.Context(), r.ID)
		require.NoError(t, err)
	})
}

// TestCachedClocks: a clock that is set costs loads, for a moment.
func TestCachedClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMarked(t)
		began := time.Now()
		wall := time.Duration(0)
		c := newCached(t, s, CachedOptions{Clock: func() feed.Moment {
			mono := time.Since(began)
			return feed.Moment{Mono: mono, Wall: mono + wall}
		}})
		r := kept(1, 300)
		require.NoError(t, c.Save(t.Context(), r, core.NoVersion))
		use(c, r.ID, time.Second)
		_, err := c.Load(t.Context(), r.ID)
		require.NoError(t, err)
		for _, set := range []time.Duration{time.Hour, -time.Hour, feed.Lease, -2 * time.Minute} {
			require.Equal(t, 10, use(c, r.ID, 100*time.Millisecond))
			wall += set
			_, ok := c.Recall(r.ID)
			require.False(t, ok)
			use(c, r.ID, 2*feed.Every)
		}
	})
}
