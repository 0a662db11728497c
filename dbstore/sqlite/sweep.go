package sqlite

import (
	"context"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// SweepSome implements dbstore.Commands.
func (c *commands) SweepSome(ctx context.Context, before core.Time, look, limit int) (seen, deleted int, err error) {
	err = c.write(ctx, func(conn *connection) error {
		found, err := conn.due(before, look)
		if err != nil {
			return err
		}
		seen, deleted = len(found), 0
		for _, r := range found {
			switch {
			case r.ExpiresAt >= before:
				_, err = conn.run(conn.prepare(move).integer(dbstore.Bucket(r.ExpiresAt)).blob(r.ID[:]))
			case deleted < limit:
				_, err = conn.run(conn.prepare(expire).blob(r.ID[:]).integer(int64(before)))
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

// due lists the ID and the expiry of records that a sweep has to look at.
func (c *connection) due(before core.Time, limit int) ([]core.Record, error) {
	s := c.prepare(due).integer(dbstore.Bucket(before)).integer(int64(before)).integer(int64(limit))
	if s.err != nil {
		return nil, s.err
	}
	var found []core.Record
	for s.Step() {
		r := core.Record{ExpiresAt: core.Time(s.ColumnInt64(1))}
		copy(r.ID[:], s.ColumnRawBlob(0))
		found = append(found, r)
	}
	return found, s.done()
}
