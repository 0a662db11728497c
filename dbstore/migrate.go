package dbstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// migrateTimeout bounds a migration, and the wait for another process that migrates.
const migrateTimeout = 30 * time.Minute

// migratePause is the wait between two tries to get hold of the table.
const migratePause = 200 * time.Millisecond

// Schema returns what creates a table of sessions in its newest version, as SQL
// for an administrator to run: what Migrate does by itself.
func Schema(d Dialect, table string) (string, error) {
	t, err := ParseTable(table, d.Syntax())
	if err != nil {
		return "", fmt.Errorf("dbstore: %s: %w", d.Name(), err)
	}
	return script(d, t, 0), nil
}

// script is the SQL that leads from a version to the newest.
func script(d Dialect, t Table, from int) string {
	var b strings.Builder
	if from == 0 {
		b.WriteString(versionTable(t) + ";\n")
	}
	for _, step := range steps(d, t, from) {
		for _, s := range step.statements {
			b.WriteString(s + ";\n")
		}
		fmt.Fprintf(&b, "INSERT INTO %s (version) VALUES (%d);\n", t.With("_schema"), step.version)
	}
	return b.String()
}

// step leads to a version of the schema.
type step struct {
	version    int
	statements []string
}

// newest version of the schema.
func newest(d Dialect, t Table) int { return len(d.Upgrades(t)) + 1 }

// steps lead from a version to the newest.
func steps(d Dialect, t Table, from int) []step {
	if from == 0 {
		return []step{{newest(d, t), d.Create(t)}}
	}
	var all []step
	for i, statements := range d.Upgrades(t)[from-1:] {
		all = append(all, step{from + i + 1, statements})
	}
	return all
}

// versionTable has a row for each version of the schema that was reached.
func versionTable(t Table) string {
	return "CREATE TABLE IF NOT EXISTS " + t.With("_schema") + " (version BIGINT NOT NULL PRIMARY KEY)"
}

// Migrate brings the schema up to date. Any number of processes may do so at
// once: one does it, the others wait.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	return s.migrate(ctx, false)
}

func (b *backend) migrate(ctx context.Context, checkOnly bool) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	newest := newest(b.dialect, b.table)
	version, err := b.schemaVersion(ctx, b.db.Write)
	switch {
	case err != nil && ended(ctx) == nil && b.fault(err) == Fault{Kind: Denied}:
		return fmt.Errorf("dbstore: %s: open: %w: %w; grant SELECT on %s", b.dialect.Name(), hosts.ErrUnavailable, err, b.table.With("_schema"))
	case err != nil:
		return b.fail(ctx, "open", err)
	case version > newest:
		return b.fail(ctx, "open", b.newer(version, newest))
	case version == newest:
		return nil
	case checkOnly:
		return fmt.Errorf("dbstore: %s: table %s has schema version %d, this program needs %d: %w; %w, so run:\n%s",
			b.dialect.Name(), b.table.Plain(), version, newest, hosts.ErrUnavailable, ErrNotMigrated, script(b.dialect, b.table, version))
	}
	err = b.exclusively(ctx, b.upgrade)
	if err == nil || ended(ctx) != nil {
		return b.fail(ctx, "migrate", err)
	}
	switch f := b.fault(err); f.Kind {
	case Denied:
		return fmt.Errorf("dbstore: %s: migrate: %w: %w; %s, or have an administrator run:\n%s",
			b.dialect.Name(), hosts.ErrUnavailable, err, cmp.Or(f.Remedy, "grant the right to create tables"), script(b.dialect, b.table, version))
	case Refused:
		if !own(err) {
			return fmt.Errorf("dbstore: %s: migrate: %w: %w; is there a table %s of another program? Then name another",
				b.dialect.Name(), hosts.ErrUnavailable, err, b.table.Plain())
		}
	}
	return b.fail(ctx, "migrate", err)
}

// exclusively does it while no other process does so for the same table, and tries
// again while others hold the table.
func (b *backend) exclusively(ctx context.Context, do func(context.Context, *sql.Conn) error) error {
	c, err := b.db.Write.Conn(ctx)
	if err != nil {
		return err
	}
	for {
		err = b.dialect.Exclusive(ctx, c, b.table, func(ctx context.Context) error { return do(ctx, c) })
		if err == nil || ended(ctx) != nil || !slices.Contains([]Kind{Busy, Retry}, b.fault(err).Kind) {
			break
		}
		select { // meanwhile others may use the table
		case <-ctx.Done():
		case <-time.After(migratePause):
		}
	}
	return errors.Join(err, c.Close())
}

// upgrade runs while no other process migrates the table.
func (b *backend) upgrade(ctx context.Context, c *sql.Conn) error {
	if _, err := c.ExecContext(ctx, versionTable(b.table)); err != nil {
		return err
	}
	version, err := b.schemaVersion(ctx, c)
	if err != nil {
		return err
	}
	if newest := newest(b.dialect, b.table); version > newest {
		return b.newer(version, newest)
	}
	for _, step := range steps(b.dialect, b.table, version) {
		for _, s := range step.statements {
			if _, err := c.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		// A table that was there already may be that of another program.
		if _, err := c.ExecContext(ctx, "SELECT "+Columns+", expiry_hour, touch_version FROM "+b.table.String()+" WHERE id IS NULL"); err != nil {
			return err
		}
		if _, err := c.ExecContext(ctx, b.texts.applied, step.version); err != nil {
			return err
		}
	}
	return nil
}

func (b *backend) newer(version, newest int) error {
	return &hosts.ConfigError{
		Field: "schema of table " + b.table.Plain(), Value: fmt.Sprintf("version %d", version),
		Allowed: fmt.Sprintf("up to %d in this program: run the newer program that made it, or name another table", newest),
	}
}

// schemaVersion is 0 where nothing was created yet.
func (b *backend) schemaVersion(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (int, error) {
	var version sql.NullInt64
	err := db.QueryRowContext(ctx, b.texts.schema).Scan(&version)
	if err != nil && ended(ctx) == nil && b.dialect.Fault(err).Kind == Missing {
		return 0, nil
	}
	return int(version.Int64), err
}

// probe finds out whether the program may do what it will have to.
func (b *backend) probe(ctx context.Context) error {
	name := b.table.String()
	nobody := make([]byte, 16) // no session has this ID
	for _, text := range []string{
		"UPDATE " + name + " SET version = version WHERE id = ?",
		"DELETE FROM " + name + " WHERE id = ?",
		"INSERT INTO " + name + " SELECT * FROM " + name + " WHERE id = ?",
	} {
		if _, err := b.db.Write.ExecContext(ctx, b.texts.syntax.number(text), nobody); err != nil {
			return b.fail(ctx, "open", err)
		}
	}
	_, err := b.Load(ctx, core.ID{})
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	return err
}
