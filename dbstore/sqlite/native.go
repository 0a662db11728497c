package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// native is a connection of Open, with the statements that it keeps prepared.
type native struct {
	*sqlite3.Conn
	texts    *texts
	prepared [statements]*sqlite3.Stmt
	bounded  bool // the database may not grow
}

// free closes the statements.
func (c *native) free() error {
	if c == nil {
		return nil
	}
	var err error
	for i, s := range c.prepared {
		err = errors.Join(err, s.Close())
		c.prepared[i] = nil
	}
	return err
}

// statement returns one that is ready to run.
func (c *native) statement(s statement, args []any) (*sqlite3.Stmt, error) {
	st := c.prepared[s]
	if st == nil {
		var err error
		if st, _, err = c.Prepare(c.texts[s]); err != nil {
			return nil, err
		}
		c.prepared[s] = st
	}
	for i, a := range args {
		if err := bind(st, i+1, a); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// bind gives an argument.
func bind(st *sqlite3.Stmt, n int, arg any) error {
	switch v := arg.(type) {
	case int64:
		return st.BindInt64(n, v)
	case string:
		return st.BindText(n, v)
	case []byte:
		return st.BindBlob(n, v)
	}
	return fmt.Errorf("argument %d is of type %T, which this connection does not take", n, arg)
}

// exec implements connection.
func (c *native) exec(s statement, args ...any) (int64, error) {
	st, err := c.statement(s, args)
	if err != nil {
		return 0, err
	}
	if err := st.Exec(); err != nil {
		return 0, err
	}
	return c.Changes(), nil
}

// query implements connection.
func (c *native) query(s statement, row func(scan) error, args ...any) error {
	st, err := c.statement(s, args)
	if err != nil {
		return err
	}
	scan := func(to ...any) error {
		for i, target := range to {
			switch target := target.(type) {
			case *int64:
				*target = st.ColumnInt64(i)
			case *string:
				*target = st.ColumnText(i)
			case *[]byte:
				*target = st.ColumnBlob(i, nil)
			}
		}
		return nil
	}
	for err == nil && st.Step() {
		err = row(scan)
	}
	if err == nil {
		err = st.Err()
	}
	if reset := st.Reset(); err == nil { // SQLite reports an error twice
		err = reset
	}
	return err
}

// end implements connection. SQLite may call a statement interrupted that it has
// done, the begin too.
func (c *native) end(err error) error {
	defer c.SetInterrupt(c.SetInterrupt(context.Background()))
	if err == nil {
		_, err = c.exec(commit)
	}
	if err == nil || c.GetAutocommit() { // not begun, or undone by SQLite
		return err
	}
	_, undone := c.exec(rollback)
	return errors.Join(err, undone)
}
