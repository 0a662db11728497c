package mysql

import (
	"context"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// commands implement dbstore.Commands.
type commands struct {
	db   dbstore.DB
	name string // of the table, quoted
	room int    // for the records of a statement, in bytes
}

// LoadMany implements dbstore.Commands.
func (c *commands) LoadMany(ctx context.Context, ids []core.ID) ([]core.Record, error) {
	rows, err := c.db.Read.QueryContext(ctx, "SELECT "+dbstore.Columns+" FROM "+c.name+" WHERE id IN "+list(len(ids)), values(ids)...)
	if err != nil {
		return nil, err
	}
	return dbstore.ScanAll(rows)
}

// list is (?,?,?).
func list(n int) string { return "(?" + strings.Repeat(",?", n-1) + ")" }

func values(ids []core.ID) []any {
	v := make([]any, len(ids))
	for i := range ids {
		v[i] = ids[i][:]
	}
	return v
}

// Close implements dbstore.Commands.
func (c *commands) Close() error { return nil }
