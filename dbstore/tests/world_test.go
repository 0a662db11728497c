package tests

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/mysql"
	"github.com/rockstar-web/sessions/dbstore/postgres"
	"github.com/rockstar-web/sessions/hosts"
)

// server is one of the real ones that every test here runs against.
type server struct {
	name    string
	url     func(testing.TB) string
	dialect dbstore.Dialect
	open    func(ctx context.Context, url string) (*dbstore.Store, error)
	wrap    func(ctx context.Context, db *sql.DB, table string) (*dbstore.Store, error)
	driver  string
	dsn     func(*url.URL) string // for the driver, from the URL

	// waiting counts the statements that wait for a lock on a table.
	waiting string
	// create makes a user that may connect, and alter do as told.
	create, drop, mayRead, mayWrite string
	mayNoMore                       string // takes back what tableOnly gave
	// tableOnly lets do all with the table and nothing with its companion.
	tableOnly string

	// mayFeed has them follow what an administrator has set up.
	mayFeed string
	// missing are ways to take away from the feed, and what a gap then says.
	missing map[string]struct{ do, says string }

	// settings of a server for the connections of one user.
	settings []string
}

var all = []server{
	{
		name: "postgres", url: servers.Postgres, dialect: postgres.Dialect, driver: "pgx",
		open: func(ctx context.Context, url string) (*dbstore.Store, error) {
			return postgres.Open(ctx, url, postgres.Options{})
		},
		wrap: func(ctx context.Context, db *sql.DB, table string) (*dbstore.Store, error) {
			return postgres.New(ctx, db, postgres.Options{Table: table})
		},
		dsn:      func(u *url.URL) string { return u.String() },
		waiting:  "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{table}%' AND pid <> pg_backend_pid()",
		create:   "CREATE ROLE {user} LOGIN PASSWORD '{password}'",
		mayRead:  "GRANT SELECT ON {table}, {table}_schema TO {user}",
		mayWrite: "GRANT SELECT, INSERT, UPDATE, DELETE ON {table}, {table}_schema TO {user}",
		drop:     "DROP OWNED BY {user}; DROP ROLE {user}",

		tableOnly: "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {user}",
		mayNoMore: `REVOKE INSERT, UPDATE, DELETE ON {table} FROM {user}`,
		mayFeed:   "GRANT SELECT, INSERT, UPDATE, DELETE ON {table}_feed TO {user}",
		missing: map[string]struct{ do, says string }{
			"trigger":   {"DROP TRIGGER {table}_feed_deleted ON {table}", "missing"},
			"disabled":  {"ALTER TABLE {table} DISABLE TRIGGER {table}_feed_deleted", "missing"},
			"all":       {"ALTER TABLE {table} DISABLE TRIGGER USER", "missing"},
			"table":     {"DROP TABLE {table}_feed", "missing"},
			"first":     {"DELETE FROM {table}_feed", "missing"},
			"again":     {"UPDATE {table}_feed SET prev = prev + 1 WHERE xid = '0'", "is another"},
			"truncated": {"TRUNCATE {table}", "truncated"},
			"swapped":   {"CREATE TABLE {table}_x (LIKE {table} INCLUDING ALL); DROP TABLE {table}; ALTER TABLE {table}_x RENAME TO {table}", "missing"},
			"flood":     {"INSERT INTO {table}_feed SELECT pg_current_xact_id(), '\\x00000000000000000000000000000000', 1, 1 FROM generate_series(1, 10001)", "more than"},
		},
		settings: []string{
			"ALTER ROLE {user} SET default_transaction_isolation = 'repeatable read'",
			"ALTER ROLE {user} SET default_transaction_isolation = 'serializable'",
		},
	},
	{
		name: "mysql", url: servers.MySQL, dialect: mysql.Dialect, driver: "mysql",
		open: func(ctx context.Context, url string) (*dbstore.Store, error) {
			return mysql.Open(ctx, url, mysql.Options{})
		},
		wrap: func(ctx context.Context, db *sql.DB, table string) (*dbstore.Store, error) {
			return mysql.New(ctx, db, mysql.Options{Table: table})
		},
		dsn: func(u *url.URL) string {
			password, _ := u.User.Password()
			return fmt.Sprintf("%s:%s@tcp(%s)%s?interpolateParams=true&innodb_lock_wait_timeout=2", u.User.Username(), password, u.Host, u.Path)
		},
		waiting: "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE '%{table}%'",
		// The tests' user may do all but grant.
		create:   "CREATE USER {user} IDENTIFIED BY '{password}'; INSERT INTO mysql.db (Host, Db, User) VALUES ('%', '{database}', '{user}'); FLUSH PRIVILEGES",
		mayRead:  "UPDATE mysql.db SET Select_priv = 'Y' WHERE User = '{user}'; FLUSH PRIVILEGES",
		mayWrite: "UPDATE mysql.db SET Select_priv = 'Y', Insert_priv = 'Y', Update_priv = 'Y', Delete_priv = 'Y' WHERE User = '{user}'; FLUSH PRIVILEGES",

		mayNoMore: "DELETE FROM mysql.tables_priv WHERE User = '{user}'; FLUSH PRIVILEGES",
		drop:      "DROP USER {user}",

		tableOnly: "INSERT INTO mysql.tables_priv (Host, Db, User, Table_name, Table_priv) VALUES ('%', '{database}', '{user}', '{table}', 'Select,Insert,Update,Delete'); FLUSH PRIVILEGES",
		mayFeed:   "UPDATE mysql.db SET Trigger_priv = 'Y' WHERE User = '{user}'; FLUSH PRIVILEGES",
		missing: map[string]struct{ do, says string }{
			"trigger": {"DROP TRIGGER {table}_feed_delete", "missing"},
			"table":   {"DROP TABLE {table}_feed", "missing"},
			"first":   {"DELETE FROM {table}_feed", "missing"},
			"again":   {"UPDATE {table}_feed SET prev = prev + 1 WHERE seq = 1", "another one"},
			"pruned":  {"UPDATE {table}_feed SET version = 3 WHERE seq = 1; INSERT INTO {table}_feed (id, version, prev) VALUES ('0123456789abcdef', 1, 1), ('0123456789abcdef', 1, 1), ('0123456789abcdef', 1, 1)", "pruned"},
			"swapped": {"CREATE TABLE {table}_x LIKE {table}; DROP TABLE {table}; ALTER TABLE {table}_x RENAME TO {table}", "missing"},
		},
		settings: []string{
			`SET GLOBAL init_connect = "SET autocommit = IF(CURRENT_USER() LIKE '{user}@%', 0, 1), completion_type = IF(CURRENT_USER() LIKE '{user}@%', 1, 0),
				sql_select_limit = IF(CURRENT_USER() LIKE '{user}@%', 1, 1000000), sql_safe_updates = CURRENT_USER() LIKE '{user}@%',
				sql_mode = IF(CURRENT_USER() LIKE '{user}@%', 'ORACLE', @@sql_mode)"`,
		},
	},
}

// world is one server, and a table of one test.
type world struct {
	*testing.T
	server
	table string
	admin *sql.DB // knows nothing of stores
}

// everywhereAlone runs a test on servers of its own: one that changes settings of the
// whole server, or that a transaction of another test would disturb. Where this is so of
// one server only, that is named: on the other the test shares what all share.
func everywhereAlone(t *testing.T, test func(w *world), only ...string) {
	own := map[string]func() string{
		"postgres": func() string {
			s := servers.NewPostgres(t)
			db, err := sql.Open("pgx", s.URL())
			require.NoError(t, err)
			defer db.Close()
			s.Start(db.Ping)
			return s.URL()
		},
		"mysql": func() string { return servers.NewMariaDB(t) },
	}
	alone := slices.Clone(all)
	for i := range alone {
		if len(only) > 0 && !slices.Contains(only, alone[i].name) {
			continue
		}
		url := sync.OnceValue(own[alone[i].name])
		alone[i].url = func(testing.TB) string { return url() }
	}
	on(t, alone, test)
}

// everywhere runs a test on each server.
func everywhere(t *testing.T, test func(w *world)) { on(t, all, test) }

func on(t *testing.T, all []server, test func(w *world)) {
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			w := &world{T: t, server: s, table: fmt.Sprintf("test_%016x", rand.Uint64())}
			w.admin = w.database(nil)
			t.Cleanup(func() { w.run("DROP TABLE IF EXISTS {table}, {table}_schema, {table}_feed") })
			test(w)
		})
	}
}

// at returns the URL of the table, changed.
func (w *world) at(change func(*url.URL)) string {
	u, err := url.Parse(w.url(w))
	require.NoError(w, err)
	if change != nil {
		change(u)
	}
	q := u.Query()
	q.Set("table", w.table)
	u.RawQuery = q.Encode()
	return u.String()
}

// database opens one without a store, which the end of the test closes.
func (w *world) database(change func(*url.URL)) *sql.DB {
	u, err := url.Parse(w.url(w))
	require.NoError(w, err)
	if change != nil {
		change(u)
	}
	db, err := sql.Open(w.driver, w.dsn(u))
	require.NoError(w, err)
	w.Cleanup(func() { require.NoError(w, db.Close()) })
	return db
}

// run runs statements as the administrator.
func (w *world) run(text string) {
	for one := range strings.SplitSeq(text, ";") {
		if one = strings.TrimSpace(one); one != "" {
			_, err := w.admin.ExecContext(context.Background(), w.named(one))
			require.NoError(w, err, one)
		}
	}
}

func (w *world) named(text string) string {
	u, err := url.Parse(w.url(w))
	require.NoError(w, err)
	return strings.NewReplacer("{table}", w.table, "{user}", user(w.table), "{password}", secret,
		"{database}", strings.TrimPrefix(u.Path, "/")).Replace(text)
}

func (w *world) count(text string) (n int) {
	require.NoError(w, w.admin.QueryRowContext(w.Context(), w.named(text)).Scan(&n))
	return n
}

// store opens one, which the end of the test closes.
func (w *world) store(change func(*url.URL)) *dbstore.Store {
	s, err := w.open(w.Context(), w.at(change))
	require.NoError(w, err)
	w.Cleanup(func() { require.NoError(w, s.Close()) })
	return s
}

// secret is a password, which no error may show.
const secret = "hush-hush"

// newUser makes one that may connect only, and returns what makes a URL theirs.
func (w *world) newUser() func(*url.URL) {
	w.run(w.create)
	w.Cleanup(func() { w.run(w.drop) })
	return func(u *url.URL) { u.User = url.UserPassword(user(w.table), secret) }
}

func user(table string) string { return "u" + table }

func record(n byte) core.Record {
	return core.Record{ID: core.ID{n, 1}, Version: core.Version(rand.Uint64()>>1 | 1), Tenant: "acme", User: "ada",
		CreatedAt: core.Day, SeenAt: core.Day, ExpiresAt: 2 * core.Day, Sealed: []byte("sealed")}
}

// after is the state that follows.
func after(r core.Record) core.Record {
	r.Version = core.Version(rand.Uint64()>>1 | 1)
	r.SeenAt += core.Minute
	r.ExpiresAt += core.Minute
	return r
}

func (w *world) save(s hosts.Store, r core.Record, prev core.Version) core.Record {
	require.NoError(w, s.Save(w.Context(), r, prev))
	return r
}

func (w *world) holds(s hosts.Store, r core.Record) {
	got, err := s.Load(w.Context(), r.ID)
	require.NoError(w, err)
	require.Equal(w, r, got)
}
