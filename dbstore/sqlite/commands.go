package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

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
		if err := c.dialect.bound(conn); err != nil {
			return err
		}
		return c.roomier(ctx, conn, do)
	})
}

// end is write for what ends sessions: it may use the room that is kept for that.
func (c *commands) end(ctx context.Context, do func(connection) error) error {
	return c.lender.use(ctx, c.db.Write, c.texts, func(conn connection) error {
		err := c.roomier(ctx, conn, do)
		if err == nil || !isFull(err) || ctx.Err() != nil || c.dialect.reserve == nil {
			return err
		}
		if released, failed := c.dialect.reserve.release(); !released {
			return errors.Join(err, failed)
		}
		if _, full := conn.exec(restart); full != nil && !isFull(full) {
			return errors.Join(err, full)
		}
		if failed := c.dialect.bound(conn); failed != nil {
			return errors.Join(err, failed)
		}
		return c.roomier(ctx, conn, do)
	})
}

// roomier tries again where the disk is full: what is in the log may move into
// room that the database has, and the log then begins anew in the room that it
// has.
func (c *commands) roomier(ctx context.Context, conn connection, do func(connection) error) error {
	err := transaction(ctx, conn, beginWrite, do)
	if err == nil || !isFull(err) || ctx.Err() != nil {
		return err
	}
	if _, full := conn.exec(restart); full != nil {
		return err
	}
	return transaction(ctx, conn, beginWrite, do)
}

// bound keeps the database from growing while the reserve is not whole.
func (d *dialect) bound(conn connection) error {
	n, own := conn.(*native)
	if !own || d.reserve == nil {
		return nil
	}
	whole := d.reserve.whole()
	if whole != n.bounded {
		return nil
	}
	pages := int64(maxPages)
	if !whole {
		info, err := os.Stat(d.path)
		if err != nil {
			return fail("look for", d.path, err)
		}
		size, err := text(n.Conn, "PRAGMA page_size")
		if err != nil {
			return err
		}
		of, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return err
		}
		pages = max(1, info.Size()/of)
	}
	// Not below what is in the log; what others add meanwhile the reserve holds.
	if err := n.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", pages)); err != nil {
		return err
	}
	n.bounded = !whole
	return nil
}

// maxPages is SQLite's own bound.
const maxPages = 4294967294

// Remove implements dbstore.Remover.
func (c *commands) Remove(ctx context.Context, id core.ID) error {
	return c.RemoveMany(ctx, []core.ID{id})
}

// RemoveMany implements dbstore.Commands. A success is on the disk: with Fast,
// SQLite does not sync; and where there is no session, whoever removed it may have
// been killed before the sync.
func (c *commands) RemoveMany(ctx context.Context, ids []core.ID) error {
	missing := false
	err := c.end(ctx, func(conn connection) error {
		missing = false
		for _, id := range ids {
			n, err := conn.exec(remove, id[:])
			if err != nil {
				return err
			}
			missing = missing || n == 0
		}
		return nil
	})
	if err == nil && (missing || c.dialect.fast) {
		err = c.dialect.sync()
	}
	return err
}
