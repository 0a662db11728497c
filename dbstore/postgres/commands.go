package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// commands implement dbstore.Commands, each by one statement.
type commands struct {
	db                           dbstore.DB
	loadOne, load, versions      string
	update, touch, insert, mixed string
	sweep, sweepAll              string
}

func newCommands(db dbstore.DB, t dbstore.Table, fast bool) *commands {
	const (
		columns = "id, version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data"
		rows    = "unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bigint[]) " +
			"AS n (" + columns + ", prev)"
	)
	name := t.String()
	update := "UPDATE " + name + " AS s SET version = n.version, tenant_id = n.tenant_id, user_id = n.user_id, created_at = n.created_at, " +
		"seen_at = n.seen_at, expires_at = n.expires_at, expiry_hour = LEAST(s.expiry_hour, n.expiry_hour), data = n.data " +
		"FROM " + rows + " WHERE s.id = n.id AND s.version = n.prev"
	insert := "INSERT INTO " + name + " (" + columns + ") SELECT " + columns + " FROM " + rows + " WHERE prev = 0 ON CONFLICT DO NOTHING"
	c := &commands{
		db:       db,
		loadOne:  "SELECT " + dbstore.Columns + " FROM " + name + " WHERE id = $1",
		load:     "SELECT " + dbstore.Columns + " FROM " + name + " WHERE id = ANY($1)",
		versions: "SELECT id, version FROM " + name + " WHERE id = ANY($1)",
		update:   update + " RETURNING s.id",
		touch:    update + " RETURNING s.id",
		insert:   insert + " RETURNING id",
		mixed:    "WITH u AS (" + update + " RETURNING s.id), i AS (" + insert + " RETURNING id) SELECT id FROM u UNION ALL SELECT id FROM i",
		sweep:    sweepText(name, " SKIP LOCKED"),
		sweepAll: sweepText(name, ""),
	}
	if fast {
		c.touch = update + lazily + " RETURNING s.id"
	}
	return c
}

// hour of an expiry, rounded down as dbstore.Bucket does.
const hour = "expires_at / 3600000 - (CASE WHEN expires_at % 3600000 < 0 THEN 1 ELSE 0 END)"

// sweepText tests the expiry again in the step that deletes: another program
// may have moved it while this one waited for the row. The order has the server
// go by the index, whatever it believes of the number of rows.
func sweepText(name, locking string) string {
	return "WITH due AS (SELECT id, expires_at < $2 AS expired FROM " + name + " WHERE expiry_hour <= $1 AND (expires_at < $2 OR expiry_hour < " + hour + ") " +
		"ORDER BY expiry_hour LIMIT $3 FOR UPDATE" + locking + "), " +
		"gone AS (DELETE FROM " + name + " AS s USING (SELECT id FROM due WHERE expired LIMIT $4) AS d WHERE s.id = d.id AND s.expires_at < $2 RETURNING 1), " +
		"moved AS (UPDATE " + name + " AS s SET expiry_hour = " + hour + " FROM due WHERE NOT due.expired AND s.id = due.id AND s.expires_at >= $2) " +
		"SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM gone)"
}

// Load implements dbstore.Loader.
func (c *commands) Load(ctx context.Context, id core.ID) (r core.Record, err error) {
	err = native(ctx, c.db.Read, func(p *pgx.Conn) error {
		rows, err := p.Query(ctx, c.loadOne, id[:])
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

// native lends a connection of the pool as the driver's own.
func native(ctx context.Context, db *sql.DB, do func(*pgx.Conn) error) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(conn any) error {
		own, ok := conn.(*stdlib.Conn)
		if !ok {
			return &hosts.ConfigError{Field: "db", Value: fmt.Sprintf("of driver %T", conn), Allowed: "one opened by github.com/jackc/pgx/v5/stdlib"}
		}
		return do(own.Conn())
	})
}

// scan reads dbstore.Columns in the driver's own way.
func scan(rows pgx.Rows) (r core.Record, err error) {
	var id pgtype.DriverBytes
	var version int64
	err = rows.Scan(&id, &version, &r.Tenant, &r.User, (*int64)(&r.CreatedAt), (*int64)(&r.SeenAt), (*int64)(&r.ExpiresAt), &r.Sealed)
	if err != nil {
		return core.Record{}, err
	}
	if len(id) != len(r.ID) {
		return core.Record{}, core.ErrCorrupt
	}
	r.ID, r.Version = core.ID(id), core.Version(version)
	return r, nil
}

// LoadMany implements dbstore.Commands.
func (c *commands) LoadMany(ctx context.Context, ids []core.ID) ([]core.Record, error) {
	found := make([]core.Record, 0, len(ids))
	err := native(ctx, c.db.Read, func(p *pgx.Conn) error {
		rows, err := p.Query(ctx, c.load, texts(ids))
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

// SaveMany implements dbstore.Commands: one statement, and a second one only
// for those that it has not written.
func (c *commands) SaveMany(ctx context.Context, saves []hosts.Saving) ([]error, error) {
	answers := make([]error, len(saves))
	err := native(ctx, c.db.Write, func(p *pgx.Conn) error {
		left := make(map[core.ID]int, len(saves))
		for i := range saves {
			left[saves[i].Record.ID] = i
		}
		rows, err := p.Query(ctx, c.statement(saves), columnsOf(saves)...)
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
	rows, err := p.Query(ctx, c.versions, texts(ids))
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
func (c *commands) statement(saves []hosts.Saving) string {
	inserts, touches := 0, 0
	for _, s := range saves {
		if s.Prev == core.NoVersion {
			inserts++
		}
		if s.Touch {
			touches++
		}
	}
	switch {
	case inserts == len(saves):
		return c.insert
	case inserts > 0:
		return c.mixed
	case touches == len(saves):
		return c.touch
	}
	return c.update
}

func columnsOf(saves []hosts.Saving) []any {
	n := len(saves)
	ids, data := make([][]byte, n), make([][]byte, n)
	tenants, users := make([]string, n), make([]string, n)
	versions, created, seen, expires, hours, prevs := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range saves {
		r := &saves[i].Record
		ids[i], data[i], tenants[i], users[i] = r.ID[:], r.Sealed, r.Tenant, r.User
		versions[i], prevs[i] = int64(r.Version), int64(saves[i].Prev)
		created[i], seen[i], expires[i], hours[i] = int64(r.CreatedAt), int64(r.SeenAt), int64(r.ExpiresAt), dbstore.Bucket(r.ExpiresAt)
		if r.Sealed == nil {
			data[i] = []byte{}
		}
	}
	return []any{ids, versions, tenants, users, created, seen, expires, hours, data, prevs}
}

// SweepSome implements dbstore.Commands. It passes over rows that others hold,
// and waits for them when no other is left.
func (c *commands) SweepSome(ctx context.Context, before core.Time, look, limit int) (seen, deleted int, err error) {
	for _, text := range []string{c.sweep, c.sweepAll} {
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

// Close implements dbstore.Commands.
func (c *commands) Close() error { return nil }
