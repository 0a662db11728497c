package postgres

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/rockstar-web/sessions/core"
)

// Load implements dbstore.Loader.
func (c *commands) Load(ctx context.Context, id core.ID) (r core.Record, err error) {
	err = native(ctx, c.db.Read, func(p *pgx.Conn) error {
		rows, err := p.Query(ctx, c.statements().loadOne, id[:])
		if err != nil {
			return err
		}
		defer rows.Close()
		if !rows.Next() {
			return cmp.Or(rows.Err(), error(core.ErrNotFound))
		}
		if r, err = scan(rows); err != nil {
			return err
		}
		rows.Close()
		return rows.Err()
	})
	return r, err
}

// LoadMany implements dbstore.Commands.
func (c *commands) LoadMany(ctx context.Context, ids []core.ID) ([]core.Record, error) {
	found := make([]core.Record, 0, len(ids))
	err := native(ctx, c.db.Read, func(p *pgx.Conn) error {
		rows, err := p.Query(ctx, c.statements().load, texts(ids))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scan(rows)
			if err != nil {
				return err
			}
			found = append(found, r)
		}
		return rows.Err()
	})
	return found, err
}

// texts are the IDs as the driver takes them.
func texts(ids []core.ID) [][]byte {
	b := make([][]byte, len(ids))
	for i := range ids {
		b[i] = ids[i][:]
	}
	return b
}
