package conformance

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/internal/soak"
)

// stagedFeed is what a cache of a stage sees: its store's calls and its questions happen
// one at a time, in the order that a seed draws.
type stagedFeed struct {
	hosts.Store
	*stage
	handle int
	source feed.Caching
	flaw   string
}

func (s *stagedFeed) Unwrap() hosts.Store { return s.Store }

// Load and Save are answered at one moment, and the answer arrives at another.
func (s *stagedFeed) Load(ctx context.Context, id core.ID) (core.Record, error) {
	r, err := s.Store.Load(ctx, id)
	s.arrive(ctx)
	return r, err
}

func (s *stagedFeed) Save(ctx context.Context, r core.Record, prev core.Version) error {
	err := s.Store.Save(ctx, r, prev)
	s.arrive(ctx)
	return err
}

func (s *stagedFeed) arrive(ctx context.Context) {
	s.pass(turn{
		ctx: ctx, handle: s.handle, alone: true, what: func() string { return "has the answer" },
		call: func(context.Context, hosts.Store) outcome { return outcome{} },
	})
}

func (s *stagedFeed) Follow(ctx context.Context) (feed.Follower, error) {
	f, err := s.source.Follow(ctx)
	return &stagedFollower{Follower: f, s: s}, err
}

func (s *stagedFeed) EnableCaching(ctx context.Context) error { return s.source.EnableCaching(ctx) }

func (s *stagedFeed) CachingState(ctx context.Context) (feed.State, error) {
	if s.flaw == "no wait" {
		return feed.None, nil
	}
	return s.source.CachingState(ctx)
}

func (s *stagedFeed) SetCaching(ctx context.Context, to feed.State) error {
	return s.source.SetCaching(ctx, to)
}

// stagedFollower keeps what was answered to a question that was given up.
type stagedFollower struct {
	feed.Follower
	s *stagedFeed

	mu   sync.Mutex
	held feed.Changes
}

func (f *stagedFollower) Changes(ctx context.Context) (feed.Changes, error) {
	landed := make(chan struct{})
	late := false
	go func() {
		defer close(landed)
		f.s.pass(turn{
			ctx: context.WithValue(context.Background(), whoKey{}, 100+f.s.handle), handle: f.s.handle, alone: true,
			what: func() string { return "the cache asks what has changed" },
			call: func(ctx context.Context, _ hosts.Store) outcome {
				f.mu.Lock()
				defer f.mu.Unlock()
				c, err := f.Follower.Changes(ctx)
				f.held.Entries = append(f.held.Entries, c.Entries...)
				f.held.Caching = c.Caching
				if f.s.random.IntN(12) == 0 {
					f.held = feed.Changes{Gap: errors.New("pruned")}
				}
				late = f.s.random.IntN(4) == 0
				return outcome{err: err}
			},
		})
		if late {
			select {
			case <-time.After(3 * feed.Lease):
			case <-ctx.Done():
			}
		}
	}()
	select {
	case <-landed:
	case <-ctx.Done():
		return feed.Changes{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.held
	f.held = feed.Changes{}
	return c, nil
}

// plainCache is the plainest cache, and right but for its flaw.
type plainCache struct {
	hosts.Store
	flaw   string
	poller *feed.Poller

	mu      sync.Mutex
	records map[core.ID]core.Record
	marks   int // of calls on their way; each change moves it
	hits    int
}

func newPlainCache(behind *stagedFeed, flaw string) *plainCache {
	c := &plainCache{Store: behind, flaw: flaw, records: map[core.ID]core.Record{}}
	var clock feed.Clock
	if flaw == "believes past the lease" {
		clock = func() feed.Moment {
			now := feed.SystemClock()
			return feed.Moment{Mono: now.Mono / 8, Wall: now.Wall / 8}
		}
	}
	c.poller = feed.NewPoller(behind, feed.Options{Caching: true, Clock: clock})
	c.poller.Listen(c)
	return c
}

func (c *plainCache) Unwrap() hosts.Store { return c.Store }

func (c *plainCache) Changed(changes []feed.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marks++
	for _, one := range changes {
		if c.records[one.ID].Version != one.Version {
			delete(c.records, one.ID)
		}
	}
}

func (c *plainCache) Missed(error) {
	if c.flaw == "keeps over a gap" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marks++
	clear(c.records)
}

func (c *plainCache) Recall(id core.ID) (core.Record, bool) {
	if !c.poller.Fresh() {
		return core.Record{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.records[id]
	if ok {
		c.hits++
	}
	return r, ok
}

func (c *plainCache) Doubt(hosts.Doubt) {}

func (c *plainCache) Load(ctx context.Context, id core.ID) (core.Record, error) {
	before := c.mark()
	r, err := c.Store.Load(ctx, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && (c.marks == before || c.flaw == "does not mark") {
		c.records[id] = r
	}
	return r, err
}

func (c *plainCache) Save(ctx context.Context, r core.Record, prev core.Version) error {
	before := c.mark()
	err := c.Store.Save(ctx, r, prev)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.records, r.ID)
	if err == nil && (c.marks == before || c.flaw == "does not mark") {
		c.records[r.ID] = r
	}
	c.marks++
	return err
}

func (c *plainCache) Delete(ctx context.Context, id core.ID) error {
	defer c.Changed([]feed.Change{{ID: id}})
	return c.Store.Delete(ctx, id)
}

func (c *plainCache) mark() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.marks
}

// playCached is play with caches: cachestore's, or a plain one with a flaw.
func playCached(t *testing.T, seed uint64, plain bool, flaw string) (hits int, transcript []string, broken string) {
	f := newFed()
	transcript, broken = playWith(t, seed, f, f, newMapStore(), func(s *stage) {
		s.caches = func(handle int, behind hosts.Store) (hosts.Store, func()) {
			staged := &stagedFeed{Store: behind, stage: s, handle: handle, source: f, flaw: flaw}
			if plain {
				c := newPlainCache(staged, flaw)
				return c, func() { hits += c.hits; c.poller.Close() }
			}
			c, err := cachestore.NewCached(staged, cachestore.CachedOptions{MaxBytes: cachestore.LeastCachedBytes})
			require.NoError(t, err)
			return c, func() {
				hits += int(c.Stats().Hits)
				require.NoError(t, c.Close())
			}
		}
	})
	return hits, transcript, broken
}

// TestModelWithCaches: logouts are final, and what a lease ago was acknowledged is seen.
func TestModelWithCaches(t *testing.T) {
	for name, plain := range map[string]bool{"the cache": false, "a plain cache": true} {
		t.Run(name, func(t *testing.T) {
			hits, used, runs := 0, 0, soak.Rounds(t, 80, 400)
			for seed := range uint64(runs) {
				n, transcript, broken := playCached(t, seed, plain, "")
				require.Empty(t, broken, "seed %d:\n%s", seed, strings.Join(transcript, "\n"))
				if hits += n; n > 0 {
					used++
				}
			}
			t.Logf("%d schedules: %d reads from caches, in %d of them", runs, hits, used)
			require.Greater(t, used, runs/4)
		})
	}
}

// TestModelSeesFlawedCaches: each in some schedule. The short form begins a little before
// the first that sees the flaw.
func TestModelSeesFlawedCaches(t *testing.T) {
	for flaw, from := range map[string]uint64{"believes past the lease": 10, "keeps over a gap": 75, "does not mark": 325, "no wait": 0} {
		t.Run(flaw, func(t *testing.T) {
			for seed := soak.Rounds(t, from, 0); seed < 3000; seed++ {
				if _, _, broken := playCached(t, seed, true, flaw); broken != "" {
					t.Logf("seed %d: %s", seed, broken)
					return
				}
			}
			require.Fail(t, "no schedule sees it")
		})
	}
}
