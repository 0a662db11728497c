package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// dialect implements dbstore.Dialect.
type dialect struct {
	fast bool
}

// Dialect of PostgreSQL, for dbstore.Schema.
var Dialect dbstore.Dialect = dialect{}

// lazily ends the condition of a touch: its transaction, and no other, does
// not wait for the disk. It is asked once and only for a row that is written.
const lazily = " AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'"

// durably ends the condition of a delete: where the server is set up to wait for
// no disk, that of an ended session does.
const durably = " AND (SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) ELSE '' END) IS NOT NULL"

func (dialect) Name() string { return "PostgreSQL" }

func (d dialect) Syntax() dbstore.Syntax {
	s := dbstore.Syntax{
		Quote: `"`, Numbered: true, Qualified: true, Least: "LEAST", OnTaken: "ON CONFLICT DO NOTHING",
		Loads: gathering(), Saves: gathering(),
		SweepBatch: 1000, SweepRest: 1, OnDelete: durably,
	}
	if d.fast {
		s.OnTouch = lazily
	}
	return s
}

// gathering was measured. A worker keeps two processors busy, one here and one at
// the server; with a second one a batch that waits for a lock holds up not
// everybody.
func gathering() coalesce.Options {
	return coalesce.Options{Direct: 8, Workers: max(2, min(4, runtime.GOMAXPROCS(0)/2))}
}

// Create implements dbstore.Dialect. No index has a column that a touch
// changes, and the free space of a page takes the row's next state (HOT). What a
// touch leaves alone comes first: the log has only what follows. What is
// sealed does not compress.
func (dialect) Create(t dbstore.Table) []string {
	name := t.String()
	return slices.Concat([]string{
		"CREATE TABLE IF NOT EXISTS " + name + ` (
  id bytea PRIMARY KEY CHECK (length(id) = 16),
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  expiry_hour bigint NOT NULL,
  version bigint NOT NULL,
  touch_version bigint NOT NULL DEFAULT 0,
  seen_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  data bytea NOT NULL
) WITH (fillfactor = 80)`,
		"ALTER TABLE " + name + " ALTER COLUMN data SET STORAGE EXTERNAL",
		"CREATE INDEX IF NOT EXISTS " + t.Index("expiry") + " ON " + name + " (expiry_hour)",
	}, second(t))
}

// Upgrades implements dbstore.Dialect. Version 1 had whole indexes and no
// touch_version.
func (dialect) Upgrades(t dbstore.Table) [][]string {
	return [][]string{append(second(t),
		"DROP INDEX IF EXISTS "+t.Beside(t.Index("owner")),
		"DROP INDEX IF EXISTS "+t.Beside(t.Index("tenant")))}
}

// second leads to what version 2 has. The indexes leave out what has no user or
// no tenant: of most programs one of them has nearly everything or nothing in it.
func second(t dbstore.Table) []string {
	name := t.String()
	return []string{
		"ALTER TABLE " + name + " ADD COLUMN IF NOT EXISTS touch_version bigint NOT NULL DEFAULT 0",
		"CREATE INDEX IF NOT EXISTS " + t.Index("users") + " ON " + name + " (user_id, tenant_id, id) WHERE user_id <> ''",
		"CREATE INDEX IF NOT EXISTS " + t.Index("tenants") + " ON " + name + " (tenant_id, id) WHERE tenant_id <> ''",
	}
}

// migrating is the advisory lock of all tables: the same one may have two names.
const migrating = 0x727773657373 // "rwsess"

// lockTimeout bounds the wait of a migration for the table: while it waits behind
// a long transaction, all others wait behind it.
const lockTimeout = "1s"

// rollbackTimeout bounds the end of a transaction whose caller has gone.
const rollbackTimeout = 5 * time.Second

// Exclusive implements dbstore.Dialect by a transaction and a lock that ends
// with it, so that it holds behind a pooler, too. The transaction sees what the one
// has done that it waited for.
func (dialect) Exclusive(ctx context.Context, c *sql.Conn, _ dbstore.Table, do func(context.Context) error) error {
	if _, err := c.ExecContext(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED"); err != nil {
		return err
	}
	_, err := c.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrating))
	if err == nil {
		_, err = c.ExecContext(ctx, "SET LOCAL lock_timeout = '"+lockTimeout+"'")
	}
	if err == nil {
		_, err = c.ExecContext(ctx, "SELECT 1 WHERE true"+durably) // a mark, and what it needs
	}
	if err == nil {
		err = do(ctx)
	}
	if err == nil {
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if _, failed := c.ExecContext(last, "ROLLBACK"); failed != nil {
		// Whoever gets the connection next must not be within a transaction.
		err = errors.Join(err, c.Raw(func(any) error { return driver.ErrBadConn }))
	}
	return err
}

// Commands implements dbstore.Dialect. Names are text in UTF-8.
func (d dialect) Commands(ctx context.Context, db dbstore.DB, t dbstore.Table) (dbstore.Commands, error) {
	var encoding string
	if err := db.Write.QueryRowContext(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		return nil, err
	}
	if encoding != "UTF8" {
		return nil, &hosts.ConfigError{Field: "encoding of the database", Value: encoding, Allowed: "UTF8: create another with ENCODING 'UTF8' TEMPLATE template0"}
	}
	c := &commands{db: db, table: t, fast: d.fast, opened: time.Now()}
	err := native(ctx, db.Write, func(*pgx.Conn) error { return nil })
	if errors.Is(err, errOtherDriver) {
		return plain{c}, nil
	}
	return c, err
}
