package sqlite

import (
	"context"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// SweepSome implements dbstore.Commands.
func (c *commands) SweepSome(ctx context.Context, before core.Time, look, limit int) (seen, deleted int, err error) {
	err = c.end(ctx, func(conn connection) error {
		found, err := overdue(conn, before, look)
		if err != nil {
			return err
		}
		seen, deleted = len(found), 0
		for _, r := range found {
			switch {
			case r.ExpiresAt >= before:
				_, err = conn.exec(move, dbstore.Bucket(r.ExpiresAt), r.ID[:])
			case deleted < limit:
				_, err = conn.exec(expire, r.ID[:], int64(before))
				deleted++
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return seen, deleted, nil
}

// overdue lists the ID and the expiry of records that a sweep has to look at.
func overdue(c connection, before core.Time, limit int) (found []core.Record, err error) {
	err = c.query(due, func(scan scan) error {
		var id []byte
		var r core.Record
		if err := scan(&id, (*int64)(&r.ExpiresAt)); err != nil {
			return err
		}
		copy(r.ID[:], id)
		found = append(found, r)
		return nil
	}, dbstore.Bucket(before), int64(before), int64(limit))
	return found, err
}
