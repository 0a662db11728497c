package postgres

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// ask asks until the server answers.
func ask(t *testing.T, f feed.Follower) (c feed.Changes) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		c, err := f.Changes(t.Context())
		if err == nil {
			return c
		}
		require.True(t, time.Now().Before(end), "the server does not come back: %v", err)
	}
}

// TestACrashIsAGap: a server that was killed gives the numbers of lost transactions
// again. One that was stopped in order does not.
func TestACrashIsAGap(t *testing.T) {
	server := servers.NewPostgres(t)
	var s *dbstore.Store
	open := func() (err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if s == nil {
			s, err = Open(ctx, server.URL(), Options{})
			return err
		}
		_, err = s.CachingState(ctx)
		return err
	}
	server.Start(open)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.EnableCaching(t.Context()))
	f, err := s.Follow(t.Context())
	require.NoError(t, err)
	r := core.Record{ID: randomID(), Version: 1}
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))

	server.Command("pg_ctl", "-D", server.Data, "-m", "fast", "-w", "stop")
	server.Start(open)
	require.NoError(t, s.Delete(t.Context(), r.ID))
	c := ask(t, f)
	require.NoError(t, c.Gap)
	require.Len(t, c.Entries, 1)

	server.Kill()
	// Its other processes may answer once more before they end.
	require.Eventually(t, func() bool { return open() != nil }, time.Minute, 10*time.Millisecond)
	server.Start(open)
	require.ErrorContains(t, ask(t, f).Gap, "first row")
	state, err := s.CachingState(t.Context())
	require.NoError(t, err)
	require.Equal(t, feed.On, state, "the mark is durable")
	second, err := s.Follow(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, ask(t, f).Gap, "has crashed, or is another")
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	require.NoError(t, s.Delete(t.Context(), r.ID))
	c = ask(t, second)
	require.NoError(t, c.Gap)
	require.Len(t, c.Entries, 1)
}

// TestAStandbyIsNotBelieved while it is one, nor for what was before it was promoted.
func TestAStandbyIsNotBelieved(t *testing.T) {
	primary := servers.NewPostgres(t)
	var s *dbstore.Store
	primary.Start(func() (err error) {
		s, err = Open(t.Context(), primary.URL(), Options{})
		return err
	})
	t.Cleanup(func() { _ = s.Close() }) // its server may be gone
	require.NoError(t, s.EnableCaching(t.Context()))

	standby := primary.Standby()
	pool := func(server *servers.OwnPostgres) *sql.DB {
		db, err := sql.Open("pgx", server.URL())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return db
	}
	there := pool(standby)
	standby.Start(there.Ping)

	table, err := dbstore.ParseTable("", dialect{}.Syntax())
	require.NoError(t, err)
	one, err := dialect{}.Follow(t.Context(), dbstore.DB{Write: pool(primary)}, table)
	require.NoError(t, err)
	f := one.(*follower)
	require.NoError(t, ask(t, f).Gap)
	f.db = there // as where the address leads to another server
	_, err = f.Changes(t.Context())
	require.Error(t, err)
	_, err = dialect{}.Follow(t.Context(), dbstore.DB{Write: there}, table)
	require.Error(t, err)
	var decides bool
	require.NoError(t, there.QueryRow("SELECT "+dialect{}.OnPrimary()).Scan(&decides))
	require.False(t, decides, "a logout there waits as if caches were in use")

	standby.Promote()
	_, err = f.Changes(t.Context())
	require.ErrorIs(t, err, dbstore.ErrNoFeed, "the first row is missing")
	promoted, err := Open(t.Context(), standby.URL(), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, promoted.Close()) })
	_, err = promoted.Follow(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, ask(t, f).Gap, "is another")
}
