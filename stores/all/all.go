// Package all registers every store that needs a driver with package stores:
// SQLite, PostgreSQL, MySQL and MariaDB, Redis and Valkey. Import it for that
// effect in a program that lets its operator choose the store by name:
//
//	import _ "github.com/rockstar-web/sessions/stores/all"
//
// It is a module of its own, since it requires all drivers.
package all

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/cachestore/redis"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/mysql"
	"github.com/rockstar-web/sessions/dbstore/postgres"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/stores"
)

const defaultFile = "sessions.db"

func init() {
	register := func(rest string, open func(context.Context, stores.Name) (stores.Store, error), drop func(context.Context, stores.Name) error, schemes ...string) {
		stores.Register(stores.Driver{Schemes: schemes, Rest: rest, Open: open, Drop: drop})
	}
	stores.Register(stores.Driver{Schemes: []string{"sqlite"}, Rest: "FILE", Word: "database",
		File: defaultFile, Open: openSQLite, Exists: isFile, Drop: removeFile})
	register("//USER:PASSWORD@HOST:PORT/NAME", openPostgres, dropTable(openPostgres), "postgres", "postgresql")
	register("//USER:PASSWORD@HOST:PORT/NAME", openMySQL, dropTable(openMySQL), "mysql", "mariadb")
	register("//USER:PASSWORD@HOST:PORT/DB", openRedis, deleteAll(openRedis), "redis", "rediss")
	register("//HOST:PORT,HOST:PORT", openRedis, deleteAll(openRedis), "redis+cluster", "rediss+cluster")
	register("//HOST:PORT,HOST:PORT/NAME", openRedis, deleteAll(openRedis), "redis+sentinel", "rediss+sentinel")
}

func openSQLite(ctx context.Context, n stores.Name) (stores.Store, error) {
	path, err := n.Path(defaultFile)
	if err != nil {
		return nil, err
	}
	return found(sqlite.Open(ctx, path, sqlite.Options{NoMigrate: n.Migration == stores.Never}))
}

func removeFile(_ context.Context, n stores.Name) error {
	path, err := n.Path(defaultFile)
	if err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-reserve"} {
		if err := os.RemoveAll(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

func openPostgres(ctx context.Context, n stores.Name) (stores.Store, error) {
	name, err := n.URL(func(query url.Values) { table(n, query) })
	if err != nil {
		return nil, err
	}
	return found(postgres.Open(ctx, name, postgres.Options{}))
}

func openMySQL(ctx context.Context, n stores.Name) (stores.Store, error) {
	n.Scheme = "mysql"
	name, err := n.URL(func(query url.Values) { table(n, query) })
	if err != nil {
		return nil, err
	}
	return found(mysql.Open(ctx, name, mysql.Options{}))
}

func openRedis(ctx context.Context, n stores.Name) (stores.Store, error) {
	n.Migration = stores.AsNamed // it has no tables
	name, err := n.URL(func(query url.Values) { prefix(n, query) })
	if err != nil {
		return nil, err
	}
	return redis.Open(ctx, name, redis.Options{})
}

// found says of a database whose tables are older that there is no store to open.
func found[S stores.Store](s S, err error) (stores.Store, error) {
	if errors.Is(err, dbstore.ErrNotMigrated) {
		err = stores.Absent("%w", err)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// table has a scratch table made, in the schema of the one that is named, and
// sets whether tables are migrated.
func table(n stores.Name, query url.Values) {
	if _, err := strconv.ParseBool(cmp.Or(query.Get("migrate"), "true")); err == nil { // else it is refused
		query.Set("migrate", strconv.FormatBool(n.Migration != stores.Never))
	}
	if n.Scratch == "" {
		return
	}
	table := "sessions_" + n.Scratch
	if schema, _, ok := strings.Cut(query.Get("table"), "."); ok {
		table = schema + "." + table
	}
	query.Set("table", table)
}

// maxPrefix is that of redis.Options, in bytes.
const maxPrefix = 64

// prefix begins with the one that is named, to which the user of the server may
// be confined; with as much of it as there is room for.
func prefix(n stores.Name, query url.Values) {
	named := cmp.Or(query.Get("prefix"), redis.DefaultPrefix)
	if room := maxPrefix - len(n.Scratch+":"); len(named) <= maxPrefix {
		named = named[:min(len(named), room)]
	}
	query.Set("prefix", named+n.Scratch+":")
}
