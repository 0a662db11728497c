package postgres

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// commands implement dbstore.Commands, each by one statement.
type commands struct {
	db     dbstore.DB
	table  dbstore.Table
	fast   bool
	opened time.Time
	texts  atomic.Pointer[statements]
}

// SweepSome implements dbstore.Commands. It passes over rows that others hold,
// and waits for them when no other is left.
func (c *commands) SweepSome(ctx context.Context, before core.Time, look, limit int) (seen, deleted int, err error) {
	t := c.statements()
	for _, text := range []string{t.sweep, t.sweepAll} {
		var s, d int
		row := c.db.Write.QueryRowContext(ctx, text, dbstore.Bucket(before), int64(before), look-seen, limit-deleted)
		if err := row.Scan(&s, &d); err != nil {
			return seen, deleted, err
		}
		if seen, deleted = seen+s, deleted+d; seen == look || deleted == limit {
			break
		}
	}
	return seen, deleted, nil
}

// RemoveMany implements dbstore.Commands. The server looks for the IDs in their
// order, so that two of them do not wait for each other.
func (c *commands) RemoveMany(ctx context.Context, ids []core.ID) error {
	return native(ctx, c.db.Write, func(p *pgx.Conn) error {
		_, err := p.Exec(ctx, c.statements().remove, texts(ids))
		return err
	})
}

// Close implements dbstore.Commands.
func (c *commands) Close() error { return nil }
