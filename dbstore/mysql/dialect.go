package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// dialect implements dbstore.Dialect.
type dialect struct{}

// Dialect of MySQL and MariaDB, for dbstore.Schema.
var Dialect dbstore.Dialect = dialect{}

func (dialect) Name() string { return "MySQL" }

func (dialect) Syntax() dbstore.Syntax {
	return dbstore.Syntax{
		Quote: "`", Least: "LEAST", Prepare: true,
		// Else the server reads a tenant's index from its start for every page
		// of a user who has most of the tenant's sessions.
		ByOwner:    " FORCE INDEX (owner)",
		Loads:      coalesce.Options{Direct: 8, Workers: 1},
		Saves:      coalesce.Options{Direct: 8, Workers: 1},
		SweepBatch: 200, SweepRest: 1,
	}
}

// Create implements dbstore.Dialect. InnoDB keeps rows in the order of the primary
// key, which is the ID: under a number of their own, new rows would lie side by side,
// but each load would read a page of an index before that of the row. No index has a
// column that a touch changes.
func (dialect) Create(t dbstore.Table) []string {
	return append([]string{
		"CREATE TABLE IF NOT EXISTS " + t.String() + ` (
  id binary(16) NOT NULL PRIMARY KEY,
  version bigint NOT NULL,
  tenant_id varbinary(255) NOT NULL,
  user_id varbinary(255) NOT NULL,
  created_at bigint NOT NULL,
  seen_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  expiry_hour bigint NOT NULL,
  data mediumblob NOT NULL,
  touch_version bigint NOT NULL DEFAULT 0,
  KEY owner (user_id, tenant_id, id),
  KEY tenant (tenant_id, id),
  KEY expiry (expiry_hour)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`,
	}, second(t)...)
}

// Upgrades implements dbstore.Dialect.
func (dialect) Upgrades(t dbstore.Table) [][]string { return [][]string{second(t)} }

// second leads from version 1, which had no touch_version, to version 2. It leaves
// alone a table that has it, and one that is not ours. (Only MariaDB knows ADD
// COLUMN IF NOT EXISTS.)
func second(t dbstore.Table) []string {
	const has = "(SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '%s' AND column_name = '%s')"
	alter := "ALTER TABLE " + t.String() + " ADD COLUMN touch_version bigint NOT NULL DEFAULT 0"
	return []string{
		"SET @sessions_second = IF(" + fmt.Sprintf(has, t.Plain(), "expiry_hour") + " = 1 AND " + fmt.Sprintf(has, t.Plain(), "touch_version") + " = 0, '" + alter + "', 'DO 0')",
		"PREPARE sessions_second FROM @sessions_second",
		"EXECUTE sessions_second",
		"DEALLOCATE PREPARE sessions_second",
	}
}

// migrating is the name of one lock for all tables of the server.
const migrating = "rwsess migrate"

// migrateLock bounds the wait of a migration for the table, in seconds: while it
// waits behind a long transaction, all others wait behind it.
const migrateLock = "1"

// releaseTimeout bounds the release of the lock when the caller has gone.
const releaseTimeout = 5 * time.Second

// Exclusive implements dbstore.Dialect. Statements that create tables are no
// part of a transaction here, so it holds a named lock, which ends with the
// connection.
func (dialect) Exclusive(ctx context.Context, c *sql.Conn, _ dbstore.Table, do func(context.Context) error) error {
	var got sql.NullInt64
	wait := time.Minute
	if deadline, ok := ctx.Deadline(); ok {
		wait = time.Until(deadline)
	}
	if err := c.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", migrating, int64(wait/time.Second)+1).Scan(&got); err != nil {
		return err
	}
	if got.Int64 != 1 {
		return fmt.Errorf("another program has held the lock %q for %v: %w", migrating, wait, hosts.ErrBusy)
	}
	_, err := c.ExecContext(ctx, "SET SESSION lock_wait_timeout = "+migrateLock)
	if err == nil {
		err = do(ctx)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_, failed := c.ExecContext(last, "SET SESSION lock_wait_timeout = DEFAULT")
	if failed == nil {
		failed = c.QueryRowContext(last, "SELECT RELEASE_LOCK(?)", migrating).Scan(&got)
	}
	if failed != nil {
		err = errors.Join(err, c.Raw(func(any) error { return driver.ErrBadConn }))
	}
	return err
}

// Commands implements dbstore.Dialect.
func (dialect) Commands(ctx context.Context, db dbstore.DB, t dbstore.Table) (dbstore.Commands, error) {
	if err := checkSettings(ctx, db.Write); err != nil {
		return nil, err
	}
	var packet int
	if err := db.Write.QueryRowContext(ctx, "SELECT @@max_allowed_packet").Scan(&packet); err != nil {
		return nil, err
	}
	rows, err := rowsOf(ctx, db.Write)
	return &commands{db: db, name: t.String(), room: packet - statementOverhead, rows: rows}, err
}
