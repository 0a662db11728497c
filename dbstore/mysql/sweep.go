package mysql

import (
	"context"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// hour of an expiry, rounded down as dbstore.Bucket does.
const hour = "(expires_at DIV 3600000 - (expires_at % 3600000 < 0))"

// RemoveMany implements dbstore.Commands.
func (c *commands) RemoveMany(ctx context.Context, ids []core.ID) error {
	_, err := c.db.Write.ExecContext(ctx, "DELETE FROM "+c.name+" WHERE id IN "+list(len(ids)), values(ids)...)
	return err
}

// SweepSome implements dbstore.Commands. It finds without locks and tests again
// where it writes.
func (c *commands) SweepSome(ctx context.Context, before core.Time, look, limit int) (seen, deleted int, err error) {
	gone, stale, err := c.due(ctx, before, look)
	if err != nil {
		return 0, 0, err
	}
	seen = len(gone) + len(stale)
	if gone = gone[:min(len(gone), limit)]; len(gone) > 0 {
		res, err := c.db.Write.ExecContext(ctx, "DELETE FROM "+c.name+" WHERE id IN "+list(len(gone))+" AND expires_at < ?", append(values(gone), int64(before))...)
		if err != nil {
			return 0, 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, 0, err
		}
		deleted = int(n)
	}
	if len(stale) > 0 {
		_, err = c.db.Write.ExecContext(ctx, "UPDATE "+c.name+" SET expiry_hour = "+hour+" WHERE id IN "+list(len(stale)), values(stale)...)
	}
	return seen, deleted, err
}

// due finds what has expired, and the live rows whose hour is out of date.
func (c *commands) due(ctx context.Context, before core.Time, limit int) (gone, stale []core.ID, err error) {
	rows, err := c.db.Write.QueryContext(ctx, "SELECT id, expires_at < ? FROM "+c.name+
		" WHERE expiry_hour <= ? AND (expires_at < ? OR expiry_hour < "+hour+") ORDER BY expiry_hour LIMIT ?",
		int64(before), dbstore.Bucket(before), int64(before), limit)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		var expired bool
		if err := rows.Scan(&b, &expired); err != nil {
			return nil, nil, err
		}
		if expired {
			gone = append(gone, core.ID(b))
		} else {
			stale = append(stale, core.ID(b))
		}
	}
	return gone, stale, rows.Err()
}
