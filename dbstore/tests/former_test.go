package tests

import (
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/former"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// formerly makes the tables of the release that had schema 1, with its sessions.
func formerly(w *world) {
	text, err := os.ReadFile("testdata/schema1-" + w.name + ".sql")
	require.NoError(w, err)
	w.run(string(text))
}

func cookies(w *world) string { return "testdata/schema1-" + w.name + ".cookies" }

func touched(w *world) int {
	return w.count("SELECT count(*) FROM {table} WHERE touch_version = version")
}

// TestSchemaOneMovesWithItsSessions while eight servers start at once and one of
// the release before goes on.
func TestSchemaOneMovesWithItsSessions(t *testing.T) {
	everywhere(t, func(w *world) {
		formerly(w)
		before := w.count("SELECT count(*) FROM {table}")
		var begin, end sync.WaitGroup
		begin.Add(8)
		var stores [8]*dbstore.Store
		var errs [8]error
		for i := range stores {
			end.Go(func() {
				begin.Done()
				begin.Wait()
				stores[i], errs[i] = w.open(w.Context(), w.at(nil))
			})
		}
		end.Wait()
		for i, s := range stores {
			require.NoError(w, errs[i])
			w.Cleanup(func() { require.NoError(w, s.Close()) })
		}
		require.Equal(w, 2, w.count("SELECT max(version) FROM {table}_schema"))
		require.Equal(w, before, w.count("SELECT count(*) FROM {table}"))
		require.Zero(w, touched(w))
		former.AreAlive(w.T, stores[3], cookies(w))

		found, err := stores[0].Find(w.Context(), hosts.Query{AnyTenant: true, User: "user-1"}, core.ID{}, 100)
		require.NoError(w, err)
		require.Len(w, found, 3)
		for _, r := range found {
			require.NoError(w, stores[1].Delete(w.Context(), r.ID))
		}
		n, err := stores[2].Sweep(w.Context(), former.Now+core.Day*1000, 1000)
		require.NoError(w, err)
		require.Equal(w, before-3, n)
	})
}

// TestAReleaseOfBeforeGoesOn with the statements that it has: what it writes
// counts as a change, since it knows of no touches.
func TestAReleaseOfBeforeGoesOn(t *testing.T) {
	everywhere(t, func(w *world) {
		formerly(w)
		s := w.store(nil)
		w.run(`INSERT INTO {table} (version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data, id)
			VALUES (7, 'acme', 'ada', 1, 2, 3000000000000, 0, 'sealed', '0123456789abcdef')`)
		r, err := s.Load(w.Context(), core.ID([]byte("0123456789abcdef")))
		require.NoError(w, err)
		next := after(r)
		require.NoError(w, s.Save(hosts.TouchContext(w.Context()), next, r.Version))
		require.Equal(w, 1, touched(w))
		for _, err := range s.SaveMany(w.Context(), []hosts.Saving{{Record: after(next), Prev: next.Version}}) {
			require.NoError(w, err)
		}
		require.Zero(w, touched(w), "a change is no touch")
		r, err = s.Load(w.Context(), r.ID)
		require.NoError(w, err)
		next = after(r)
		for _, err := range s.SaveMany(w.Context(), []hosts.Saving{{Record: next, Prev: r.Version, Touch: true}, {Record: record(9)}}) {
			require.NoError(w, err)
		}
		require.Equal(w, 1, touched(w))
		w.run("UPDATE {table} SET version = 8, seen_at = 4, expiry_hour = 0 WHERE id = '0123456789abcdef'")
		require.Zero(w, touched(w))
		require.ErrorIs(w, s.Save(w.Context(), after(next), next.Version), core.ErrConflict)
	})
}

// TestAnInterruptedMoveIsDoneAgain: a server was killed before it could note what
// it had done.
func TestAnInterruptedMoveIsDoneAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		formerly(w)
		table, err := dbstore.ParseTable(w.table, w.dialect.Syntax())
		require.NoError(w, err)
		c, err := w.admin.Conn(w.Context())
		require.NoError(w, err)
		for _, text := range w.dialect.Upgrades(table)[0] {
			_, err := c.ExecContext(w.Context(), text)
			require.NoError(w, err)
		}
		require.NoError(w, c.Close())
		former.AreAlive(w.T, w.store(nil), cookies(w))
		require.Equal(w, 2, w.count("SELECT max(version) FROM {table}_schema"))
	})
}

// TestAnAdministratorMoves what the program may not, by the SQL of the error.
func TestAnAdministratorMoves(t *testing.T) {
	everywhere(t, func(w *world) {
		formerly(w)
		still := func(u *url.URL) { u.RawQuery = "migrate=false&" + u.RawQuery }
		_, err := w.open(w.Context(), w.at(still))
		require.ErrorIs(w, err, dbstore.ErrNotMigrated)
		_, text, found := strings.Cut(err.Error(), "run:\n")
		require.True(w, found)
		c, err := w.admin.Conn(w.Context())
		require.NoError(w, err)
		for one := range strings.SplitSeq(strings.TrimSpace(text), ";\n") {
			_, err := c.ExecContext(w.Context(), one)
			require.NoError(w, err, one)
		}
		require.NoError(w, c.Close())
		former.AreAlive(w.T, w.store(still), cookies(w))
	})
}
