package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

const (
	sweepBatch = 256 // records that a sweep locks the file for at once
	sweepRest  = 1   // pause after each, in times of how long it took
)

// dialect is that of one file.
type dialect struct {
	path string
	fast bool
	sync func() error // puts the log on the disk
	own  *prepared    // Open's connections; nil: the program's

	reserve *reserve // nil: none

	reader func(context.Context) (*sqlite3.Conn, error) // opens a connection that reads; nil: as own
	same   func() error                                 // refuses files that were replaced
}

// Name implements dbstore.Dialect.
func (d *dialect) Name() string { return "SQLite " + d.path }

// Syntax implements dbstore.Dialect. One save at a time goes alone: more would
// only wait for the one connection that writes, and each with a sync of its own.
func (d *dialect) Syntax() dbstore.Syntax {
	return dbstore.Syntax{
		Quote: `"`, Least: "MIN", OnTaken: "ON CONFLICT DO NOTHING", Prepare: true,
		Loads: coalesce.Options{Direct: readers()}, Saves: coalesce.Options{Direct: 1},
		SweepBatch: sweepBatch, SweepRest: sweepRest,
	}
}

// Create implements dbstore.Dialect. The primary key is SQLite's own number of a
// row: new sessions are written side by side. Under their random IDs, with a
// hundred thousand stored, each would change a page of its own (measured: a fifth
// of the speed).
func (d *dialect) Create(t dbstore.Table) []string {
	return append([]string{"CREATE TABLE " + t.String() + columns}, indexes(t)...)
}

const columns = ` (
	id BLOB NOT NULL UNIQUE,
	version INTEGER NOT NULL,
	tenant_id TEXT NOT NULL,
	user_id TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	seen_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	expiry_hour INTEGER NOT NULL,
	data BLOB NOT NULL,
	touch_version INTEGER NOT NULL DEFAULT 0
) STRICT`

// indexes leave out what has no user or no tenant: of most programs one of them
// has nearly everything or nothing in it.
func indexes(t dbstore.Table) []string {
	return []string{
		"CREATE INDEX " + t.Index("owner") + " ON " + t.String() + " (user_id, tenant_id, id) WHERE user_id <> ''",
		"CREATE INDEX " + t.Index("tenant") + " ON " + t.String() + " (tenant_id, id) WHERE tenant_id <> ''",
		"CREATE INDEX " + t.Index("expiry") + " ON " + t.String() + " (expiry_hour)",
	}
}

// Upgrades implements dbstore.Dialect. Version 1 had the ID for the primary key of
// a table WITHOUT ROWID, whole indexes and no touch_version.
func (d *dialect) Upgrades(t dbstore.Table) [][]string {
	const kept = "id, version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data"
	return [][]string{slices.Concat([]string{
		"CREATE TABLE " + t.With("_new") + columns,
		"INSERT INTO " + t.With("_new") + " (" + kept + ") SELECT " + kept + " FROM " + t.String(),
		"DROP TABLE " + t.String(),
		"ALTER TABLE " + t.With("_new") + " RENAME TO " + t.String(),
	}, indexes(t))}
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
	c := &commands{dialect: d, db: db, texts: write(t), lender: plain{}}
	if d.own != nil {
		c.lender = d.own
	}
	return c, nil
}
