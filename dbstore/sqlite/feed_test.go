package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

func follow(t *testing.T, s feed.Source) feed.Follower {
	t.Helper()
	f, err := s.Follow(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// changes are those of one complete answer.
func changes(t *testing.T, f feed.Follower) []feed.Change {
	t.Helper()
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Gap)
	return c.Entries
}

func gap(t *testing.T, f feed.Follower, says string) {
	t.Helper()
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, c.Gap, says)
}

func step(r core.Record) core.Record {
	r.Version++
	r.SeenAt++
	return r
}

// TestAChangeIsReported of any writer, before the writer is answered, once.
func TestAChangeIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	a, b := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{Fast: true})
	r := sessionOne
	other := core.Record{ID: core.ID{9}, Version: 1, Sealed: []byte("other")}
	require.NoError(t, a.Save(t.Context(), r, core.NoVersion))
	f := follow(t, a)
	db := raw(t, path)
	run := func(text string) func() error {
		return func() error {
			res, err := db.Exec(text, r.ID[:])
			if err == nil {
				n, _ := res.RowsAffected()
				require.EqualValues(t, 1, n, text)
			}
			return err
		}
	}
	save := func(ctx context.Context, s hosts.Store) func() error {
		return func() error { prev := r.Version; r = step(r); return s.Save(ctx, r, prev) }
	}
	touch := hosts.TouchContext(t.Context())
	for _, c := range []struct {
		name string
		do   func() error
		want []feed.Change
	}{
		{"nothing", func() error { return nil }, nil},
		{"a save", save(t.Context(), a), []feed.Change{{ID: r.ID, Version: 2, Prev: 1}}},
		{"of another handle", save(t.Context(), b), []feed.Change{{ID: r.ID, Version: 3, Prev: 2}}},
		{"a touch", save(touch, b), nil},
		{"a new session", func() error { return b.Save(t.Context(), other, core.NoVersion) }, nil},
		{"plain SQL that leaves the version", run("UPDATE sessions SET user_id = 'ben' WHERE id = ?"), []feed.Change{{ID: r.ID, Prev: 4}}},
		{"a release that knows no touches", run("UPDATE sessions SET version = 6, seen_at = 9 WHERE id = ?"), []feed.Change{{ID: r.ID, Version: 6, Prev: 4}}},
		{"the hour", run("UPDATE sessions SET expiry_hour = -1 WHERE id = ?"), nil},
		{"REPLACE", run("REPLACE INTO sessions SELECT id, 7, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data, 0 FROM sessions WHERE id = ?"),
			[]feed.Change{{ID: r.ID}}},
		{"plain SQL that deletes", run("DELETE FROM sessions WHERE id = ?"), []feed.Change{{ID: r.ID, Prev: 7}}},
		{"a delete", func() error { return b.Delete(t.Context(), other.ID) }, []feed.Change{{ID: other.ID, Prev: other.Version}}},
		{"a delete of nothing", func() error { return b.Delete(t.Context(), other.ID) }, nil},
	} {
		require.NoError(t, c.do(), c.name)
		require.Equal(t, c.want, changes(t, f), c.name)
		require.Empty(t, changes(t, f), c.name)
	}
}

// TestBatchesAreReportedWhole by 64 callers at two handles, while somebody asks.
func TestBatchesAreReportedWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	handles := []*sqlite.Store{open(t, path, sqlite.Options{Fast: true}), open(t, path, sqlite.Options{Fast: true})}
	f := follow(t, handles[0])
	const callers, each = 64, 20
	got := map[core.ID]core.Version{}
	take := func() {
		for _, c := range changes(t, f) {
			require.Equal(t, got[c.ID]+1, c.Version, "one after the other")
			got[c.ID] = c.Version
		}
	}
	done := make(chan struct{})
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			r := benchRecord(n, 1)
			require.NoError(t, handles[0].Save(t.Context(), r, core.NoVersion))
			for i := range each {
				prev := r.Version
				r.Version++
				require.NoError(t, handles[i%2].Save(t.Context(), r, prev))
			}
		})
		got[benchID(n)] = 1
	}
	go func() { all.Wait(); close(done) }()
	for asking := true; asking; {
		select {
		case <-done:
			asking = false
		default:
		}
		take()
	}
	for n := range callers {
		require.EqualValues(t, each+1, got[benchID(n)])
	}
}

// TestWhatIsMissingIsAGap whatever takes it away.
func TestWhatIsMissingIsAGap(t *testing.T) {
	for name, c := range map[string]struct{ do, says string }{
		"trigger": {"DROP TRIGGER sessions_feed_delete", "missing"},
		"table":   {"DROP TABLE sessions_feed", "missing"},
		"entries": {"DELETE FROM sessions_feed", "is gone"},
		"again":   {"DELETE FROM sessions_feed; INSERT INTO sessions_feed VALUES (1, zeroblob(16), 1, 1), (2, zeroblob(16), 1, 1), (3, zeroblob(16), 1, 1)", "is gone"},
		"pruned":  {"UPDATE sessions SET version = 8; DELETE FROM sessions_feed WHERE seq < (SELECT max(seq) FROM sessions_feed)", "is gone"},
		"flood":   {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) INSERT INTO sessions_feed (id, version, prev) SELECT zeroblob(16), 1, 1 FROM n", "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sessions.db")
			s := open(t, path, sqlite.Options{})
			require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
			require.NoError(t, s.EnableCaching(t.Context()))
			f := follow(t, s)
			require.NoError(t, s.CheckFeed(t.Context()))
			_, err := raw(t, path).Exec(c.do)
			require.NoError(t, err)
			gap(t, f, c.says)
			if c.says == "missing" {
				require.ErrorIs(t, s.CheckFeed(t.Context()), dbstore.ErrNoFeed)
			}
			f = follow(t, s)
			require.NoError(t, s.CheckFeed(t.Context()))
			require.NoError(t, s.Delete(t.Context(), sessionOne.ID))
			require.Len(t, changes(t, f), 1)
		})
	}
}

func TestAReplacedFileIsAGap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, sqlite.Options{})
	f := follow(t, s)
	require.Empty(t, changes(t, f))
	require.NoError(t, os.Rename(path, path+".old"))
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	gap(t, f, "was replaced")
	_, err := s.Follow(t.Context())
	require.ErrorContains(t, err, "was replaced")
	_, err = s.CachingState(t.Context())
	require.ErrorContains(t, err, "was replaced")
}

// TestAFollowerHoldsUpNobody and is held up by nobody who writes.
func TestAFollowerHoldsUpNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, sqlite.Options{})
	require.NoError(t, s.Save(t.Context(), sessionOne, core.NoVersion))
	f := follow(t, s)
	db := raw(t, path)
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	_, err = c.ExecContext(t.Context(), "DELETE FROM sessions")
	require.NoError(t, err)
	require.Empty(t, changes(t, f), "not committed yet")
	_, err = c.ExecContext(t.Context(), "COMMIT")
	require.NoError(t, err)
	require.Len(t, changes(t, f), 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Changes(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, changes(t, f))
}

// TestPruningLosesNothing: what everybody has read goes, in small steps; who slept for
// longer than entries are kept meets a gap.
func TestPruningLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path, sqlite.Options{Fast: true})
		db := raw(t, path)
		r := sessionOne
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		f, sleeps := follow(t, s), follow(t, s)
		count := func() (n int) {
			require.NoError(t, db.QueryRow("SELECT count(*) FROM sessions_feed").Scan(&n))
			return n
		}
		for range 40 { // of 15 s
			for range 30 {
				prev := r.Version
				r = step(r)
				require.NoError(t, s.Save(t.Context(), r, prev))
			}
			require.Len(t, changes(t, f), 30)
			<-time.After(15 * time.Second)
			synctest.Wait()
		}
		require.LessOrEqual(t, count(), 23*30)
		require.GreaterOrEqual(t, count(), 20*30)
		gap(t, sleeps, "is gone")
	})
}

// TestTheMark goes from one state to the next, set by either process.
func TestTheMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	a, b := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	is := func(want feed.State) {
		t.Helper()
		for _, s := range []*sqlite.Store{a, b} {
			got, err := s.CachingState(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	is(feed.None)
	require.NoError(t, a.CheckFeed(t.Context()))
	var n int
	require.NoError(t, raw(t, path).QueryRow("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%feed%'").Scan(&n))
	require.Zero(t, n, "nothing is made before somebody asks")
	var all sync.WaitGroup
	for range 8 {
		for _, s := range []*sqlite.Store{a, b} {
			all.Go(func() { require.NoError(t, s.EnableCaching(t.Context())) })
		}
	}
	all.Wait()
	is(feed.On)
	require.NoError(t, raw(t, path).QueryRow("SELECT max(version) FROM sessions_schema").Scan(&n))
	require.Equal(t, 1001, n, "a release of before refuses it")
	require.NoError(t, open(t, path, sqlite.Options{}).Migrate(t.Context()))
	require.ErrorContains(t, b.SetCaching(t.Context(), feed.Off), "stopping first")
	require.ErrorContains(t, b.SetCaching(t.Context(), feed.None), "stopping first")
	f := follow(t, a)
	c, err := f.Changes(t.Context())
	require.NoError(t, err)
	require.True(t, c.Caching)
	for _, state := range []feed.State{feed.Stopping, feed.Off} {
		require.NoError(t, b.SetCaching(t.Context(), state))
		is(state)
		require.ErrorIs(t, a.EnableCaching(t.Context()), feed.ErrCachingOff)
		c, err := f.Changes(t.Context())
		require.NoError(t, err)
		require.False(t, c.Caching)
	}
	require.NoError(t, raw(t, path).QueryRow("SELECT max(version) FROM sessions_schema").Scan(&n))
	require.Equal(t, 2, n, "a release of before takes it")
	require.NoError(t, b.SetCaching(t.Context(), feed.None))
	is(feed.None)
	require.NoError(t, a.EnableCaching(t.Context()))
	is(feed.On)
	require.Error(t, a.SetCaching(t.Context(), feed.Off+1))
}

// TestNewKnowsTheMark but has no connection to follow with.
func TestNewKnowsTheMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	require.NoError(t, open(t, path, sqlite.Options{}).EnableCaching(t.Context()))
	s, err := sqlite.New(t.Context(), raw(t, path), sqlite.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	state, err := s.CachingState(t.Context())
	require.NoError(t, err)
	require.Equal(t, feed.On, state)
	_, err = cachestore.NewCached(s, cachestore.CachedOptions{})
	require.ErrorIs(t, err, feed.ErrUnsupported)
	_, err = hosts.FeedOf(s)
	require.ErrorIs(t, err, feed.ErrUnsupported)
	require.ErrorContains(t, err, "sqlite.Open")
}

// TestTheCacheHearsOfOtherHandles: of a save and of a logout, within a moment.
func TestTheCacheHearsOfOtherHandles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	a, b := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	cached, err := cachestore.NewCached(a, cachestore.CachedOptions{})
	require.NoError(t, err)
	defer func() { require.NoError(t, cached.Close()) }()
	r := sessionOne
	require.NoError(t, b.Save(t.Context(), r, core.NoVersion))
	recalls := func() core.Version {
		got, ok := cached.Recall(r.ID)
		if !ok {
			return core.NoVersion
		}
		return got.Version
	}
	load := func() bool {
		got, err := cached.Load(t.Context(), r.ID)
		require.NoError(t, err)
		return recalls() == got.Version
	}
	require.Eventually(t, load, 5*time.Second, 10*time.Millisecond)
	next := step(r)
	require.NoError(t, b.Save(t.Context(), next, r.Version))
	require.Eventually(t, func() bool { return recalls() == core.NoVersion }, feed.Lease, 5*time.Millisecond)
	require.Eventually(t, load, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, next.Version, recalls())
	require.NoError(t, b.Delete(t.Context(), r.ID))
	require.Eventually(t, func() bool { return recalls() == core.NoVersion }, feed.Lease, 5*time.Millisecond)
	require.Zero(t, cached.Stats().Feed.Gaps)
	state, err := b.CachingState(t.Context())
	require.NoError(t, err)
	require.True(t, state.Waits())
}
