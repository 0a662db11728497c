package filled

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
	_ "github.com/rockstar-web/sessions/stores/all"
)

// lineup is who is measured beside whom. raw, or all but its bulk, and schema1
// may be nil.
type lineup struct {
	empty, filled, peer, raw, schema1 *engine
	after                             func(s *side) // more to measure once it is filled; may be nil
}

type backend struct {
	name, peer string
	most       int // sessions; zero: as many as are asked for
	// How much faster than on schema 1 the raw driver inserts on the table of today.
	insertGain float64
	promised   bool // what the SQL stores promise
	bulk       bool // there is a bulk insert by the raw driver
	open       func(b testing.TB) lineup
}

var backends = []backend{
	{name: "memory", peer: "scs memstore", open: inMemory},
	{name: "file", peer: "a file each: write, fsync, rename, fsync", open: func(b testing.TB) lineup { return inFiles(b, "file:") }},
	{name: "file+shared", peer: "a file each: write, fsync, rename, fsync", most: 100_000, open: func(b testing.TB) lineup { return inFiles(b, "file+shared:") }},
	{name: "sqlite", peer: "scs sqlite3store", insertGain: 2, promised: true, bulk: true, open: inSQLite},
	{name: "postgres", peer: "scs pgxstore", insertGain: 0.95, promised: true, bulk: true, open: inPostgres},
	{name: "mysql", peer: "scs mysqlstore", insertGain: 0.95, promised: true, bulk: true, open: inMySQL},
	{name: "redis", peer: "scs goredisstore", bulk: true, open: inRedis},
}

func opened(b testing.TB, url string) hosts.Store {
	s, closer, err := stores.Open(b.Context(), url)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, closer.Close()) })
	return s
}

// unique is a name that nobody uses.
func unique() string {
	var name [6]byte
	rand.Read(name[:]) // never fails
	return "bench_" + hex.EncodeToString(name[:])
}

func withQuery(url, query string) string {
	if strings.Contains(url, "?") {
		return url + "&" + query
	}
	return url + "?" + query
}

func inMemory(b testing.TB) lineup {
	store := func() hosts.Store {
		s, err := cachestore.Open(cachestore.Options{MaxBytes: 8 << 30})
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, s.Close()) })
		return s
	}
	return lineup{empty: ours(store()), filled: ours(store()), peer: scsEngine(memstore.NewWithCleanupInterval(0))}
}

func inSQLite(b testing.TB) lineup {
	dir := b.TempDir()
	at := func(name string) string { return filepath.Join(dir, name+".db") }
	l := lineup{empty: ours(opened(b, "sqlite:"+at("empty")))}
	l.filled = ours(opened(b, "sqlite:"+at("filled")))
	raw := openSQLite(b, at("raw"), "FULL", 2000)
	l.raw = modelled(b, opened(b, "sqlite:"+at("raw")), raw, "sessions").raw()
	l.raw.settle = func(ctx context.Context) error { // as that of schema 1 is
		_, err := raw.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	}

	old := openSQLite(b, at("schema1"), "FULL", 2000)
	old.exec(fmt.Sprintf(sqliteSchema1, "old"))
	before := &rows{database: old, name: "old", columns: columns1}
	l.schema1 = before.raw()
	quick(b, l.schema1, at("schema1"), func(d *database) { before.bulk = d.bulk })

	theirs := openSQLite(b, at("theirs"), "FULL", 2000)
	theirs.exec("CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL); CREATE INDEX sessions_expiry_idx ON sessions(expiry)")
	julian := func(t core.Time) any { return float64(t)/float64(core.Day) + 2440587.5 }
	filler := *theirs
	l.peer = scsTable(sqlite3store.NewWithCleanupInterval(theirs.DB, 0), &filler, theirs, julian, "?")
	quick(b, l.peer, at("theirs"), func(d *database) { filler.bulk = d.bulk })
	return l
}

// quick has a file filled without a sync and with all of it in memory, by a
// connection that is closed afterwards: how it came there is not measured.
func quick(b testing.TB, e *engine, path string, use func(*database)) {
	d := openSQLite(b, path, "OFF", 100<<10)
	use(d)
	e.settle = func(context.Context) error { return d.Close() }
}

// modelled is our table as the raw driver sees it, after a look at a session that
// the store itself has put there.
func modelled(b testing.TB, store hosts.Store, d *database, table string) *rows {
	r := newStock(chunk).fresh()
	require.NoError(b, store.Save(b.Context(), r, core.NoVersion))
	t := rowsOf(d, table)
	require.NoError(b, store.Delete(b.Context(), r.ID))
	return t
}

// dropped drops the store's tables in the end.
func dropped(b testing.TB, store hosts.Store) hosts.Store {
	b.Cleanup(func() {
		require.NoError(b, store.(interface{ Drop(context.Context) error }).Drop(context.Background()))
	})
	return store
}

func inPostgres(b testing.TB) lineup {
	schema, table := unique(), unique()
	public := openPostgres(b, "public", 8)
	public.exec("CREATE SCHEMA " + schema)
	b.Cleanup(func() { public.exec("DROP SCHEMA " + schema + " CASCADE") })
	d := openPostgres(b, schema, 8)
	l := lineup{empty: ours(dropped(b, opened(b, withQuery(servers.Postgres(b), "table="+unique()))))}
	l.filled = ours(dropped(b, opened(b, withQuery(servers.Postgres(b), "table="+table))))
	l.filled.settle = public.settle(table)
	bare := unique()
	l.raw = modelled(b, dropped(b, opened(b, withQuery(servers.Postgres(b), "table="+bare))), public, bare).raw()
	l.raw.settle = public.settle(bare)

	d.exec(fmt.Sprintf(postgresSchema1, "old"))
	l.schema1 = (&rows{database: d, name: "old", columns: columns1}).raw()
	l.schema1.settle = d.settle("old")

	d.exec("CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)")
	d.exec("CREATE INDEX sessions_expiry_idx ON sessions (expiry)")
	config, err := pgxpool.ParseConfig(servers.Postgres(b))
	require.NoError(b, err)
	config.MaxConns = callers
	config.ConnConfig.RuntimeParams["search_path"] = schema
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	l.peer = scsTable(pgxstore.NewWithCleanupInterval(pool, 0), d, d, func(t core.Time) any { return moment(t) }, "$1")
	return l
}

func inMySQL(b testing.TB) lineup {
	schema, table := unique(), unique()
	home := openMySQL(b, "", 8)
	home.exec("CREATE DATABASE " + schema)
	b.Cleanup(func() { home.exec("DROP DATABASE " + schema) })
	d := openMySQL(b, schema, callers)
	l := lineup{empty: ours(dropped(b, opened(b, withQuery(servers.MySQL(b), "table="+unique()))))}
	l.filled = ours(dropped(b, opened(b, withQuery(servers.MySQL(b), "table="+table))))
	l.filled.settle = home.settle(table)
	bare := unique()
	l.raw = modelled(b, dropped(b, opened(b, withQuery(servers.MySQL(b), "table="+bare))), home, bare).raw()
	l.raw.settle = home.settle(bare)

	d.exec(fmt.Sprintf(mysqlSchema1, "old"))
	l.schema1 = (&rows{database: d, name: "old", columns: columns1}).raw()
	l.schema1.settle = d.settle("old")

	d.exec("CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)")
	d.exec("CREATE INDEX sessions_expiry_idx ON sessions (expiry)")
	l.peer = scsTable(mysqlstore.NewWithCleanupInterval(d.DB, 0), d, d, func(t core.Time) any { return moment(t).UTC() }, "?")
	return l
}
