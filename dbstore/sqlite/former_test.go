package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/former"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
)

// formerly copies the file that the release with schema 1 wrote.
func formerly(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("testdata/schema1.db")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "sessions.db")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func TestSchemaOneMovesWithItsSessions(t *testing.T) {
	path := formerly(t)
	var stores [8]*sqlite.Store
	var errs [8]error
	var all sync.WaitGroup
	for i := range stores {
		all.Go(func() { stores[i], errs[i] = sqlite.Open(t.Context(), path, sqlite.Options{}) })
	}
	all.Wait()
	for i, s := range stores {
		require.NoError(t, errs[i])
		t.Cleanup(func() { require.NoError(t, s.Close()) })
	}
	former.AreAlive(t, stores[5], "testdata/schema1.cookies")
	found, err := stores[0].Find(t.Context(), hosts.Query{AnyTenant: true, User: "user-1"}, core.ID{}, 100)
	require.NoError(t, err)
	require.Len(t, found, 3)
	n, err := stores[2].Sweep(t.Context(), former.Now+1000*core.Day, 1000)
	require.NoError(t, err)
	require.Equal(t, 24, n)
}

// TestAReleaseOfBeforeGoesOn with the statements that it has prepared.
func TestAReleaseOfBeforeGoesOn(t *testing.T) {
	path := formerly(t)
	before := raw(t, path)
	insert, err := before.Prepare("INSERT INTO sessions (version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data, id) " +
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
	require.NoError(t, err)
	update, err := before.Prepare("UPDATE sessions SET version = ?1, created_at = ?4, seen_at = ?5, expires_at = ?6, data = ?8 " +
		"WHERE id = ?9 AND version = ?10 AND tenant_id = ?2 AND user_id = ?3 AND expiry_hour <= ?7")
	require.NoError(t, err)
	s := open(t, path, sqlite.Options{})
	_, err = insert.Exec(1, "", "ada", 1, 2, 3, 0, []byte("one"), sessionOne.ID[:])
	require.NoError(t, err)
	require.Zero(t, touches(t, before))

	touch := sessionTwo
	require.NoError(t, s.Save(hosts.TouchContext(t.Context()), touch, 1))
	require.Equal(t, 1, touches(t, before))
	res, err := update.Exec(5, "", "ada", 1, 4, 3, 0, []byte("three"), sessionOne.ID[:], 2)
	require.NoError(t, err)
	n, err := res.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Zero(t, touches(t, before), "what a release of before writes is a change")
	got, err := s.Load(t.Context(), sessionOne.ID)
	require.NoError(t, err)
	require.Equal(t, "three", string(got.Sealed))
}

func touches(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow("SELECT count(*) FROM sessions WHERE touch_version = version").Scan(&n))
	return n
}

// TestAKilledMoveIsMadeUndone: a server that moves many sessions is killed with
// kill -9 at ten moments, and none is lost.
func TestAKilledMoveIsMadeUndone(t *testing.T) {
	path := formerly(t)
	db := raw(t, path)
	const more = 20000
	_, err := db.Exec(`INSERT INTO sessions (id, version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ` + fmt.Sprint(more) + `)
		SELECT randomblob(16), 1, '', 'ada', 1, 1, 1, 0, randomblob(300) FROM n`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	for i := range 10 {
		c := start(t, "move", path)
		require.Equal(t, "begins", c.line(t))
		select {
		case <-t.Context().Done():
		case <-time.After(time.Duration(i) * 5 * time.Millisecond):
		}
		c.kill()
	}
	s := open(t, path, sqlite.Options{})
	former.AreAlive(t, s, "testdata/schema1.cookies")
	var n int
	require.NoError(t, raw(t, path).QueryRow("SELECT count(*) FROM sessions WHERE user_id = 'ada'").Scan(&n))
	require.Equal(t, more, n)
}

// move opens a store and waits to be killed: "move path".
func move(args []string) error {
	fmt.Println("begins")
	s, err := sqlite.Open(context.Background(), args[0], sqlite.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	select {}
}
