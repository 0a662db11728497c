package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// SaveMany implements dbstore.Commands: one statement, and a second one only
// for those that it has not written.
func (c *commands) SaveMany(ctx context.Context, saves []hosts.Saving) ([]error, error) {
	answers := make([]error, len(saves))
	err := native(ctx, c.db.Write, func(p *pgx.Conn) error {
		left := make(map[core.ID]int, len(saves))
		for i := range saves {
			left[saves[i].Record.ID] = i
		}
		rows, err := p.Query(ctx, c.statements().save(saves), columnsOf(saves)...)
		if err != nil {
			return err
		}
		var id pgtype.DriverBytes
		if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { delete(left, core.ID(id)); return nil }); err != nil {
			return err
		}
		if len(left) > 0 {
			c.settle(ctx, p, saves, left, answers)
		}
		return nil
	})
	return answers, err
}

// settle answers the saves that were not written. What was written is written,
// whatever comes of this.
func (c *commands) settle(ctx context.Context, p *pgx.Conn, saves []hosts.Saving, left map[core.ID]int, answers []error) {
	ids := make([]core.ID, 0, len(left))
	for id := range left {
		ids = append(ids, id)
	}
	stored := make(map[core.ID]core.Version, len(left))
	var id pgtype.DriverBytes
	var version int64
	rows, err := p.Query(ctx, c.statements().versions, texts(ids))
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&id, &version}, func() error {
			stored[core.ID(id)] = core.Version(version)
			return nil
		})
	}
	for id, i := range left {
		if answers[i] = err; err == nil {
			answers[i] = dbstore.Settle(saves[i], stored[id])
		}
	}
}

// statement for what there is to save.
func (s *statements) save(saves []hosts.Saving) string {
	inserts, touches := 0, 0
	for i := range saves {
		if saves[i].Prev == core.NoVersion {
			inserts++
		}
		if saves[i].Touch {
			touches++
		}
	}
	switch {
	case inserts == len(saves):
		return s.insert
	case inserts > 0:
		return s.mixed
	case touches == len(saves):
		return s.touch
	}
	return s.update
}

// columnsOf are the arguments of the statements that save.
func columnsOf(saves []hosts.Saving) []any {
	n := len(saves)
	ids, data := make(pgtype.FlatArray[[]byte], n), make(pgtype.FlatArray[[]byte], n)
	tenants, users := make([]string, n), make([]string, n)
	versions, created, seen, expires, hours, prevs := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	touches := make([]bool, n)
	for i := range saves {
		r := &saves[i].Record
		ids[i], data[i], tenants[i], users[i] = r.ID[:], r.Sealed, r.Tenant, r.User
		versions[i], prevs[i], touches[i] = int64(r.Version), int64(saves[i].Prev), saves[i].Touch
		created[i], seen[i], expires[i], hours[i] = int64(r.CreatedAt), int64(r.SeenAt), int64(r.ExpiresAt), dbstore.Bucket(r.ExpiresAt)
		if r.Sealed == nil {
			data[i] = []byte{}
		}
	}
	return []any{ids, versions, tenants, users, created, seen, expires, hours, data, prevs, touches}
}
