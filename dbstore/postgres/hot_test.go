package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
)

// mostWAL is bytes of log for a touch, beside what it seals anew: here that
// stays as it was, and so the log has none of it.
const mostWAL = 210

// sparse is how many sessions there are for each that is touched: in a table of
// a few pages, one batch would have more rows of a page than its free room holds.
const sparse = 10

// TestATouchStaysInItsPage holds touches to updates that change no index (HOT)
// and to little log. A first one for each page after a checkpoint writes the
// whole page to the log (full_page_writes): that is not the touch's doing, and
// one round before the measurement has paid for it.
//
// The server is the test's own: of one that others use, too, the log would have
// what they write, and dead rows that their transactions keep.
func TestATouchStaysInItsPage(t *testing.T) {
	server := servers.NewPostgres(t)
	dsn := server.URL()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	server.Start(db.Ping)
	for _, text := range []string{"ALTER SYSTEM SET checkpoint_timeout = '1d'", "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"} { // or one comes amid a measurement, with log of its own
		_, err := db.Exec(text)
		require.NoError(t, err)
	}
	for name, save := range map[string]func(*testing.T, *dbstore.Store, []hosts.Saving){
		"alone":   saveAlone,
		"batches": saveBatches,
	} {
		for _, fast := range []bool{false, true} {
			for _, caching := range []bool{false, true} {
				t.Run(name+map[bool]string{false: " durable", true: " fast"}[fast]+map[bool]string{true: " with the feed"}[caching], func(t *testing.T) {
					o := Options{Table: fmt.Sprintf("%s_%t_%t", name, fast, caching), Fast: fast}
					if caching {
						s, err := Open(t.Context(), dsn, o)
						require.NoError(t, err)
						require.NoError(t, s.EnableCaching(t.Context()))
						require.NoError(t, s.Close())
					}
					touchInPlace(t, dsn, db, o, save)
				})
			}
		}
	}
}

func saveAlone(t *testing.T, s *dbstore.Store, saves []hosts.Saving) {
	for _, one := range saves {
		require.NoError(t, s.Save(hosts.TouchContext(t.Context()), one.Record, one.Prev))
	}
}

func saveBatches(t *testing.T, s *dbstore.Store, saves []hosts.Saving) {
	for len(saves) > 0 {
		n := min(16, len(saves))
		for _, err := range s.SaveMany(t.Context(), saves[:n]) {
			require.NoError(t, err)
		}
		saves = saves[n:]
	}
}

func touchInPlace(t *testing.T, dsn string, db *sql.DB, o Options, save func(*testing.T, *dbstore.Store, []hosts.Saving)) {
	n := soak.Rounds(t, 250, 2000)
	saves := make([]hosts.Saving, n*sparse)
	for i := range saves {
		saves[i] = hosts.Saving{Touch: true, Record: core.Record{ID: randomID(), Version: randomVersion(), User: "ada", CreatedAt: core.Day,
			SeenAt: core.Day, ExpiresAt: 2 * core.Day, Sealed: sealedBytes(sealedLen)}}
	}
	// The server counts updates when the connection ends.
	by := func(save func(*testing.T, *dbstore.Store, []hosts.Saving)) {
		s, err := Open(t.Context(), dsn, o)
		require.NoError(t, err)
		save(t, s, saves)
		require.NoError(t, s.Close())
	}
	by(saveBatches)
	rand.Shuffle(len(saves), func(i, j int) { saves[i], saves[j] = saves[j], saves[i] })
	saves = saves[:n]
	touch := func() {
		for i := range saves {
			saves[i].Record, saves[i].Prev = next(&saves[i].Record)
		}
		// As requests come: not in the order of the rows, or a batch would
		// rewrite whole pages at once.
		rand.Shuffle(n, func(i, j int) { saves[i], saves[j] = saves[j], saves[i] })
		by(save)
	}
	touch()
	before, from := updates(t, db, o.Table, n), position(t, db)
	touch()
	wal := bytesSince(t, db, from)
	after := updates(t, db, o.Table, before.all+n)
	require.Equal(t, n, after.all-before.all)
	require.Equal(t, n, after.hot-before.hot, "every touch is HOT")
	t.Logf("%d bytes of log for a touch, beside what is sealed", wal/n)
	require.LessOrEqual(t, wal/n, mostWAL)
}

type counted struct{ all, hot int }

// updates awaits the server's count, which lags behind.
func updates(t *testing.T, db *sql.DB, table string, least int) (c counted) {
	for end := time.Now().Add(30 * time.Second); ; <-time.After(50 * time.Millisecond) {
		require.NoError(t, db.QueryRow("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = $1", table).Scan(&c.all, &c.hot))
		if c.all >= least {
			return c
		}
		require.True(t, time.Now().Before(end), "the server has counted %d of %d updates", c.all, least)
	}
}

func position(t *testing.T, db *sql.DB) (lsn string) {
	require.NoError(t, db.QueryRow("SELECT pg_current_wal_insert_lsn()::text").Scan(&lsn))
	return lsn
}

func bytesSince(t *testing.T, db *sql.DB, lsn string) (n int) {
	require.NoError(t, db.QueryRow("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::pg_lsn)::bigint", lsn).Scan(&n))
	return n
}

// TestFastIsForTouchesAlone looks at how far the log was on the disk when an
// acknowledged save returned.
func TestFastIsForTouchesAlone(t *testing.T) {
	db := admin(t)
	s := openStore(t, Options{Table: newTable(t), Fast: true})
	flushed := func(call func() error) (yes bool) {
		from := position(t, db)
		require.NoError(t, call())
		require.NoError(t, db.QueryRow("SELECT pg_current_wal_flush_lsn() > $1::pg_lsn", from).Scan(&yes))
		return yes
	}
	ctx := t.Context()
	r := core.Record{ID: randomID(), Version: randomVersion(), ExpiresAt: 2 * core.Day}
	save := func(ctx context.Context) func() error {
		return func() error {
			is, prev := next(&r)
			r = is
			return s.Save(ctx, is, prev)
		}
	}
	var three []core.Record
	for range 3 {
		one := core.Record{ID: randomID(), Version: randomVersion()}
		require.NoError(t, s.Save(ctx, one, core.NoVersion))
		three = append(three, one)
	}
	batch := func(touches ...bool) func() error {
		return func() error {
			var saves []hosts.Saving
			for i, touch := range touches {
				is, prev := next(&three[i])
				saves, three[i] = append(saves, hosts.Saving{Record: is, Prev: prev, Touch: touch}), is
			}
			return errors.Join(s.SaveMany(ctx, saves)...)
		}
	}
	require.True(t, flushed(func() error { return s.Save(ctx, r, core.NoVersion) }), "a login is durable")
	// Other programs of the server may flush the log meanwhile.
	lazy := func(call func() error) bool {
		for range 200 {
			if !flushed(call) {
				return true
			}
		}
		return false
	}
	require.True(t, lazy(save(hosts.TouchContext(ctx))), "a touch does not wait")
	require.True(t, lazy(batch(true, true, true)), "nor do touches in a batch")
	for range 20 {
		require.True(t, flushed(save(ctx)), "a change is durable")
		require.True(t, flushed(batch(true, false, true)), "so is a batch with one in it")
	}
	require.True(t, flushed(func() error { return s.Delete(ctx, r.ID) }), "so is an end")
}

// TestAnEndIsDurable also where the server, or the URL, has commits wait for no
// disk.
func TestAnEndIsDurable(t *testing.T) {
	dsn, err := url.Parse(servers.Postgres(t))
	require.NoError(t, err)
	q := dsn.Query()
	q.Set("synchronous_commit", "off")
	dsn.RawQuery = q.Encode()
	s, err := Open(t.Context(), dsn.String(), Options{Table: newTable(t)})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	db := admin(t)
	for range 50 {
		r := core.Record{ID: randomID(), Version: randomVersion()}
		require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
		from := position(t, db)
		require.NoError(t, s.Delete(t.Context(), r.ID))
		var flushed bool
		require.NoError(t, db.QueryRow("SELECT pg_current_wal_flush_lsn() > $1::pg_lsn", from).Scan(&flushed))
		require.True(t, flushed)
	}
}
