package tests

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// TestManyMigrateAtOnce starts as many servers at once as a deployment does.
func TestManyMigrateAtOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		const openers = 8
		var stores [openers]*dbstore.Store
		var errs [openers]error
		var begin, end sync.WaitGroup
		begin.Add(openers)
		for i := range openers {
			end.Go(func() {
				begin.Done()
				begin.Wait()
				stores[i], errs[i] = w.open(w.Context(), w.at(nil))
			})
		}
		end.Wait()
		r := record(1)
		for i, s := range stores {
			require.NoError(w, errs[i])
			if i == 0 {
				w.save(s, r, core.NoVersion)
			}
			w.holds(s, r)
			require.NoError(w, s.Migrate(w.Context()))
		}
		require.Equal(w, 1, w.count("SELECT count(*) FROM {table}_schema"))
		for _, s := range stores {
			require.NoError(w, s.Close())
			require.ErrorIs(w, s.Migrate(w.Context()), hosts.ErrClosed)
		}
	})
}

func TestANewerSchemaIsRefused(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		w.run("INSERT INTO {table}_schema (version) VALUES (99)")
		_, err := w.open(w.Context(), w.at(nil))
		var refused *hosts.ConfigError
		require.ErrorAs(w, err, &refused)
		require.Equal(w, "version 99", refused.Value)
		require.ErrorContains(w, err, w.table)
		require.ErrorAs(w, s.Migrate(w.Context()), &refused)
	})
}

// TestTheSchemaAsSQL runs what an administrator would, and finds that it is
// what Open makes.
func TestTheSchemaAsSQL(t *testing.T) {
	everywhere(t, func(w *world) {
		still := func(u *url.URL) { u.RawQuery = "migrate=false&" + u.RawQuery }
		text, err := dbstore.Schema(w.dialect, w.table)
		require.NoError(w, err)
		_, err = w.open(w.Context(), w.at(still))
		require.ErrorContains(w, err, text, "the error says what to run")
		require.ErrorIs(w, err, hosts.ErrUnavailable)
		_, err = w.admin.ExecContext(w.Context(), "SELECT 1 FROM "+w.table)
		require.Error(w, err, "nothing was created")
		w.run(text)
		r := record(1)
		w.save(w.store(still), r, core.NoVersion)
		w.holds(w.store(nil), r)
		require.Equal(w, 1, w.count("SELECT count(*) FROM {table}_schema"))
	})
	_, err := dbstore.Schema(all[0].dialect, "no table")
	require.Error(t, err)
}

// TestMigrationWaitsAndGivesUp holds the lock as another server would that is
// migrating.
func TestMigrationWaitsAndGivesUp(t *testing.T) {
	everywhere(t, func(w *world) {
		c, err := w.admin.Conn(w.Context())
		require.NoError(w, err)
		table, err := dbstore.ParseTable(w.table, w.dialect.Syntax())
		require.NoError(w, err)
		stop := errors.New("stopped half-way")
		err = w.dialect.Exclusive(w.Context(), c, table, func(context.Context) error {
			ctx, cancel := context.WithTimeout(w.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := w.open(ctx, w.at(nil))
			require.ErrorIs(w, err, context.DeadlineExceeded)
			return stop
		})
		require.Equal(w, stop, err)
		require.NoError(w, c.Close())
		w.store(nil)
	})
}

// TestAHalfMadeSchemaIsMadeWhole: where tables cannot be undone, a program that was
// killed has left some of them.
func TestAHalfMadeSchemaIsMadeWhole(t *testing.T) {
	everywhere(t, func(w *world) {
		text, err := dbstore.Schema(w.dialect, w.table)
		require.NoError(w, err)
		statements := strings.Split(strings.TrimSpace(text), ";\n")
		for i := 1; i < len(statements); i++ {
			w.run(strings.Join(statements[:i], ";"))
			s := w.store(nil)
			r := record(byte(i))
			w.save(s, r, core.NoVersion)
			w.holds(s, r)
			w.run("DROP TABLE IF EXISTS {table}, {table}_schema")
		}
	})
}

func TestMissingTablesAreTold(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.store(nil)
		w.run("DROP TABLE IF EXISTS {table}, {table}_schema")
		_, err := s.Load(w.Context(), core.ID{1})
		require.ErrorIs(w, err, hosts.ErrUnavailable)
		require.ErrorContains(w, err, "Migrate")
		require.NoError(w, s.Migrate(w.Context()))
		w.save(s, record(1), core.NoVersion)
	})
}

// TestATableOfAnotherProgramIsLeftAlone.
func TestATableOfAnotherProgramIsLeftAlone(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run("CREATE TABLE {table} (id int, other int)")
		for range 2 {
			w.refused(nil, hosts.ErrUnavailable, "of another program")
		}
		w.run("INSERT INTO {table} (id, other) VALUES (1, 2)")
	})
}

// TestOwnDatabase leaves a database that the caller has opened to the caller.
func TestOwnDatabase(t *testing.T) {
	everywhere(t, func(w *world) {
		db := w.database(nil)
		s, err := w.wrap(w.Context(), db, w.table)
		require.NoError(w, err)
		r := w.save(s, record(1), core.NoVersion)
		w.holds(s, r)
		next := after(r)
		for _, err := range s.SaveMany(w.Context(), []hosts.Saving{{Record: next, Prev: r.Version}, {Record: record(2)}}) {
			require.NoError(w, err)
		}
		w.holds(s, next)
		require.NoError(w, s.Close())
		require.NoError(w, s.Close())
		require.NoError(w, db.PingContext(w.Context()))
		require.Zero(w, db.Stats().InUse)
		for verb, err := range verbs(w.Context(), s) {
			require.ErrorIs(w, err, hosts.ErrClosed, verb)
		}
	})
}

func TestNoDatabaseIsRefused(t *testing.T) {
	for _, s := range all {
		_, err := s.wrap(t.Context(), nil, "test_none")
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused)
	}
}

// TestADatabaseOfAnotherDriverIsRefused rather than met with a panic.
func TestADatabaseOfAnotherDriverIsRefused(t *testing.T) {
	for i, s := range all {
		other := all[1-i]
		u, err := url.Parse(other.url(t))
		require.NoError(t, err)
		db, err := sql.Open(other.driver, other.dsn(u))
		require.NoError(t, err)
		_, err = s.wrap(t.Context(), db, "test_other")
		require.Error(t, err)
		require.NoError(t, db.Close())
	}
}

// verbs calls each and returns the errors.
func verbs(ctx context.Context, s *dbstore.Store) map[string]error {
	errs := map[string]error{}
	_, errs["Load"] = s.Load(ctx, core.ID{9})
	errs["Save"] = s.Save(ctx, record(9), core.NoVersion)
	errs["Delete"] = s.Delete(ctx, core.ID{9})
	_, errs["Sweep"] = s.Sweep(ctx, core.Day, 1)
	_, errs["Find"] = s.Find(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1)
	errs["LoadMany"] = s.LoadMany(ctx, []core.ID{{9}})[0].Err
	errs["SaveMany"] = s.SaveMany(ctx, []hosts.Saving{{Record: record(9)}})[0]
	return errs
}
