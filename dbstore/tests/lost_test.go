package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	patience  = time.Minute            // the driver may take 15 s to part from a connection
	lookAgain = 150 * time.Millisecond // MariaDB shows the same for 100 ms after each look
)

// TestALostAnswerIsNoSecondSave cuts the connection before and behind each kind
// of save: it is applied once or not at all, the error says that the server
// was lost, and the same save again settles it.
func TestALostAnswerIsNoSecondSave(t *testing.T) {
	everywhere(t, func(w *world) {
		p, through := w.proxied()
		s, direct := w.store(through), w.store(nil)
		for _, where := range []place{before, behind} {
			for _, kind := range []string{"insert", "update", "touch"} {
				w.Run(fmt.Sprint(kind, where), func(t *testing.T) {
					ctx := t.Context()
					r := record(byte(1 + 10*where))
					r.ID[2] = kind[0]
					r.Sealed = []byte("mark of " + kind)
					prev := core.NoVersion
					if kind != "insert" {
						was := r
						was.Version++
						require.NoError(t, s.Save(ctx, was, prev))
						prev = was.Version
					}
					if kind == "touch" {
						ctx = hosts.TouchContext(ctx)
					}
					p.cutOn(string(r.Sealed), where)
					err := s.Save(ctx, r, prev)
					require.Equal(t, 1, p.cutsMade())
					require.ErrorIs(t, err, hosts.ErrUnavailable)
					got, err := direct.Load(t.Context(), r.ID)
					if where == behind {
						require.NoError(t, err)
						require.Equal(t, r.Version, got.Version)
					} else if prev == core.NoVersion {
						require.ErrorIs(t, err, core.ErrNotFound)
					} else {
						require.Equal(t, prev, got.Version)
					}
					require.NoError(t, s.Save(ctx, r, prev))
					w.holds(direct, r)
					require.NoError(t, direct.Delete(ctx, r.ID))
					if prev != core.NoVersion {
						require.ErrorIs(t, s.Save(ctx, r, prev), core.ErrConflict, "what has ended stays so")
					}
				})
			}
		}
	})
}

// TestALostBatch does the same with batches.
func TestALostBatch(t *testing.T) {
	everywhere(t, func(w *world) {
		p, through := w.proxied()
		s, direct := w.store(through), w.store(nil)
		for _, where := range []place{before, behind} {
			var saves []hosts.Saving
			for i := range byte(20) {
				r := record(100*byte(where) + i)
				r.Sealed = []byte("mark of a batch")
				prev := core.NoVersion
				if i%2 == 0 {
					prev = w.save(s, after(r), prev).Version
				}
				saves = append(saves, hosts.Saving{Record: r, Prev: prev})
			}
			p.cutOn("mark of a batch", where)
			for _, err := range s.SaveMany(w.Context(), saves) {
				require.ErrorIs(w, err, hosts.ErrUnavailable)
				require.NotErrorIs(w, err, hosts.ErrBatch, "it may have been applied")
			}
			require.Equal(w, 1, p.cutsMade())
			for _, err := range s.SaveMany(w.Context(), saves) {
				require.NoError(w, err)
			}
			for _, one := range saves {
				w.holds(direct, one.Record)
			}
		}
	})
}

// TestTheServerGoesAndComesBack: a store needs no new start.
func TestTheServerGoesAndComesBack(t *testing.T) {
	everywhere(t, func(w *world) {
		p, through := w.proxied()
		s := w.store(through)
		r := w.save(s, record(1), core.NoVersion)
		p.setDown(true)
		for verb, err := range verbs(w.Context(), s) {
			require.ErrorIs(w, err, hosts.ErrUnavailable, verb)
			require.ErrorContains(w, err, w.dialect.Name(), verb)
		}
		p.setDown(false)
		w.eventually("the store comes back", time.Millisecond, func() bool {
			_, err := s.Load(w.Context(), r.ID)
			return err == nil
		})
		next := after(r)
		w.save(s, next, r.Version)
		w.holds(s, next)
	})
}

// eventually looks again and again, without a goroutine, which would be counted.
func (w *world) eventually(what string, every time.Duration, is func() bool) {
	w.Helper()
	for end := time.Now().Add(patience); !is(); <-time.After(every) {
		if time.Now().After(end) {
			w.Fatalf("within %v: not so that %s", patience, what)
		}
	}
}

// lock holds rows as another program would, until the function is called.
func (w *world) lock(ids ...core.ID) (tx *sql.Tx, release func()) {
	tx, err := w.admin.BeginTx(context.WithoutCancel(w.Context()), nil)
	require.NoError(w, err)
	for _, id := range ids {
		_, err := tx.Exec(fmt.Sprintf("UPDATE %s SET seen_at = seen_at + 1 WHERE id = %s", w.table, w.literal(id)))
		require.NoError(w, err)
	}
	release = func() {
		if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
			require.NoError(w, err)
		}
	}
	w.Cleanup(release)
	return tx, release
}

func (w *world) literal(id core.ID) string {
	if w.name == "postgres" {
		return fmt.Sprintf(`'\x%x'`, id[:])
	}
	return fmt.Sprintf("x'%x'", id[:])
}

// awaitWaiting returns when n statements wait for locks on the table.
func (w *world) awaitWaiting(n int) {
	w.eventually("statements wait for locks", lookAgain, func() bool { return w.count(w.waiting) >= n })
}

// TestACallerWhoGoes leaves at once, in whatever phase its call is, and nothing
// of it stays: no goroutine, no connection, no lock.
func TestACallerWhoGoes(t *testing.T) {
	everywhere(t, func(w *world) {
		_, release := w.lock() // takes the administrator's two connections
		w.count("SELECT 1")
		release()
		base := runtime.NumGoroutine()
		db := w.database(nil)
		db.SetMaxOpenConns(4)
		s, err := w.wrap(w.Context(), db, w.table)
		require.NoError(w, err)
		r := w.save(s, record(1), core.NoVersion)
		_, release = w.lock(r.ID)
		expired := after(r)
		calls := map[string]func(context.Context) error{
			"Save":   func(ctx context.Context) error { return s.Save(ctx, after(r), r.Version) },
			"Delete": func(ctx context.Context) error { return s.Delete(ctx, r.ID) },
			"SaveMany": func(ctx context.Context) error {
				return s.SaveMany(ctx, []hosts.Saving{{Record: after(r), Prev: r.Version}, {Record: record(2)}})[0]
			},
			"Sweep": func(ctx context.Context) error { _, err := s.Sweep(ctx, expired.ExpiresAt, 10); return err },
		}
		for verb, call := range calls {
			ctx, cancel := context.WithCancel(w.Context())
			done := make(chan error, 1)
			go func() { done <- call(ctx) }()
			w.awaitWaiting(1)
			cancel()
			select {
			case err := <-done:
				require.ErrorIs(w, err, context.Canceled, verb)
			case <-time.After(patience):
				w.Fatalf("%s does not return", verb)
			}
			w.eventually("the server ends "+verb, lookAgain, func() bool { return w.count(w.waiting) == 0 })
		}
		release()
		w.eventually("connections come back", time.Millisecond, func() bool { return db.Stats().InUse == 0 })
		require.NoError(w, s.Close())
		require.NoError(w, db.Close())
		w.eventually("goroutines end", time.Millisecond, func() bool { return runtime.NumGoroutine() <= base })
	})
}

// TestNoConnectionIsLeftForACaller: one that waits for a connection can go, too.
func TestNoConnectionIsLeftForACaller(t *testing.T) {
	everywhere(t, func(w *world) {
		db := w.database(nil)
		db.SetMaxOpenConns(1)
		s, err := w.wrap(w.Context(), db, w.table)
		require.NoError(w, err)
		held, err := db.Conn(w.Context())
		require.NoError(w, err)
		ctx, cancel := context.WithTimeout(w.Context(), 50*time.Millisecond)
		defer cancel()
		for verb, err := range verbs(ctx, s) {
			require.ErrorIs(w, err, context.DeadlineExceeded, verb)
		}
		require.NoError(w, held.Close())
		w.holds(s, w.save(s, record(1), core.NoVersion))
		require.NoError(w, s.Close())
	})
}

// TestCloseLeavesNoConnection: the server has none of ours any more.
func TestCloseLeavesNoConnection(t *testing.T) {
	everywhere(t, func(w *world) {
		p, through := w.proxied()
		base := runtime.NumGoroutine()
		s, err := w.open(w.Context(), w.at(through))
		require.NoError(w, err)
		w.save(s, record(1), core.NoVersion)
		require.NoError(w, s.Close())
		w.eventually("connections end", time.Millisecond, func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return len(p.conns) == 0
		})
		w.eventually("goroutines end", time.Millisecond, func() bool { return runtime.NumGoroutine() <= base })
	})
}
