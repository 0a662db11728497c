package postgres

import (
	"context"
	"database/sql"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// commands implement dbstore.Commands, each by one statement.
type commands struct {
	db                           dbstore.DB
	load, versions               string
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
		load:     "SELECT " + dbstore.Columns + " FROM " + name + " WHERE id = ANY($1)",
		versions: "SELECT id, version FROM " + name + " WHERE id = ANY($1)",
		update:   update + " RETURNING s.id",
		touch:    update + " RETURNING s.id",
		insert:   insert + " RETURNING id",
		mixed:    "WITH u AS (" + update + " RETURNING s.id), i AS (" + insert + " RETURNING id) SELECT id FROM u UNION ALL SELECT id FROM i",
		sweep:    sweepText(name, " FOR UPDATE SKIP LOCKED"),
		sweepAll: sweepText(name, " FOR UPDATE"),
	}
	if fast {
		c.touch = update + lazily + " RETURNING s.id"
	}
	return c
}

// hour of an expiry, rounded down as dbstore.Bucket does.
const hour = "expires_at / 3600000 - (CASE WHEN expires_at % 3600000 < 0 THEN 1 ELSE 0 END)"

// sweepText tests the expiry again in the step that deletes: another program
// may have moved it while this one waited for the row.
func sweepText(name, locking string) string {
	return "WITH due AS (SELECT id FROM " + name + " WHERE expiry_hour <= $1 AND (expires_at < $2 OR expiry_hour < " + hour + ") LIMIT $3" + locking + "), " +
		"gone AS (DELETE FROM " + name + " AS s USING due WHERE s.id = due.id AND s.expires_at < $2 RETURNING 1), " +
		"moved AS (UPDATE " + name + " AS s SET expiry_hour = " + hour + " FROM due WHERE s.id = due.id AND s.expires_at >= $2) " +
		"SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM gone)"
}

// LoadMany implements dbstore.Commands.
func (c *commands) LoadMany(ctx context.Context, ids []core.ID) ([]core.Record, error) {
	rows, err := c.db.Read.QueryContext(ctx, c.load, texts(ids))
	if err != nil {
		return nil, err
	}
	return dbstore.ScanAll(rows)
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
	columns := columnsOf(saves)
	rows, err := c.db.Write.QueryContext(ctx, c.statement(saves), columns...)
	if err != nil {
		return nil, err
	}
	written := make(map[core.ID]bool, len(saves))
	if err := eachID(rows, func(id core.ID) { written[id] = true }); err != nil {
		return nil, err
	}
	answers := make([]error, len(saves))
	if len(written) == len(saves) {
		return answers, nil
	}
	var rest []core.ID
	for _, s := range saves {
		if !written[s.Record.ID] {
			rest = append(rest, s.Record.ID)
		}
	}
	stored, err := c.storedVersions(ctx, rest)
	for i, s := range saves {
		switch {
		case written[s.Record.ID]:
		case err != nil:
			answers[i] = err
		case stored[s.Record.ID] != s.Record.Version:
			answers[i] = core.ErrConflict
		}
	}
	return answers, nil
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

func eachID(rows *sql.Rows, do func(core.ID)) error {
	defer rows.Close()
	var b sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&b); err != nil {
			return err
		}
		do(core.ID(b))
	}
	return rows.Err()
}

func (c *commands) storedVersions(ctx context.Context, ids []core.ID) (map[core.ID]core.Version, error) {
	rows, err := c.db.Read.QueryContext(ctx, c.versions, texts(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	stored := make(map[core.ID]core.Version, len(ids))
	var b sql.RawBytes
	var v int64
	for rows.Next() {
		if err := rows.Scan(&b, &v); err != nil {
			return nil, err
		}
		stored[core.ID(b)] = core.Version(v)
	}
	return stored, rows.Err()
}

// SweepSome implements dbstore.Commands. It passes over rows that others hold,
// and waits for them when no other is left.
func (c *commands) SweepSome(ctx context.Context, before core.Time, limit int) (seen, deleted int, err error) {
	for _, text := range []string{c.sweep, c.sweepAll} {
		var s, d int
		row := c.db.Write.QueryRowContext(ctx, text, dbstore.Bucket(before), int64(before), limit-seen)
		if err := row.Scan(&s, &d); err != nil {
			return seen, deleted, err
		}
		if seen, deleted = seen+s, deleted+d; seen == limit {
			break
		}
	}
	return seen, deleted, nil
}

// Close implements dbstore.Commands.
func (c *commands) Close() error { return nil }
