package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/ncruces/go-sqlite3"
)

// connector lends connections of the library to database/sql. The library's own
// package for that registers itself as "sqlite3" wherever it is imported, and a
// program that has another driver of that name panics before main.
type connector struct {
	name        string // a URI
	setUp, last func(*sqlite3.Conn) error
}

var _ driver.Connector = connector{}

// Connect implements driver.Connector.
func (k connector) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.open(ctx)
	if err != nil {
		return nil, err
	}
	return lent{c}, nil
}

func (k connector) open(ctx context.Context) (*sqlite3.Conn, error) {
	c, err := sqlite3.OpenContext(ctx, k.name)
	if err != nil {
		return nil, err
	}
	defer c.SetInterrupt(c.SetInterrupt(ctx))
	err = k.setUp(c)
	if err == nil {
		err = c.Trace(sqlite3.TRACE_CLOSE, func(sqlite3.TraceEvent, any, any) error { return k.last(c) })
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Driver implements driver.Connector.
func (k connector) Driver() driver.Driver { return k }

// Open implements driver.Driver, for none: a connection needs its set-up.
func (connector) Open(string) (driver.Conn, error) { return nil, errors.ErrUnsupported }

// lent is a connection of a pool.
type lent struct{ *sqlite3.Conn }

var _ driver.ConnPrepareContext = lent{}

// Begin implements driver.Conn, for none: transactions here begin by a statement.
func (lent) Begin() (driver.Tx, error) { return nil, errors.ErrUnsupported }

// Prepare implements driver.Conn.
func (c lent) Prepare(text string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), text)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c lent) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	defer c.SetInterrupt(c.SetInterrupt(ctx))
	s, _, err := c.Conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	return readied{s}, nil
}

// readied is a prepared statement. Its arguments are what this package and
// dbstore give: whole numbers, text and bytes.
type readied struct{ *sqlite3.Stmt }

var (
	_ driver.StmtExecContext  = readied{}
	_ driver.StmtQueryContext = readied{}
)

// NumInput implements driver.Stmt.
func (s readied) NumInput() int { return s.BindCount() }

// Exec implements driver.Stmt, for none: database/sql prefers ExecContext.
func (readied) Exec([]driver.Value) (driver.Result, error) { return nil, errors.ErrUnsupported }

// Query implements driver.Stmt, for none: database/sql prefers QueryContext.
func (readied) Query([]driver.Value) (driver.Rows, error) { return nil, errors.ErrUnsupported }

// ExecContext implements driver.StmtExecContext.
func (s readied) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.bind(args); err != nil {
		return nil, err
	}
	c := s.Conn()
	defer c.SetInterrupt(c.SetInterrupt(ctx))
	if err := errors.Join(s.Stmt.Exec(), s.ClearBindings()); err != nil {
		return nil, err
	}
	return driver.RowsAffected(c.Changes()), nil
}

// QueryContext implements driver.StmtQueryContext.
func (s readied) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return &answer{Stmt: s.Stmt, ctx: ctx}, s.bind(args)
}

func (s readied) bind(args []driver.NamedValue) error {
	for _, a := range args {
		if err := bind(s.Stmt, a.Ordinal, a.Value); err != nil {
			return err
		}
	}
	return nil
}

// answer is the rows of a query.
type answer struct {
	*sqlite3.Stmt
	ctx context.Context
}

// Columns implements driver.Rows.
func (a *answer) Columns() []string {
	names := make([]string, a.ColumnCount())
	for i := range names {
		names[i] = a.ColumnName(i)
	}
	return names
}

// Close implements driver.Rows.
func (a *answer) Close() error { return errors.Join(a.Reset(), a.ClearBindings()) }

// Next implements driver.Rows.
func (a *answer) Next(to []driver.Value) error {
	c := a.Conn()
	defer c.SetInterrupt(c.SetInterrupt(a.ctx))
	if !a.Step() {
		if err := a.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	for i := range to {
		switch a.ColumnType(i) {
		case sqlite3.INTEGER:
			to[i] = a.ColumnInt64(i)
		case sqlite3.TEXT:
			to[i] = a.ColumnText(i)
		case sqlite3.BLOB:
			to[i] = a.ColumnBlob(i, []byte{})
		default:
			to[i] = nil
		}
	}
	return nil
}
