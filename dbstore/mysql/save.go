package mysql

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// What a statement may take beside the bytes of the records, for each of them
// and as a whole.
const (
	recordOverhead    = 512
	statementOverhead = 2048
)

// size bounds what a record takes in a statement, where a byte may be written
// as two.
func size(r *core.Record) int {
	return recordOverhead + 2*(len(r.Tenant)+len(r.User)+len(r.Sealed))
}

// SaveMany implements dbstore.Commands: one transaction with one statement for
// what is replaced and one for what is new, or more where max_allowed_packet wants that.
func (c *commands) SaveMany(ctx context.Context, saves []hosts.Saving) ([]error, error) {
	answers := make([]error, len(saves))
	place := make(map[core.ID]int, len(saves))
	var updates, inserts []hosts.Saving
	for i, s := range saves {
		place[s.Record.ID] = i
		switch {
		case size(&s.Record) > c.room:
			answers[i] = dbstore.ErrAlone // its bytes are sent as they are, then
		case s.Prev == core.NoVersion:
			inserts = append(inserts, s)
		default:
			updates = append(updates, s)
		}
	}
	if len(updates)+len(inserts) == 0 {
		return answers, nil
	}
	tx, err := c.db.Write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	var doubtful []core.ID
	for _, step := range []struct {
		saves []hosts.Saving
		do    func(context.Context, *sql.Tx, []hosts.Saving) (int64, error)
	}{{updates, c.update}, {inserts, c.insert}} {
		for part := range c.parts(step.saves) {
			n, err := step.do(ctx, tx, part)
			if err != nil {
				return nil, errors.Join(err, undone(tx.Rollback()))
			}
			if n != int64(len(part)) {
				for _, s := range part {
					doubtful = append(doubtful, s.Record.ID)
				}
			}
		}
	}
	if len(doubtful) > 0 {
		stored, err := c.versions(ctx, tx, doubtful)
		if err != nil {
			return nil, errors.Join(err, undone(tx.Rollback()))
		}
		for _, id := range doubtful {
			answers[place[id]] = dbstore.Settle(saves[place[id]], stored[id])
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, unsettled{err}
	}
	return answers, nil
}

// undone passes over what a broken connection says of its end: the server has
// undone the transaction.
func undone(err error) error {
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, driver.ErrInvalidConn) {
		return nil
	}
	return err
}

// parts yields saves in runs that fit into a statement.
func (c *commands) parts(saves []hosts.Saving) func(func([]hosts.Saving) bool) {
	return func(yield func([]hosts.Saving) bool) {
		from, bytes := 0, 0
		for i := range saves {
			n := size(&saves[i].Record)
			if i > from && bytes+n > c.room {
				if !yield(saves[from:i]) {
					return
				}
				from, bytes = i, 0
			}
			bytes += n
		}
		if from < len(saves) {
			yield(saves[from:])
		}
	}
}

// update replaces rows, brings back none that is gone, and returns how many
// matched: with clientFoundRows or without, since a version is never the one
// before. Nearly all sessions expire no earlier than before, and keep their
// hour; the others are a second statement.
func (c *commands) update(ctx context.Context, tx *sql.Tx, saves []hosts.Saving) (int64, error) {
	n, err := c.updateSome(ctx, tx, saves, "n.expiry_hour >= s.expiry_hour", "")
	if err != nil || n == int64(len(saves)) {
		return n, err
	}
	more, err := c.updateSome(ctx, tx, saves, "n.expiry_hour < s.expiry_hour", ", s.expiry_hour = n.expiry_hour")
	return n + more, err
}

// updateSome sets no column to what it was before, and has the table first in
// the join: so the server writes a row as it finds it, and keeps no copies in a
// temporary file.
func (c *commands) updateSome(ctx context.Context, tx *sql.Tx, saves []hosts.Saving, those, set string) (int64, error) {
	var b strings.Builder
	args := make([]any, 0, 12*len(saves))
	b.WriteString("UPDATE " + c.name + " AS s STRAIGHT_JOIN (SELECT ? AS id, ? AS version, ? AS tenant_id, ? AS user_id, ? AS created_at, ? AS seen_at, " +
		"? AS expires_at, ? AS expiry_hour, ? AS data, ? AS prev, ? AS touch")
	for i, s := range saves {
		switch {
		case i == 1:
			b.WriteString(c.rows.second)
		case i > 1:
			b.WriteString(c.rows.further)
		}
		args = append(appendRecord(args, &s.Record), int64(s.Prev), s.Touch)
	}
	b.WriteString(") AS n ON n.id = s.id AND n.prev = s.version AND " + those + " SET s.version = n.version, s.tenant_id = n.tenant_id, " +
		"s.user_id = n.user_id, s.created_at = n.created_at, s.seen_at = n.seen_at, s.expires_at = n.expires_at, s.data = n.data, " +
		"s.touch_version = IF(n.touch, n.version, s.touch_version)" + set +
		" WHERE s.id IN " + list(len(saves)))
	for i := range saves {
		args = append(args, saves[i].Record.ID[:])
	}
	res, err := tx.ExecContext(ctx, b.String(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// rows is how a database writes the rows of a table that follow the first one,
// and how that is found out.
type rows struct{ trial, second, further string }

// rowForms are those of MariaDB, of MySQL from 8.0.19 on, and of all, at a cost.
var rowForms = []rows{
	{"SELECT 1 UNION ALL VALUES (2)", " UNION ALL VALUES " + row, "," + row},
	{"SELECT 1 UNION ALL VALUES ROW(2)", " UNION ALL VALUES ROW" + row, ",ROW" + row},
	{"SELECT 1 UNION ALL SELECT 2", " UNION ALL SELECT ?,?,?,?,?,?,?,?,?,?,?", " UNION ALL SELECT ?,?,?,?,?,?,?,?,?,?,?"},
}

const row = "(?,?,?,?,?,?,?,?,?,?,?)"

// rowsOf returns the first that a server understands.
func rowsOf(ctx context.Context, db *sql.DB) (r rows, err error) {
	for _, r = range rowForms {
		if _, err = db.ExecContext(ctx, r.trial); err == nil {
			break
		}
	}
	return r, err
}

func appendRecord(args []any, r *core.Record) []any {
	sealed := r.Sealed
	if sealed == nil {
		sealed = []byte{}
	}
	return append(args, r.ID[:], int64(r.Version), []byte(r.Tenant), []byte(r.User), int64(r.CreatedAt), int64(r.SeenAt),
		int64(r.ExpiresAt), dbstore.Bucket(r.ExpiresAt), sealed)
}

// insert inserts all, or as many as are not there.
func (c *commands) insert(ctx context.Context, tx *sql.Tx, saves []hosts.Saving) (int64, error) {
	n, err := c.insertAll(ctx, tx, saves)
	if !isTaken(err) || len(saves) == 1 {
		return n, ignoreTaken(err)
	}
	n = 0
	for i := range saves {
		one, err := c.insertAll(ctx, tx, saves[i:i+1])
		if err := ignoreTaken(err); err != nil {
			return 0, err
		}
		n += one
	}
	return n, nil
}

func (c *commands) insertAll(ctx context.Context, tx *sql.Tx, saves []hosts.Saving) (int64, error) {
	args := make([]any, 0, 9*len(saves))
	for i := range saves {
		args = appendRecord(args, &saves[i].Record)
	}
	res, err := tx.ExecContext(ctx, "INSERT INTO "+c.name+
		" (id, version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data) VALUES "+
		list(9)+strings.Repeat(","+list(9), len(saves)-1), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (c *commands) versions(ctx context.Context, tx *sql.Tx, ids []core.ID) (map[core.ID]core.Version, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, version FROM "+c.name+" WHERE id IN "+list(len(ids)), values(ids)...)
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
