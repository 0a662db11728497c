package sqlite_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
)

// What an administrator added to the table refuses one session. The batch that
// it is in is undone whole, and done again without it.
func TestOneRefusedSaveFailsAlone(t *testing.T) {
	for _, how := range []string{"ABORT", "ROLLBACK"} {
		s, path := stored(t, sqlite.Options{BusyTimeout: time.Minute})
		execute(t, path, `CREATE TRIGGER no_mallory BEFORE INSERT ON sessions WHEN NEW.user_id = 'mallory'
			BEGIN SELECT RAISE(`+how+`, 'mallory is not welcome'); END`)
		var saves []hosts.Saving
		for i := range 20 {
			r := core.Record{ID: core.ID{2, byte(i)}, Version: 1, User: "ada", Sealed: []byte("s")}
			if i == 13 {
				r.User = "mallory"
			}
			saves = append(saves, hosts.Saving{Record: r})
		}
		for _, err := range s.SaveMany(t.Context(), saves) {
			require.ErrorIs(t, err, hosts.ErrBatch)
			require.ErrorContains(t, err, "mallory is not welcome")
		}
		for _, save := range saves {
			requireGone(t, s, save.Record.ID)
		}

		end := lock(t, path)
		answers := make([]<-chan error, len(saves))
		for i, save := range saves {
			w := watch(t.Context())
			answers[i] = background(func() error { return s.Save(w, save.Record, save.Prev) })
			<-w.asked
		}
		end()
		for i, answer := range answers {
			if saves[i].Record.User == "mallory" {
				require.ErrorContains(t, <-answer, "mallory is not welcome")
				requireGone(t, s, saves[i].Record.ID)
				continue
			}
			require.NoError(t, <-answer)
			requireHas(t, s, saves[i].Record)
		}
	}
}

// Sessions that callers go on using are found by a sweep once they have expired
// after all, however often their expiry moved, and under any owner.
func TestSweepFollowsTheExpiry(t *testing.T) {
	s, _ := stored(t, sqlite.Options{Fast: true})
	const hours = 30
	r := core.Record{ID: core.ID{9}, Version: 1, User: "ada", ExpiresAt: core.Hour, Sealed: []byte("s")}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	require.NoError(t, s.Delete(t.Context(), sessionOne.ID))
	for hour := core.Time(1); hour < hours; hour++ {
		prev := r.Version
		r.Version++
		r.ExpiresAt = (hour + 1) * core.Hour
		if hour%7 == 0 {
			r.User, r.Tenant = "eve", "tenant" // which writes all columns
		}
		require.NoError(t, s.Save(t.Context(), r, prev))
		n, err := s.Sweep(t.Context(), hour*core.Hour+1, 100)
		require.NoError(t, err)
		require.Zero(t, n)
		requireHas(t, s, r)
	}
	// Its expiry may also come nearer.
	prev := r.Version
	r.Version, r.ExpiresAt = r.Version+1, 2*core.Hour
	require.NoError(t, s.Save(t.Context(), r, prev))
	found, err := s.Find(t.Context(), hosts.Query{Tenant: "tenant", User: "eve", ExpiresBefore: 3 * core.Hour}, core.ID{}, 10)
	require.NoError(t, err)
	require.Equal(t, []core.Record{r}, found)
	n, err := s.Sweep(t.Context(), 2*core.Hour, 100)
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = s.Sweep(t.Context(), 2*core.Hour+1, 100)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	requireGone(t, s, r.ID)
}
