package sqlite

import (
	"context"

	"github.com/rockstar-web/sessions/core"
)

// Load implements dbstore.Loader.
func (c *commands) Load(ctx context.Context, id core.ID) (r core.Record, err error) {
	there := false
	err = c.dialect.all.use(ctx, c.db.Read, c.texts, func(conn *connection) (err error) {
		r, there, err = conn.load(id)
		return err
	})
	if err == nil && !there {
		err = core.ErrNotFound
	}
	return r, err
}

// LoadMany implements dbstore.Commands.
func (c *commands) LoadMany(ctx context.Context, ids []core.ID) ([]core.Record, error) {
	found := make([]core.Record, 0, len(ids))
	err := c.dialect.all.use(ctx, c.db.Read, c.texts, func(conn *connection) error {
		return conn.transaction(ctx, begin, func(conn *connection) error {
			found = found[:0]
			for _, id := range ids {
				r, there, err := conn.load(id)
				if err != nil {
					return err
				}
				if there {
					found = append(found, r)
				}
			}
			return nil
		})
	})
	return found, err
}

func (c *connection) load(id core.ID) (r core.Record, there bool, err error) {
	s := c.prepare(load).blob(id[:])
	if s.err != nil {
		return r, false, s.err
	}
	if s.Step() {
		there = true
		r = core.Record{
			ID: id, Version: core.Version(s.ColumnInt64(0)), Tenant: s.ColumnText(1), User: s.ColumnText(2),
			CreatedAt: core.Time(s.ColumnInt64(3)), SeenAt: core.Time(s.ColumnInt64(4)), ExpiresAt: core.Time(s.ColumnInt64(5)),
			Sealed: s.ColumnBlob(6, nil),
		}
	}
	return r, there, s.done()
}
