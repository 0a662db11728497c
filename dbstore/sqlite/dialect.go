package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	sweepBatch = 256 // records that a sweep locks the file for at once
	sweepRest  = 1   // pause after each, in times of how long it took
)

// dialect is that of one file.
type dialect struct {
	file *file
	fast bool
	all  connections
}

// Name implements dbstore.Dialect.
func (d *dialect) Name() string { return "SQLite " + d.file.path }

// Syntax implements dbstore.Dialect. One save at a time goes alone: more would
// only wait for the one connection that writes, and each with a sync of its own.
func (d *dialect) Syntax() dbstore.Syntax {
	return dbstore.Syntax{
		Quote: `"`, Least: "MIN", OnTaken: "ON CONFLICT DO NOTHING", Prepare: true,
		Loads: hosts.Coalescing{Direct: readers()}, Saves: hosts.Coalescing{Direct: 1},
		SweepBatch: sweepBatch, SweepRest: sweepRest,
	}
}

// Schema implements dbstore.Dialect. The primary key ends every index, so that
// each gives the sessions of one owner in the order of their IDs.
func (d *dialect) Schema(t dbstore.Table) [][]string {
	return [][]string{{
		"CREATE TABLE " + t.String() + ` (
	id BLOB NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL,
	tenant_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	seen_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	expiry_hour INTEGER NOT NULL,
	data BLOB NOT NULL
) STRICT, WITHOUT ROWID`,
		"CREATE INDEX " + t.Index("owner") + " ON " + t.String() + " (user_id, tenant_id)",
		"CREATE INDEX " + t.Index("tenant") + " ON " + t.String() + " (tenant_id)",
		"CREATE INDEX " + t.Index("expiry") + " ON " + t.String() + " (expiry_hour)",
	}}
}

// Exclusive implements dbstore.Dialect.
func (d *dialect) Exclusive(ctx context.Context, c *sql.Conn, _ dbstore.Table, do func(context.Context) error) error {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do(ctx)
	if err == nil {
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, undone := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, undone)
	}
	return nil
}

// Commands implements dbstore.Dialect.
func (d *dialect) Commands(_ context.Context, db dbstore.DB, t dbstore.Table) (dbstore.Commands, error) {
	return &commands{dialect: d, db: db, texts: write(t)}, nil
}
