package tests

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/ncruces/go-sqlite3/driver"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	scsmigrate "github.com/rockstar-web/sessions/hosts/migrate/scs"
)

var unique = fmt.Sprintf("migrate_%d", time.Now().UnixNano())

// scsOver is an application over scs.
func scsOver(t *testing.T, name string, store scs.Store, hash bool) *server {
	m := scs.New()
	m.Store, m.HashTokenInStore, m.Lifetime = store, hash, 12*time.Hour
	source, err := scsmigrate.Source(m)
	require.NoError(t, err)
	handler := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		var n int
		switch {
		case strings.HasPrefix(r.URL.Path, "/login/"):
			fmt.Sscanf(r.URL.Path, "/login/%d", &n)
			must(t, m.RenewToken(ctx))
			for name, v := range valuesOf(n) {
				m.Put(ctx, name, v)
			}
		case r.URL.Path == "/touch":
			m.Put(ctx, "touched by old", true)
		case r.URL.Path == "/logout":
			must(t, m.Destroy(ctx))
		}
		fmt.Fprint(w, m.GetString(ctx, "user"))
	}))
	kept := func() int {
		all, err := m.Store.(interface {
			All() (map[string][]byte, error)
		}).All()
		require.NoError(t, err)
		return len(all)
	}
	if all, ok := m.Store.(scs.IterableCtxStore); ok {
		kept = func() int {
			all, err := all.AllCtx(context.Background())
			require.NoError(t, err)
			return len(all)
		}
	}
	return &server{name, handler, source, m.Cookie.Name, true, kept}
}

func must(t *testing.T, err error) {
	if err != nil {
		t.Error(err)
	}
}

func onPostgres(t *testing.T) scs.Store {
	config, err := pgxpool.ParseConfig(servers.Postgres(t))
	require.NoError(t, err)
	config.ConnConfig.RuntimeParams["search_path"] = unique
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	for _, text := range []string{"CREATE SCHEMA " + unique,
		"CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)"} {
		_, err = pool.Exec(t.Context(), text)
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP SCHEMA "+unique+" CASCADE")
		require.NoError(t, err)
		pool.Close()
	})
	return pgxstore.NewWithCleanupInterval(pool, 0)
}

func onMySQL(t *testing.T) scs.Store {
	u, err := url.Parse(servers.MySQL(t))
	require.NoError(t, err)
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.ParseTime = u.User.Username(), "tcp", u.Host, true
	c.Passwd, _ = u.User.Password()
	home, err := sql.Open("mysql", c.FormatDSN())
	require.NoError(t, err)
	_, err = home.Exec("CREATE DATABASE " + unique)
	require.NoError(t, err)
	c.DBName = unique
	db, err := sql.Open("mysql", c.FormatDSN())
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, db.Close())
		_, err := home.Exec("DROP DATABASE " + unique)
		require.NoError(t, err)
		require.NoError(t, home.Close())
	})
	_, err = db.Exec("CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)")
	require.NoError(t, err)
	return mysqlstore.NewWithCleanupInterval(db, 0)
}

func onSQLite(t *testing.T) scs.Store {
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(t.TempDir(), "old.db"))+"?_pragma=journal_mode(wal)&_pragma=synchronous(off)")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Exec("CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)")
	require.NoError(t, err)
	return sqlite3store.NewWithCleanupInterval(db, 0)
}

func onRedis(t *testing.T) scs.Store {
	o, err := goredis.ParseURL(servers.Redis(t))
	require.NoError(t, err)
	client := goredis.NewClient(o)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return goredisstore.NewWithPrefix(client, unique+":")
}

func inMemory(t *testing.T) scs.Store { return memstore.NewWithCleanupInterval(0) }

var scsStores = []struct {
	name string
	open func(t *testing.T) scs.Store
	hash bool
}{
	{"scs on PostgreSQL", onPostgres, false}, {"scs on MySQL", onMySQL, false}, {"scs on SQLite", onSQLite, true}, {"scs on Redis", onRedis, true}, {"scs in memory", inMemory, false},
}

func TestMovingFromScs(t *testing.T) {
	for _, s := range scsStores {
		t.Run(s.name, func(t *testing.T) { move(t, scsOver(t, s.name, s.open(t), s.hash)) })
	}
}
