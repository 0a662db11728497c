package postgres

import (
	"math/bits"
	"strconv"
	"time"

	"github.com/rockstar-web/sessions/dbstore"
)

// statements are the texts of commands.
type statements struct {
	age                          int
	loadOne, load, versions      string
	update, touch, insert, mixed string
	sweep, sweepAll, remove      string
}

// newStatements writes them with their age. A server keeps the plan of a prepared
// statement, also one to read the whole of a table, which was right when the
// table was new and is bad soon after; it plans a new text anew.
func newStatements(t dbstore.Table, fast bool, age int) *statements {
	const (
		columns = "id, version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data"
		rows    = "unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bigint[], $11::boolean[]) " +
			"AS n (" + columns + ", prev, touch)"
	)
	name, mark := t.String(), " /* "+strconv.Itoa(age)+" */"
	update := "UPDATE " + name + " AS s SET version = n.version, tenant_id = n.tenant_id, user_id = n.user_id, created_at = n.created_at, " +
		"seen_at = n.seen_at, expires_at = n.expires_at, expiry_hour = LEAST(s.expiry_hour, n.expiry_hour), data = n.data, touch_version = CASE WHEN n.touch THEN n.version ELSE s.touch_version END " +
		"FROM " + rows + " WHERE s.id = n.id AND s.version = n.prev"
	insert := "INSERT INTO " + name + " (" + columns + ") SELECT " + columns + " FROM " + rows + " WHERE prev = 0 ON CONFLICT DO NOTHING"
	s := &statements{
		age:      age,
		loadOne:  "SELECT " + dbstore.Columns + " FROM " + name + " WHERE id = $1" + mark,
		load:     "SELECT " + dbstore.Columns + " FROM " + name + " WHERE id = ANY($1)" + mark,
		versions: "SELECT id, version FROM " + name + " WHERE id = ANY($1)" + mark,
		update:   update + " RETURNING s.id" + mark,
		touch:    update + " RETURNING s.id" + mark,
		insert:   insert + " RETURNING id" + mark,
		mixed:    "WITH u AS (" + update + " RETURNING s.id), i AS (" + insert + " RETURNING id) SELECT id FROM u UNION ALL SELECT id FROM i" + mark,
		sweep:    sweepText(name, " SKIP LOCKED"),
		sweepAll: sweepText(name, ""),
		remove:   "DELETE FROM " + name + " WHERE id = ANY($1::bytea[])" + durably + mark,
	}
	if fast {
		s.touch = update + lazily + " RETURNING s.id" + mark
	}
	return s
}

// statements returns those of today's age: the power of two of the seconds that
// the store is open, so that between two plans the table at most doubles if it
// grows evenly. In its first years a connection prepares some 30 of each.
func (c *commands) statements() *statements {
	age := bits.Len64(uint64(time.Since(c.opened) / time.Second))
	s := c.texts.Load()
	if s == nil || s.age != age {
		s = newStatements(c.table, c.fast, age)
		c.texts.Store(s)
	}
	return s
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
