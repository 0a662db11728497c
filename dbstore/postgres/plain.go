package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// plain are the commands over a driver other than pgx, by database/sql and text
// alone. Saves go through connections of their own: database/sql sends a statement
// again where such a driver reports a connection as bad after it was sent
// (lib/pq does), unless it was given to one connection.
type plain struct{ *commands }

// Load implements dbstore.Loader.
func (c plain) Load(ctx context.Context, id core.ID) (core.Record, error) {
	return dbstore.Scan(c.db.Read.QueryRowContext(ctx, c.statements().loadOne, id[:]))
}

// LoadMany implements dbstore.Commands.
func (c plain) LoadMany(ctx context.Context, ids []core.ID) ([]core.Record, error) {
	rows, err := c.db.Read.QueryContext(ctx, c.statements().load, array(len(ids), func(i int) string { return bytea(ids[i][:]) }))
	if err != nil {
		return nil, err
	}
	return dbstore.ScanAll(rows)
}

// Save implements dbstore.Saver.
func (c plain) Save(ctx context.Context, s hosts.Saving) error {
	answers, err := c.SaveMany(ctx, []hosts.Saving{s})
	if err != nil {
		return err
	}
	return answers[0]
}

// SaveMany implements dbstore.Commands.
func (c plain) SaveMany(ctx context.Context, saves []hosts.Saving) ([]error, error) {
	conn, err := c.db.Write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := make([]error, len(saves))
	left := make(map[core.ID]int, len(saves))
	for i := range saves {
		left[saves[i].Record.ID] = i
	}
	if err := eachRow(ctx, conn, c.statements().save(saves), columnsAsText(saves), func(id core.ID, _ core.Version) { delete(left, id) }); err != nil {
		return nil, sent{err}
	}
	if len(left) == 0 {
		return answers, nil
	}
	ids := make([]core.ID, 0, len(left))
	for id := range left {
		ids = append(ids, id)
	}
	stored := make(map[core.ID]core.Version, len(left))
	err = eachRow(ctx, conn, c.statements().versions, []any{array(len(ids), func(i int) string { return bytea(ids[i][:]) })},
		func(id core.ID, v core.Version) { stored[id] = v })
	for id, i := range left {
		if answers[i] = err; err == nil {
			answers[i] = dbstore.Settle(saves[i], stored[id])
		}
	}
	return answers, nil
}

// RemoveMany implements dbstore.Commands.
func (c plain) RemoveMany(ctx context.Context, ids []core.ID) error {
	_, err := c.db.Write.ExecContext(ctx, c.statements().remove, array(len(ids), func(i int) string { return bytea(ids[i][:]) }))
	return err
}

// sent is an error after which a statement may have been applied, whatever the
// driver says of its connection.
type sent struct{ error }

// Is implements errors.Is.
func (s sent) Is(err error) bool { return err != driver.ErrBadConn && errors.Is(s.error, err) }

// As implements errors.As.
func (s sent) As(to any) bool { return errors.As(s.error, to) }

// eachRow reads rows of an ID, and of a version where there is one.
func eachRow(ctx context.Context, conn *sql.Conn, text string, args []any, row func(core.ID, core.Version)) error {
	rows, err := conn.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	var id []byte
	var version int64
	to := []any{&id, &version}[:len(columns)]
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if len(id) != len(core.ID{}) {
			return core.ErrCorrupt
		}
		row(core.ID(id), core.Version(version))
	}
	return rows.Err()
}

// columnsAsText are the arguments of the statements that save, each an array in
// the server's own notation.
func columnsAsText(saves []hosts.Saving) []any {
	of := func(one func(*hosts.Saving) string) any {
		return array(len(saves), func(i int) string { return one(&saves[i]) })
	}
	number := func(one func(*hosts.Saving) int64) any {
		return of(func(s *hosts.Saving) string { return strconv.FormatInt(one(s), 10) })
	}
	return []any{
		of(func(s *hosts.Saving) string { return bytea(s.Record.ID[:]) }),
		number(func(s *hosts.Saving) int64 { return int64(s.Record.Version) }),
		of(func(s *hosts.Saving) string { return quoted(s.Record.Tenant) }),
		of(func(s *hosts.Saving) string { return quoted(s.Record.User) }),
		number(func(s *hosts.Saving) int64 { return int64(s.Record.CreatedAt) }),
		number(func(s *hosts.Saving) int64 { return int64(s.Record.SeenAt) }),
		number(func(s *hosts.Saving) int64 { return int64(s.Record.ExpiresAt) }),
		number(func(s *hosts.Saving) int64 { return dbstore.Bucket(s.Record.ExpiresAt) }),
		of(func(s *hosts.Saving) string { return bytea(s.Record.Sealed) }),
		number(func(s *hosts.Saving) int64 { return int64(s.Prev) }),
		of(func(s *hosts.Saving) string { return strconv.FormatBool(s.Touch) }),
	}
}

func array(n int, element func(int) string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(element(i))
	}
	b.WriteByte('}')
	return b.String()
}

const digits = "0123456789abcdef"

func bytea(v []byte) string {
	b := make([]byte, 0, 2*len(v)+5)
	b = append(b, `"\\x`...)
	for _, c := range v {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return string(append(b, '"'))
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quoted(v string) string { return `"` + escape.Replace(v) + `"` }
