package redis

import (
	"context"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/internal/soak"
)

func follow(t testing.TB, s *Store) *follower {
	t.Helper()
	f, err := s.Follow(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f.(*follower)
}

// changed is a complete answer, by ID.
func changed(t testing.TB, f feed.Follower) map[core.ID]core.Version {
	t.Helper()
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Gap)
	all := map[core.ID]core.Version{}
	for _, e := range c.Entries {
		require.NotContains(t, all, e.ID, "once is enough")
		all[e.ID] = e.Version
	}
	return all
}

func requireGap(t testing.TB, f feed.Follower, text string) {
	t.Helper()
	var gap error
	eventually(t, "there is a gap", func() bool {
		c, err := f.Changes(background)
		gap = c.Gap
		return err == nil && gap != nil
	})
	require.ErrorContains(t, gap, text)
	c, err := f.Changes(background)
	require.NoError(t, err)
	require.Error(t, c.Gap, "nothing is reported after it")
}

// other opens a second handle on the sessions of s.
func other(t testing.TB, s *Store, url string) *Store {
	return open(t, url, Options{Prefix: s.server.o.Prefix})
}

func TestFeed(t *testing.T) {
	p := start(t)
	a := open(t, p.url(), Options{Prefix: "a:"})
	b, elsewhere := other(t, a, p.url()), open(t, p.url(), Options{Prefix: "aa:"})
	old := save(t, b, newRecord(), core.NoVersion)
	f := follow(t, a)
	require.Empty(t, changed(t, f), "it begins now")
	save(t, elsewhere, newRecord(), core.NoVersion)
	p.do(t, "SET", "a:{00}:more:"+strings.Repeat("0", idSize), "x")
	require.Empty(t, changed(t, f), "another's sessions")

	mine := save(t, a, next(old), old.Version)
	require.Equal(t, map[core.ID]core.Version{old.ID: mine.Version}, changed(t, f))
	require.Empty(t, changed(t, f), "it is reported once")
	theirs := save(t, b, next(mine), mine.Version)
	require.Error(t, b.Save(t.Context(), next(mine), mine.Version))
	require.Equal(t, map[core.ID]core.Version{old.ID: theirs.Version}, changed(t, f))
	require.NoError(t, b.Delete(t.Context(), old.ID))
	require.Equal(t, map[core.ID]core.Version{old.ID: core.NoVersion}, changed(t, f))

	// Whoever changes a key is heard: an operator, another program, another release.
	r := save(t, b, newRecord(), core.NoVersion)
	key := a.server.shard(r.ID).record(r.ID)
	changed(t, f)
	for _, words := range []string{"EXPIRE " + key + " 100", "RENAME " + key + " x", "RENAME x " + key, "UNLINK " + key, "SET " + key + " rubbish"} {
		p.do(t, strings.Fields(words)...)
		require.Equal(t, map[core.ID]core.Version{r.ID: core.NoVersion}, stripped(changed(t, f)), words)
	}
	p.do(t, "PEXPIRE", key, "50")
	changed(t, f)
	eventually(t, "it expires", func() bool { _, ok := changed(t, f)[r.ID]; return ok })

	before := follow(t, b)
	many := oneOfEach()
	for range 3 {
		for i, r := range many {
			save(t, b, r, core.NoVersion)
			require.NoError(t, b.Delete(t.Context(), r.ID))
			many[i].Version = newRecord().Version
		}
	}
	require.Len(t, changed(t, before), len(many))
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "again")
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.Error(t, c.Gap)
}

func stripped(all map[core.ID]core.Version) map[core.ID]core.Version {
	for id := range all {
		all[id] = core.NoVersion
	}
	return all
}

// What was acknowledged before the question is in the answer, while others change
// much more; and what is stored then has the version that is reported, or is heard of
// by the next answer.
func TestFeedIsCompleteBeforeTheAcknowledgement(t *testing.T) {
	u := servers.Redis(t)
	a := open(t, u, Options{Prefix: newPrefix()})
	b := other(t, a, u)
	t.Cleanup(func() { wipe(t, a) })
	f := follow(t, a)
	stop := make(chan struct{})
	var noise sync.WaitGroup
	var ended acknowledged
	seen := map[core.ID]core.Version{}
	for range 16 {
		noise.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r := newRecord()
				assert.NoError(t, b.Save(background, r, core.NoVersion))
				assert.NoError(t, b.Save(background, next(r), r.Version))
				assert.NoError(t, b.Delete(background, r.ID))
				ended.add(r.ID)
			}
		})
	}
	r := save(t, b, newRecord(), core.NoVersion)
	for n := range soak.Rounds(t, 60, 1000) {
		was := r
		r = save(t, b, next(was), was.Version)
		all := changed(t, f)
		require.Contains(t, all, r.ID, "change %d", n)
		require.NotEqual(t, was.Version, all[r.ID])
		one := save(t, b, newRecord(), core.NoVersion)
		require.NoError(t, b.Delete(t.Context(), one.ID))
		ends := changed(t, f)
		require.Contains(t, ends, one.ID, "end %d", n)
		maps.Copy(seen, all)
		maps.Copy(seen, ends)
	}
	close(stop)
	noise.Wait()
	maps.Copy(seen, changed(t, f))
	for _, id := range ended.all() {
		if _, ok := seen[id]; !ok {
			t.Fatalf("%v came in the middle of a question, and is not reported", id)
		}
	}
}

// A session that changes all the time is never reported by a version that it no
// longer has, unless it is reported again.
func TestFeedVersionsOfABusySession(t *testing.T) {
	u := servers.Redis(t)
	a := open(t, u, Options{Prefix: newPrefix()})
	b := other(t, a, u)
	t.Cleanup(func() { wipe(t, a) })
	f := follow(t, a)
	var busy sync.WaitGroup
	r := save(t, b, newRecord(), core.NoVersion)
	id, last := r.ID, core.NoVersion
	busy.Go(func() {
		for range soak.Rounds(t, 1000, 3000) {
			n := next(r)
			if !assert.NoError(t, b.Save(background, n, r.Version)) {
				return
			}
			r = n
		}
	})
	done := make(chan struct{})
	go func() { busy.Wait(); close(done) }()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		if v, ok := changed(t, f)[id]; ok {
			last = v
		}
	}
	require.Contains(t, []core.Version{r.Version, core.NoVersion}, last)
}

func TestFeedGaps(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		do   func(t *testing.T, p *process, s *Store)
		gap  string
	}{
		"the connection is killed": {nil, func(t *testing.T, p *process, _ *Store) { p.do(t, "CLIENT", "KILL", "TYPE", "pubsub") }, ""},
		"the server is killed":     {nil, func(t *testing.T, p *process, _ *Store) { p.Kill(); p.Begin(t) }, ""},
		"emptied":                  {nil, func(t *testing.T, p *process, _ *Store) { p.do(t, "FLUSHALL") }, "emptied"},
		"demoted":                  {nil, func(t *testing.T, p *process, _ *Store) { p.do(t, "REPLICAOF", "127.0.0.1", "1") }, "no primary"},
		"demoted and back": {nil, func(t *testing.T, p *process, _ *Store) {
			p.do(t, "REPLICAOF", "127.0.0.1", "1")
			p.do(t, "REPLICAOF", "NO", "ONE")
		}, "another's data"},
		"too many": {nil, func(t *testing.T, p *process, s *Store) {
			p.do(t, "EVAL", "for n = 1, 10001 do redis.call('SET', string.format('%s{00}:00%030x', ARGV[1], n), 'x') end return 1", "0", s.server.o.Prefix)
		}, "more than 10000"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, c.args...)
			s := open(t, p.url(), Options{})
			f := follow(t, s)
			require.Empty(t, changed(t, f))
			c.do(t, p, s)
			requireGap(t, f, c.gap)
			if p.Shows(t, "role:master", "INFO", "replication") {
				g := follow(t, s)
				r := newRecord()
				eventually(t, "the store has new connections", func() bool { return s.Save(background, r, core.NoVersion) == nil })
				require.Equal(t, map[core.ID]core.Version{r.ID: r.Version}, changed(t, g))
			} else {
				_, err := s.Follow(t.Context())
				require.ErrorContains(t, err, "no primary")
			}
		})
	}
}

// A server that no longer tracks, as behind a proxy that has connected anew.
func TestFeedWithoutTracking(t *testing.T) {
	s := open(t, start(t).url(), Options{})
	f := follow(t, s)
	require.NoError(t, f.client.Do(t.Context(), f.client.B().ClientTracking().Off().Build()).Error())
	requireGap(t, f, "does not report")
}

// The server drops a follower that does not read, rather than keep all for it.
func TestFeedUnread(t *testing.T) {
	p := start(t)
	u, err := url.Parse(p.url())
	require.NoError(t, err)
	way, err := conformance.NewProxy(u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, way.Close()) })
	p.do(t, "CONFIG", "SET", "client-output-buffer-limit", "pubsub 100000 0 0")
	f := follow(t, open(t, "redis://"+way.Addr(), Options{}))
	way.Stall()
	connected := func() bool { return p.Shows(t, "sub=1", "CLIENT", "LIST", "TYPE", "pubsub") }
	require.True(t, connected())
	eventually(t, "the server drops it", func() bool {
		p.do(t, "EVAL", "for n = 1, 100000 do redis.call('SET', string.format('session:{00}:00%030x', n), 'x') end return 1", "0")
		return !connected()
	})
	way.Resume()
	requireGap(t, f, "")
}

// A question that hangs ends with its context. What came in meanwhile is in the next
// answer.
func TestFeedHangs(t *testing.T) {
	p := start(t)
	u, err := url.Parse(p.url())
	require.NoError(t, err)
	way, err := conformance.NewProxy(u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, way.Close()) })
	s := open(t, p.url(), Options{})
	slow := other(t, s, "redis://"+way.Addr())
	f := follow(t, slow)
	r := save(t, s, newRecord(), core.NoVersion)
	way.Stall()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err = f.Changes(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
		_, err = f.Changes(ctx)
		require.Error(t, err)
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err = slow.Follow(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
	require.NoError(t, s.Delete(t.Context(), r.ID))
	way.Resume()
	require.Contains(t, changed(t, f), r.ID)
	require.Empty(t, changed(t, f))

	way.Stall()
	began := time.Now()
	require.NoError(t, f.Close(), "it waits for nobody")
	require.Less(t, time.Since(began), time.Second/2)
	way.Resume()
}

// What has been heard is not lost by an error in the middle of a question.
func TestFeedErrorsLoseNothing(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{})
	f := follow(t, s)
	r := save(t, s, newRecord(), core.NoVersion)
	p.do(t, "LPUSH", s.server.markKey(), "no text")
	for range 3 {
		_, err := f.Changes(t.Context())
		require.ErrorContains(t, err, "WRONGTYPE")
	}
	p.do(t, "DEL", s.server.markKey())
	require.Equal(t, map[core.ID]core.Version{r.ID: r.Version}, changed(t, f))
}
