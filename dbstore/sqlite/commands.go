package sqlite

import (
	"context"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// commands work on many records in one transaction.
type commands struct {
	dialect *dialect
	lender  lender
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
func (c *commands) write(ctx context.Context, do func(connection) error) error {
	return c.lender.use(ctx, c.db.Write, c.texts, func(conn connection) error {
		err := transaction(ctx, conn, beginWrite, do)
		if err == nil || !isFull(err) || ctx.Err() != nil {
			return err
		}
		// What is in the log may move into room that the database has, and the
		// log then begins anew in the room that it has.
		if _, full := conn.exec(restart); full != nil {
			return err
		}
		return transaction(ctx, conn, beginWrite, do)
	})
}

// Remove implements dbstore.Remover. A success is on the disk: with Fast, SQLite
// does not sync; and where there is no session, whoever removed it may have been
// killed before the sync.
func (c *commands) Remove(ctx context.Context, id core.ID) error {
	var removed int64
	err := c.write(ctx, func(conn connection) (err error) {
		removed, err = conn.exec(remove, id[:])
		return err
	})
	if err == nil && (removed == 0 || c.dialect.fast) {
		err = c.dialect.sync()
	}
	return err
}
