package filled

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
)

// openSQLite is a file with one connection, as durable as our store.
func openSQLite(b testing.TB, path, synchronous string, cacheKB int) *database {
	db, err := sqlite.Open("file:"+path, func(c *sqlite3.Conn) error {
		return c.Exec(fmt.Sprintf("PRAGMA busy_timeout=60000; PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA wal_autocheckpoint=4096; PRAGMA cache_size=-%d",
			synchronous, cacheKB))
	})
	require.NoError(b, err)
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	d := &database{TB: b, DB: db, place: question, writers: 1, oneByOne: true,
		byItself: "SELECT name FROM pragma_table_xinfo(?) WHERE hidden > 0 OR pk = 1 AND upper(type) = 'INTEGER'"}
	d.bulk = func(ctx context.Context, table string, columns []string, rows [][]any) error {
		insert, err := db.PrepareContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+d.places(1, len(columns)))
		if err != nil {
			return err
		}
		defer insert.Close()
		return d.within(ctx, insert, len(rows), func(i int) []any { return rows[i] })
	}
	return d
}

// openPostgres has a pool of so many connections, which look into a schema.
func openPostgres(b testing.TB, schema string, conns int) *database {
	config, err := pgx.ParseConfig(servers.Postgres(b))
	require.NoError(b, err)
	config.RuntimeParams["search_path"] = schema
	db := pooled(b, stdlib.OpenDB(*config), conns)
	d := &database{TB: b, DB: db, place: dollar, writers: 2, settled: "VACUUM ANALYZE",
		byItself: "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND table_schema = current_schema() " +
			"AND (is_identity = 'YES' OR is_generated = 'ALWAYS' OR column_default LIKE 'nextval(%')"}
	d.bulk = func(ctx context.Context, table string, columns []string, rows [][]any) error {
		c, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Raw(func(c any) error {
			_, err := c.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
			return err
		})
	}
	return d
}

// openMySQL has a pool of so many connections to a database, "" for that of the
// environment. Arguments go into the text, so that a statement is one round trip.
func openMySQL(b testing.TB, name string, conns int) *database {
	u, err := url.Parse(servers.MySQL(b))
	require.NoError(b, err)
	config := driver.NewConfig()
	config.Net, config.Addr, config.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.InterpolateParams = true
	if name != "" {
		config.DBName = name
	}
	connector, err := driver.NewConnector(config)
	require.NoError(b, err)
	db := pooled(b, sql.OpenDB(connector), conns)
	d := &database{TB: b, DB: db, place: question, writers: 1, settled: "ANALYZE TABLE",
		byItself: "SELECT column_name FROM information_schema.columns WHERE table_name = ? AND table_schema = database() " +
			"AND (extra LIKE '%auto_increment%' OR extra LIKE '%GENERATED%')"}
	const together = 500
	d.bulk = func(ctx context.Context, table string, columns []string, rows [][]any) error {
		tx, err := db.BeginTx(ctx, nil)
		for at := 0; err == nil && at < len(rows); at += together {
			part := rows[at:min(at+together, len(rows))]
			var values []any
			for _, row := range part {
				values = append(values, row...)
			}
			if _, err = tx.ExecContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+d.places(len(part), len(columns)), values...); err != nil {
				_ = tx.Rollback()
			}
		}
		if err != nil {
			return err
		}
		return tx.Commit()
	}
	return d
}

func pooled(b testing.TB, db *sql.DB, conns int) *sql.DB {
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	return db
}
