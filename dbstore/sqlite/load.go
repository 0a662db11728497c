package sqlite

import (
	"context"

	"github.com/rockstar-web/sessions/core"
)

// Load implements dbstore.Loader.
func (c *commands) Load(ctx context.Context, id core.ID) (r core.Record, err error) {
	there := false
	err = c.lender.use(ctx, c.db.Read, c.texts, func(conn connection) (err error) {
		r, there, err = loadOne(conn, id)
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
	err := c.lender.use(ctx, c.db.Read, c.texts, func(conn connection) error {
		return transaction(ctx, conn, begin, func(conn connection) error {
			found = found[:0]
			for _, id := range ids {
				r, there, err := loadOne(conn, id)
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

func loadOne(c connection, id core.ID) (r core.Record, there bool, err error) {
	var number int64
	err = c.query(load, func(scan scan) error {
		there, r.ID = true, id
		return scan(&number, &r.Tenant, &r.User, (*int64)(&r.CreatedAt), (*int64)(&r.SeenAt), (*int64)(&r.ExpiresAt), &r.Sealed)
	}, id[:])
	r.Version = core.Version(number)
	return r, there, err
}
