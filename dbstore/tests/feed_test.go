package tests

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/internal/soak"
)

func (w *world) follow(s feed.Source) feed.Follower {
	f, err := s.Follow(w.Context())
	require.NoError(w, err)
	w.Cleanup(func() { require.NoError(w, f.Close()) })
	return f
}

// changes are those of one complete answer.
func (w *world) changes(f feed.Follower) []feed.Change {
	c, err := f.Changes(w.Context())
	require.NoError(w, err)
	require.NoError(w, c.Gap)
	return c.Entries
}

func (w *world) gap(f feed.Follower, says string) {
	c, err := f.Changes(w.Context())
	require.NoError(w, err)
	require.ErrorContains(w, c.Gap, says)
}

// TestAChangeIsReported of any writer, before the writer is answered, once.
func TestAChangeIsReported(t *testing.T) {
	everywhere(t, func(w *world) {
		a, b := w.store(nil), w.store(nil)
		r, other := record(1), record(2)
		w.save(a, r, core.NoVersion)
		f := w.follow(a)
		change := func() []feed.Change { return []feed.Change{{ID: r.ID, Version: r.Version}} }
		save := func(ctx context.Context, s hosts.Store) {
			prev := r.Version
			r = after(r)
			require.NoError(w, s.Save(ctx, r, prev))
		}
		for _, c := range []struct {
			name string
			do   func()
			want func() []feed.Change
		}{
			{"nothing", func() {}, nil},
			{"a save", func() { save(w.Context(), a) }, change},
			{"of another server", func() { save(w.Context(), b) }, change},
			{"a touch", func() { save(hosts.TouchContext(w.Context()), b) }, nil},
			{"a new session", func() { w.save(b, other, core.NoVersion) }, nil},
			{"a batch of all kinds", func() {
				prev := r.Version
				r = after(r)
				touch := after(other)
				for _, err := range b.SaveMany(w.Context(), []hosts.Saving{{Record: r, Prev: prev}, {Record: touch, Prev: other.Version, Touch: true}, {Record: record(3)}}) {
					require.NoError(w, err)
				}
				other = touch
			}, change},
			{"plain SQL that leaves the version", func() { w.run("UPDATE {table} SET user_id = 'ben' WHERE version = " + fmt.Sprint(uint64(r.Version))) },
				func() []feed.Change { return []feed.Change{{ID: r.ID}} }},
			{"a release that knows no touches", func() {
				w.run("UPDATE {table} SET version = 5 WHERE version = " + fmt.Sprint(uint64(r.Version)))
				r.Version = 5
			}, change},
			{"the hour", func() { w.run("UPDATE {table} SET expiry_hour = 1") }, nil},
			{"a delete", func() { require.NoError(w, b.Delete(w.Context(), other.ID)) }, func() []feed.Change { return []feed.Change{{ID: other.ID}} }},
			{"a delete of nothing", func() { require.NoError(w, b.Delete(w.Context(), other.ID)) }, nil},
			{"plain SQL that deletes", func() { w.run("DELETE FROM {table} WHERE version = 5") }, func() []feed.Change { return []feed.Change{{ID: r.ID}} }},
		} {
			c.do()
			got := w.changes(f)
			for i := range got {
				got[i].Prev = 0
			}
			var want []feed.Change
			if c.want != nil {
				want = c.want()
			}
			require.Equal(w, want, got, c.name)
			require.Empty(w, w.changes(f), c.name)
		}
	})
}

// TestLateCommitsAreReported: transactions that are held open on purpose, while others
// begin later and commit sooner, and one that is undone.
func TestLateCommitsAreReported(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		var all []core.Record
		for n := range byte(6) {
			all = append(all, w.save(s, record(n+1), core.NoVersion))
		}
		f := w.follow(s)
		open := func(n int) *sql.Tx {
			tx, err := w.admin.BeginTx(w.Context(), nil)
			require.NoError(w, err)
			place := map[bool]string{true: "$1", false: "?"}[w.dialect.Syntax().Numbered]
			_, err = tx.Exec(w.named("DELETE FROM {table} WHERE id = "+place), all[n].ID[:])
			require.NoError(w, err)
			return tx
		}
		gone := func(want ...int) {
			w.Helper()
			got := map[core.ID]bool{}
			for _, c := range w.changes(f) {
				got[c.ID] = true
			}
			require.Len(w, got, len(want))
			for _, n := range want {
				require.True(w, got[all[n].ID], n)
			}
		}
		operator := open(0) // held to the end
		second := open(1)
		undone := open(2)
		gone()
		require.NoError(w, s.Delete(w.Context(), all[3].ID))
		gone(3)
		require.NoError(w, second.Commit())
		require.NoError(w, s.Delete(w.Context(), all[4].ID))
		gone(1, 4)
		require.NoError(w, undone.Rollback())
		gone()
		late := w.follow(s) // which finds the operator at it
		for range 30 {
			r := after(all[5])
			w.save(s, r, all[5].Version)
			all[5] = r
			gone(5)
		}
		require.Len(w, w.changes(late), 30)
		require.NoError(w, operator.Commit())
		gone(0)
		require.Len(w, w.changes(late), 1)
		gone()
	})
}

// TestNothingIsPassedBy of what 64 callers save at two stores, with transactions that
// are undone among them, while somebody asks all the time.
func TestNothingIsPassedBy(t *testing.T) {
	everywhere(t, func(w *world) {
		stores := []*dbstore.Store{w.store(nil), w.store(nil)}
		f := w.follow(stores[0])
		const callers = 64
		each := soak.Rounds(w, 10, 20)
		var mu sync.Mutex
		acked := map[core.ID]core.Version{}
		known := map[core.ID]core.Version{}
		take := func() {
			mu.Lock()
			before := make(map[core.ID]core.Version, len(acked))
			for id, v := range acked {
				before[id] = v
			}
			mu.Unlock()
			for _, c := range w.changes(f) {
				known[c.ID] = max(known[c.ID], c.Version)
			}
			for id, v := range before {
				require.GreaterOrEqual(w, known[id], v, "acknowledged before the question")
			}
		}
		done := make(chan struct{})
		var all sync.WaitGroup
		for n := range byte(callers) {
			all.Go(func() {
				r := record(n + 1)
				r.Version = 1
				if !w.noError(stores[0].Save(w.Context(), r, core.NoVersion)) {
					return
				}
				for i := range each {
					if n%8 == 0 && i%5 == 0 {
						tx, err := w.admin.BeginTx(w.Context(), nil)
						if !w.noError(err) {
							return
						}
						_, err = tx.Exec(w.named("UPDATE {table} SET data = 'other' WHERE tenant_id = 'none'"))
						w.noError(err)
						w.noError(tx.Rollback())
					}
					prev := r.Version
					r.Version++
					if !w.noError(stores[i%2].Save(w.Context(), r, prev)) {
						return
					}
					mu.Lock()
					acked[r.ID] = r.Version
					mu.Unlock()
				}
			})
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
		require.Len(w, known, callers)
	})
}

func (w *world) noError(err error) bool {
	if err != nil {
		w.Errorf("%v", err)
	}
	return err == nil
}

// TestWhatIsMissingIsAGap and is made anew by who follows again.
func TestWhatIsMissingIsAGap(t *testing.T) {
	everywhere(t, func(w *world) {
		for name, c := range w.missing {
			s := w.store(nil)
			require.NoError(w, s.CheckFeed(w.Context()))
			require.NoError(w, s.EnableCaching(w.Context()))
			r := w.save(s, record(1), core.NoVersion)
			f := w.follow(s)
			require.Empty(w, w.changes(f), name)
			require.NoError(w, s.CheckFeed(w.Context()))
			w.run(c.do)
			w.gap(f, c.says)
			f = w.follow(s)
			require.NoError(w, s.CheckFeed(w.Context()), name)
			require.NoError(w, s.Delete(w.Context(), r.ID), name)
			w.changes(f)
			w.save(s, r, core.NoVersion)
			require.NoError(w, s.Delete(w.Context(), r.ID), name)
			require.Len(w, w.changes(f), 1, name)
			require.NoError(w, s.Drop(w.Context()))
		}
	})
}

// TestTheMark goes from one state to the next, set by either process.
func TestTheMark(t *testing.T) {
	everywhere(t, func(w *world) {
		a, b := w.store(nil), w.store(nil)
		is := func(want feed.State) {
			w.Helper()
			for _, s := range []*dbstore.Store{a, b} {
				got, err := s.CachingState(w.Context())
				require.NoError(w, err)
				require.Equal(w, want, got)
			}
		}
		is(feed.None)
		require.Zero(w, w.count("SELECT count(*) FROM information_schema.tables WHERE table_name = '{table}_feed'"), "nothing is made before somebody asks")
		var all sync.WaitGroup
		for range 4 {
			for _, s := range []*dbstore.Store{a, b} {
				all.Go(func() { w.noError(s.EnableCaching(w.Context())) })
			}
		}
		all.Wait()
		is(feed.On)
		require.Equal(w, 1001, w.count("SELECT max(version) FROM {table}_schema"), "a release of before refuses it")
		w.store(nil)
		require.ErrorContains(w, b.SetCaching(w.Context(), feed.Off), "stopping first")
		f := w.follow(a)
		c, err := f.Changes(w.Context())
		require.NoError(w, err)
		require.True(w, c.Caching)
		for _, state := range []feed.State{feed.Stopping, feed.Off} {
			require.NoError(w, b.SetCaching(w.Context(), state))
			is(state)
			require.ErrorIs(w, a.EnableCaching(w.Context()), feed.ErrCachingOff)
			c, err := f.Changes(w.Context())
			require.NoError(w, err)
			require.False(w, c.Caching)
		}
		require.Equal(w, 2, w.count("SELECT max(version) FROM {table}_schema"), "a release of before takes it")
		require.NoError(w, b.SetCaching(w.Context(), feed.None))
		is(feed.None)
		require.NoError(w, a.EnableCaching(w.Context()))
		is(feed.On)
	})
}

// TestRightsThatTheFeedNeeds are named, with what an administrator has to run.
func TestRightsThatTheFeedNeeds(t *testing.T) {
	everywhere(t, func(w *world) {
		w.store(nil)
		login := w.newUser()
		w.run(w.mayWrite)
		s := w.store(login)
		_, err := s.Follow(w.Context())
		require.ErrorIs(w, err, hosts.ErrRefused)
		text, schemaErr := dbstore.FeedSchema(w.dialect, w.table)
		require.NoError(w, schemaErr)
		require.ErrorContains(w, err, text)
		require.ErrorIs(w, s.EnableCaching(w.Context()), hosts.ErrRefused)
		state, err := s.CachingState(w.Context())
		require.NoError(w, err)
		require.Equal(w, feed.None, state)
		_, err = w.store(func(u *url.URL) { u.RawQuery = "migrate=false&" + u.RawQuery }).Follow(w.Context())
		require.ErrorContains(w, err, text)

		w.follow(w.store(nil)) // as an administrator
		w.run(w.mayFeed)
		f := w.follow(s)
		require.NoError(w, s.EnableCaching(w.Context()))
		r := w.save(s, record(1), core.NoVersion)
		require.NoError(w, s.Delete(w.Context(), r.ID))
		require.Len(w, w.changes(f), 1)
	})
}

// TestAQuestionEndsWithItsContext and the next one reports all the same.
func TestAQuestionEndsWithItsContext(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		r := w.save(s, record(1), core.NoVersion)
		f := w.follow(s)
		require.NoError(w, s.Delete(w.Context(), r.ID))
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		_, err := f.Changes(ctx)
		require.ErrorIs(w, err, context.Canceled)
		c, err := f.Changes(w.Context())
		require.NoError(w, err)
		require.True(w, c.Gap != nil || len(c.Entries) == 1)
	})
}

// TestTheCacheHearsOfOtherServers: of a save and of a logout, within a moment.
func TestTheCacheHearsOfOtherServers(t *testing.T) {
	everywhere(t, func(w *world) {
		a, b := w.store(nil), w.store(nil)
		cached, err := cachestore.NewCached(a, cachestore.CachedOptions{})
		require.NoError(w, err)
		defer func() { require.NoError(w, cached.Close()) }()
		r := w.save(b, record(1), core.NoVersion)
		recalls := func() core.Version {
			got, _ := cached.Recall(r.ID)
			return got.Version
		}
		load := func() bool {
			got, err := cached.Load(w.Context(), r.ID)
			return err == nil && recalls() == got.Version
		}
		require.Eventually(w, load, 10*time.Second, 10*time.Millisecond)
		next := w.save(b, after(r), r.Version)
		require.Eventually(w, func() bool { return recalls() == core.NoVersion }, feed.Lease, 5*time.Millisecond)
		require.Eventually(w, load, 10*time.Second, 10*time.Millisecond)
		require.Equal(w, next.Version, recalls())
		require.NoError(w, b.Delete(w.Context(), r.ID))
		require.Eventually(w, func() bool { return recalls() == core.NoVersion }, feed.Lease, 5*time.Millisecond)
		state, err := b.CachingState(w.Context())
		require.NoError(w, err)
		require.True(w, state.Waits())
	})
}
