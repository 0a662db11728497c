package sqlite

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// commands work on many records in one transaction.
type commands struct {
	dialect *dialect
	db      dbstore.DB
	texts   *texts
}

var (
	_ dbstore.Loader  = (*commands)(nil)
	_ dbstore.Saver   = (*commands)(nil)
	_ dbstore.Remover = (*commands)(nil)
)

// Close implements dbstore.Commands. The statements close with their connections.
func (c *commands) Close() error { return nil }

// write does it in a transaction of its own.
func (c *commands) write(ctx context.Context, do func(*connection) error) error {
	return c.dialect.all.use(ctx, c.db.Write, c.texts, func(conn *connection) error {
		err := conn.transaction(ctx, beginWrite, do)
		if err == nil || !isFull(err) || ctx.Err() != nil {
			return err
		}
		// What is in the log may move into room that the database has, and the
		// log then begins anew in the room that it has.
		if _, full := conn.run(conn.prepare(restart)); full != nil {
			return err
		}
		return conn.transaction(ctx, beginWrite, do)
	})
}

// transaction is applied whole or not at all: an error says that it is not, but
// for one of the disk at the end.
func (c *connection) transaction(ctx context.Context, kind statement, do func(*connection) error) error {
	_, err := c.run(c.prepare(kind))
	if err == nil {
		err = do(c)
	}
	if err == nil {
		err = ctx.Err()
	}
	// From here on the context interrupts nothing: SQLite may call a statement
	// interrupted that it has done, the begin too.
	c.SetInterrupt(context.Background())
	defer c.SetInterrupt(ctx)
	if err == nil {
		_, err = c.run(c.prepare(commit))
	}
	if err == nil || c.GetAutocommit() { // not begun, or undone by SQLite
		return err
	}
	_, undone := c.run(c.prepare(rollback))
	return errors.Join(err, undone)
}

// Remove implements dbstore.Remover. A success is on the disk: with Fast, SQLite
// does not sync; and where there is no session, whoever removed it may have been
// killed before the sync.
func (c *commands) Remove(ctx context.Context, id core.ID) error {
	var removed int64
	err := c.write(ctx, func(conn *connection) (err error) {
		removed, err = conn.run(conn.prepare(remove).blob(id[:]))
		return err
	})
	if err == nil && (removed == 0 || c.dialect.fast) {
		err = c.dialect.file.sync()
	}
	return err
}
