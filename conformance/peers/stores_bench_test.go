package peers

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/ncruces/go-sqlite3/driver"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore/redis"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/dbstore/postgres"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// visitors come at once, each with a session of its own.
const visitors = 64

type closingStore interface {
	hosts.Store
	io.Closer
}

// BenchmarkRatioStores does the same with both libraries on the same engine,
// at the same durability: a request loads its session, changes a counter in it
// and has it saved.
func BenchmarkRatioStores(b *testing.B) {
	for _, s := range []struct {
		name   string
		target float64
		each   int // requests of one visitor in a round
		ours   func(testing.TB) closingStore
		theirs func(testing.TB) scs.Store
	}{
		{"sqlite", 5, 10, oursOnSQLite, theirsOnSQLite},
		{"postgres", 2, 20, oursOnPostgres, theirsOnPostgres},
		{"redis", 3, 100, oursOnRedis, theirsOnRedis},
	} {
		b.Run(s.name, func(b *testing.B) {
			mine, peer := counterOfOurs(b, s.ours(b), s.each), counterOfTheirs(b, s.theirs(b), s.each)
			for b.Loop() {
				t := ratio.Interleave(5, mine, peer)
				fmt.Printf("\n%s: %v a request, scs %v\n", s.name, t[0]/visitors, t[1]/visitors)
				ratio.Print("change-on-"+s.name+"-vs-scs", t[1].Seconds()/t[0].Seconds(), s.target, true)
			}
		})
	}
}

// together has every visitor make n requests with his cookie.
func together(b testing.TB, h http.Handler, cookies []string, n int) {
	var all sync.WaitGroup
	for _, cookie := range cookies {
		all.Go(func() {
			if w := serve(h, cookie, n); w.Code != http.StatusOK {
				b.Error(w.Code, w.Body)
			}
		})
	}
	all.Wait()
}

func cookiesOf(b testing.TB, begin http.Handler) []string {
	cookies := make([]string, visitors)
	for i := range cookies {
		cookies[i] = cookieFrom(serve(begin, "", 1))
		require.NotEmpty(b, cookies[i])
	}
	return cookies
}

func counterOfOurs(b testing.TB, store closingStore, n int) func() {
	m, err := hosts.New(store, hosts.Config{Key: benchKey, NoCleanup: true})
	require.NoError(b, err)
	mw, err := nethttp.New(m, nethttp.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, m.Close()); require.NoError(b, store.Close()) })
	page := mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		count, _ := hosts.Get[int](v, "n")
		if err := hosts.Put(v, "n", count+1); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(hello)
	}))
	cookies := cookiesOf(b, page)
	return func() { together(b, page, cookies, n) }
}

func counterOfTheirs(b testing.TB, store scs.Store, n int) func() {
	sm := scs.New()
	sm.Store = store
	page := sm.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sm.Put(r.Context(), "n", sm.GetInt(r.Context(), "n")+1)
		_, _ = w.Write(hello)
	}))
	cookies := cookiesOf(b, page)
	return func() { together(b, page, cookies, n) }
}

func oursOnSQLite(b testing.TB) closingStore {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ours.db"), sqlite.Options{})
	require.NoError(b, err)
	return s
}

// theirsOnSQLite has one connection: more only wait for each other's lock.
func theirsOnSQLite(b testing.TB) scs.Store {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(b.TempDir(), "theirs.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	require.NoError(b, err)
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	_, err = db.Exec("CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL); CREATE INDEX sessions_expiry_idx ON sessions(expiry)")
	require.NoError(b, err)
	return sqlite3store.NewWithCleanupInterval(db, 0)
}

func oursOnPostgres(b testing.TB) closingStore {
	table := "bench_ours"
	s, err := postgres.Open(b.Context(), servers.Postgres(b), postgres.Options{Table: table})
	require.NoError(b, err)
	b.Cleanup(func() { dropTables(b, table, table+"_schema") })
	return s
}

func theirsOnPostgres(b testing.TB) scs.Store {
	config, err := pgxpool.ParseConfig(servers.Postgres(b))
	require.NoError(b, err)
	config.MaxConns = visitors
	config.ConnConfig.RuntimeParams["search_path"] = "bench_theirs"
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	require.NoError(b, err)
	for _, text := range []string{"DROP SCHEMA IF EXISTS bench_theirs CASCADE", "CREATE SCHEMA bench_theirs",
		"CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)"} {
		_, err = pool.Exec(b.Context(), text)
		require.NoError(b, err)
	}
	b.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP SCHEMA bench_theirs CASCADE")
		require.NoError(b, err)
		pool.Close()
	})
	return pgxstore.NewWithCleanupInterval(pool, 0)
}

func dropTables(b testing.TB, names ...string) {
	pool, err := pgxpool.New(context.Background(), servers.Postgres(b))
	require.NoError(b, err)
	defer pool.Close()
	_, err = pool.Exec(context.Background(), "DROP TABLE IF EXISTS "+strings.Join(names, ", "))
	require.NoError(b, err)
}

func oursOnRedis(b testing.TB) closingStore {
	s, err := redis.Open(b.Context(), servers.Redis(b), redis.Options{Prefix: "bench-ours:"})
	require.NoError(b, err)
	return s
}

func theirsOnRedis(b testing.TB) scs.Store {
	o, err := goredis.ParseURL(servers.Redis(b))
	require.NoError(b, err)
	client := goredis.NewClient(o)
	b.Cleanup(func() { require.NoError(b, client.Close()) })
	return goredisstore.NewWithPrefix(client, "bench-theirs:")
}
