package tests

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// TestTheHourOfTheDatabaseIsOurs: the hour that a sweep sets is that of Bucket,
// also at the ends of time.
func TestTheHourOfTheDatabaseIsOurs(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		times := []core.Time{math.MinInt64, -core.Hour - 1, -core.Hour, -core.Hour + 1, -1, 0, 1, core.Hour - 1, core.Hour, core.Hour + 1,
			1_700_000_000_000, math.MaxInt64 - core.Hour, math.MaxInt64}
		for i, at := range times {
			r := record(byte(1 + i))
			r.ExpiresAt = at
			w.save(s, r, core.NoVersion)
		}
		w.run(fmt.Sprintf("UPDATE {table} SET expiry_hour = %d", dbstore.Bucket(math.MinInt64)))
		n, err := s.Sweep(w.Context(), math.MinInt64, 1000)
		require.NoError(w, err)
		require.Zero(w, n, "nothing expires before the beginning")
		rows, err := w.admin.QueryContext(w.Context(), w.named("SELECT expires_at, expiry_hour FROM {table} ORDER BY id"))
		require.NoError(w, err)
		defer rows.Close()
		for _, at := range times {
			require.True(w, rows.Next())
			var expires core.Time
			var hour int64
			require.NoError(w, rows.Scan(&expires, &hour))
			require.Equal(w, at, expires)
			require.Equal(w, dbstore.Bucket(at), hour, at)
			require.LessOrEqual(w, core.Time(hour), at/core.Hour)
		}
		require.NoError(w, rows.Err())
	})
}

// TestALiveSessionIsLookedAtOnce: one whose expiry has moved on is not looked
// at by each sweep that follows.
func TestALiveSessionIsLookedAtOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		was := w.save(s, record(1), core.NoVersion)
		is := after(was)
		is.ExpiresAt += 5 * core.Hour
		w.save(s, is, was.Version)
		hour := "SELECT expiry_hour FROM {table}"
		require.EqualValues(w, dbstore.Bucket(was.ExpiresAt), w.count(hour), "a touch changes no index")
		back := after(is)
		back.ExpiresAt = was.ExpiresAt - 3*core.Hour
		for _, err := range s.SaveMany(w.Context(), []hosts.Saving{{Record: back, Prev: is.Version}}) {
			require.NoError(w, err)
		}
		require.EqualValues(w, dbstore.Bucket(back.ExpiresAt), w.count(hour), "one that expires earlier is found in time")
		w.save(s, is, back.Version)
		for _, before := range []core.Time{was.ExpiresAt, is.ExpiresAt} {
			n, err := s.Sweep(w.Context(), before, 10)
			require.NoError(w, err)
			require.Zero(w, n)
			require.EqualValues(w, dbstore.Bucket(is.ExpiresAt), w.count(hour))
		}
		w.holds(s, is)
		n, err := s.Sweep(w.Context(), is.ExpiresAt+1, 10)
		require.NoError(w, err)
		require.Equal(w, 1, n)
	})
}

// TestManyStaleHoursDoNotHideTheExpired: a sweep with a small limit passes over
// any number of live ones.
func TestManyStaleHoursDoNotHideTheExpired(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		var saves []hosts.Saving
		for i := range 3000 {
			r := record(byte(i))
			r.ID[2] = byte(i >> 8)
			if i%1000 != 999 {
				r.ExpiresAt += 10 * core.Day
			}
			saves = append(saves, hosts.Saving{Record: r})
		}
		for _, err := range s.SaveMany(w.Context(), saves) {
			require.NoError(w, err)
		}
		w.run("UPDATE {table} SET expiry_hour = 0")
		for _, want := range []int{2, 1, 0} {
			n, err := s.Sweep(w.Context(), 2*core.Day+1, 2)
			require.NoError(w, err)
			require.Equal(w, want, n)
		}
		require.Zero(w, w.count(fmt.Sprintf("SELECT count(*) FROM {table} WHERE expiry_hour <= %d", dbstore.Bucket(2*core.Day))))
	})
}

// TestASweepWaitsForWhatOthersHold, for fewer than the limit means that none are
// left; and what they have prolonged meanwhile it lets live.
func TestASweepWaitsForWhatOthersHold(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		held, free := w.save(s, record(1), core.NoVersion), w.save(s, record(2), core.NoVersion)
		tx, _ := w.lock(held.ID)
		type result struct {
			n   int
			err error
		}
		sweep := func(ctx context.Context) chan result {
			done := make(chan result, 1)
			go func() {
				n, err := s.Sweep(ctx, held.ExpiresAt+1, 10)
				done <- result{n, err}
			}()
			w.awaitWaiting(1)
			return done
		}
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		got := <-sweep(ctx)
		require.ErrorIs(w, got.err, context.DeadlineExceeded)
		w.eventually("the server ends the sweep", lookAgain, func() bool { return w.count(w.waiting) == 0 })
		if w.name == "postgres" {
			_, err := s.Load(w.Context(), free.ID)
			require.ErrorIs(w, err, core.ErrNotFound, "it took first what nobody held")
		}
		done := sweep(w.Context())
		_, err := tx.Exec(w.named(fmt.Sprintf("UPDATE {table} SET expires_at = %d WHERE id = %s", held.ExpiresAt+core.Day, w.literal(held.ID))))
		require.NoError(w, err)
		require.NoError(w, tx.Commit())
		got = <-done
		require.NoError(w, got.err)
		_, err = s.Load(w.Context(), held.ID)
		require.NoError(w, err)
		_, err = s.Load(w.Context(), free.ID)
		require.ErrorIs(w, err, core.ErrNotFound)
	})
}

// TestCloseEndsASweep between two of its batches. A sweep that is over before the store is
// closed shows nothing: then there are more rows the next time.
func TestCloseEndsASweep(t *testing.T) {
	everywhere(t, func(w *world) {
		const most = 256_000
		for rows := soak.Rounds(w, 8000, 20000); ; rows *= 4 {
			require.LessOrEqual(w, rows, most, "no sweep lasts until the store is closed")
			err := closedAmidASweep(w, rows)
			if err != nil {
				require.ErrorIs(w, err, hosts.ErrClosed)
				require.NotZero(w, w.count("SELECT count(*) FROM {table}"))
				return
			}
		}
	})
}

// closedAmidASweep returns what the sweep did.
func closedAmidASweep(w *world, rows int) error {
	s := w.store(nil)
	var saves []hosts.Saving
	for i := range rows {
		r := record(byte(i))
		r.ID[2], r.ID[3] = byte(i>>8), byte(i>>16)
		saves = append(saves, hosts.Saving{Record: r})
	}
	for _, err := range s.SaveMany(w.Context(), saves) {
		require.NoError(w, err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.Sweep(w.Context(), math.MaxInt64, len(saves)+1)
		done <- err
	}()
	w.eventually("the sweep has begun", time.Millisecond, func() bool { return w.count("SELECT count(*) FROM {table}") < len(saves) })
	require.NoError(w, s.Close())
	return <-done
}
