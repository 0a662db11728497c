package tests

import (
	"bytes"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// TestADeadlockIsDoneAgain makes the batch the victim of another program's
// transaction, which has done more. On a slow machine PostgreSQL may choose the
// other: then it is tried again.
func TestADeadlockIsDoneAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		for i := range byte(50) {
			w.save(s, record(200+i), core.NoVersion)
		}
		for n := byte(0); !w.deadlock(s, 10*n); n++ {
			require.Less(w, n, byte(10), "the batch is never the victim")
		}
	})
}

// deadlock reports whether the batch was the victim. Either way its saves, of
// IDs from first on, must succeed.
func (w *world) deadlock(s *dbstore.Store, first byte) bool {
	var saves []hosts.Saving
	for i := range byte(3) {
		was := w.save(s, record(first+2+i), core.NoVersion)
		saves = append(saves, hosts.Saving{Record: after(was), Prev: was.Version})
	}
	saves = append(saves, hosts.Saving{Record: record(first + 1)}) // an insert is done again, too
	tx, err := w.admin.BeginTx(w.Context(), nil)
	require.NoError(w, err)
	defer tx.Rollback()
	exec := func(text string) error {
		_, err := tx.Exec(w.named(text))
		return err
	}
	require.NoError(w, exec("UPDATE {table} SET seen_at = seen_at + 1 WHERE id >= "+w.literal(core.ID{200})))
	require.NoError(w, exec("UPDATE {table} SET seen_at = seen_at + 1 WHERE id = "+w.literal(saves[2].Record.ID)))
	answers := make(chan []error)
	go func() { answers <- s.SaveMany(w.Context(), saves) }()
	w.awaitWaiting(1)
	chosen := exec("UPDATE {table} SET seen_at = seen_at + 1 WHERE id = " + w.literal(saves[0].Record.ID))
	if chosen == nil {
		require.NoError(w, tx.Commit())
	} else {
		require.ErrorContains(w, chosen, "eadlock")
		require.NoError(w, tx.Rollback())
	}
	for _, err := range <-answers {
		require.NoError(w, err)
	}
	for _, one := range saves {
		w.holds(s, one.Record)
	}
	return chosen == nil
}

// TestSerializableTransactions: where an administrator has set the strictest
// isolation, the server gives up more, and callers do not notice.
func TestSerializableTransactions(t *testing.T) {
	everywhere(t, func(w *world) {
		if w.name == "mysql" {
			w.Skip("MySQL takes no isolation from a URL; batches set their own")
		}
		strict := func(u *url.URL) { u.RawQuery += "&default_transaction_isolation=serializable" }
		stores := []hosts.Store{w.store(strict), w.store(strict)}
		const clients, turns = 8, 10
		r := w.save(stores[0], record(1), core.NoVersion)
		var end sync.WaitGroup
		for c := range clients {
			end.Go(func() {
				s := stores[c%2]
				for done := 0; done < turns; {
					was, err := s.Load(w.Context(), r.ID)
					if err != nil {
						w.Error(err)
						return
					}
					is := after(was)
					is.Sealed = append(bytes.Clone(was.Sealed), byte(c))
					switch err := s.Save(w.Context(), is, was.Version); err {
					case nil:
						done++
					case core.ErrConflict:
					default:
						w.Error(err)
						return
					}
				}
			})
		}
		end.Wait()
		got, err := stores[0].Load(w.Context(), r.ID)
		require.NoError(w, err)
		require.Len(w, got.Sealed, len(r.Sealed)+clients*turns, "no update was lost")
	})
}

// TestTheLargestRecords in a batch are more than one packet of MySQL.
func TestTheLargestRecords(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		n := soak.Rounds(w, 12, 20)
		var saves, nexts []hosts.Saving
		for i := range byte(n) {
			r := record(1 + i)
			r.Sealed = bytes.Repeat([]byte{'\'', '\\', 0, i}, core.MaxSealed/4) // which statements write as two bytes each
			next := after(r)
			next.Sealed = bytes.Repeat([]byte{i, 0xff, '"', '\n'}, core.MaxSealed/4)
			saves, nexts = append(saves, hosts.Saving{Record: r}), append(nexts, hosts.Saving{Record: next, Prev: r.Version})
		}
		require.Len(w, saves[0].Record.Sealed, core.MaxSealed)
		for _, batch := range [][]hosts.Saving{saves, nexts} {
			ids := make([]core.ID, n)
			for i, err := range s.SaveMany(w.Context(), batch) {
				require.NoError(w, err)
				ids[i] = batch[i].Record.ID
			}
			for i, got := range s.LoadMany(w.Context(), ids) {
				require.NoError(w, got.Err)
				require.True(w, bytes.Equal(batch[i].Record.Sealed, got.Record.Sealed))
			}
		}
		one := nexts[0].Record
		next := after(one)
		next.Sealed = saves[1].Record.Sealed
		w.save(s, next, one.Version)
		w.holds(s, next)
		next.Sealed = append(bytes.Clone(next.Sealed), 0)
		require.ErrorIs(w, s.Save(w.Context(), next, one.Version), core.ErrTooLarge)
	})
}

// TestNoClockOfTheServerMatters: times are numbers, and the zone of neither
// side changes them.
func TestNoClockOfTheServerMatters(t *testing.T) {
	everywhereAlone(t, func(w *world) {
		zone := func(name string) func(*url.URL) {
			return func(u *url.URL) {
				if w.name == "postgres" {
					u.RawQuery += "&timezone=" + url.QueryEscape(name)
				}
			}
		}
		if w.name == "mysql" {
			w.run("SET GLOBAL time_zone = '+13:00'")
			defer w.run("SET GLOBAL time_zone = 'SYSTEM'")
		}
		east := w.store(zone("Pacific/Auckland"))
		r := w.save(east, record(1), core.NoVersion)
		if w.name == "mysql" {
			w.run("SET GLOBAL time_zone = '-11:00'")
		}
		west := w.store(zone("Pacific/Midway"))
		w.holds(west, r)
		for _, s := range []hosts.Sweeper{east, west} {
			n, err := s.Sweep(w.Context(), r.ExpiresAt, 10)
			require.NoError(w, err)
			require.Zero(w, n)
		}
		n, err := west.Sweep(w.Context(), r.ExpiresAt+1, 10)
		require.NoError(w, err)
		require.Equal(w, 1, n)
		_, err = east.Load(w.Context(), r.ID)
		require.ErrorIs(w, err, core.ErrNotFound)
	}, "mysql")
}
