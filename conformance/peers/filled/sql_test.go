package filled

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

// database is an SQL server, or a file, by its driver alone.
type database struct {
	testing.TB
	*sql.DB
	place    func(n int) string // what stands for an argument
	writers  int                // connections that write, as many as our store writes by
	bulk     func(ctx context.Context, table string, columns []string, rows [][]any) error
	byItself string // query for the columns that the database fills by itself, for a table's name
	settled  string // statement after a fill, before a table's name; may be empty
	oneByOne bool   // a transaction of single statements is faster than one long one
}

func question(int) string { return "?" }
func dollar(n int) string { return fmt.Sprint("$", n) }

// places are those of so many rows: (?, ?), (?, ?).
func (d *database) places(rows, columns int) string {
	var all []string
	for r := range rows {
		var row []string
		for c := range columns {
			row = append(row, d.place(r*columns+c+1))
		}
		all = append(all, "("+strings.Join(row, ", ")+")")
	}
	return strings.Join(all, ", ")
}

func (d *database) prepare(text string) *sql.Stmt {
	st, err := d.Prepare(text)
	require.NoError(d, err, text)
	d.Cleanup(func() { _ = st.Close() })
	return st
}

func (d *database) exec(text string) {
	_, err := d.Exec(text)
	require.NoError(d, err, text)
}

// within does a statement n times in one transaction; each has to meet one row.
func (d *database) within(ctx context.Context, st *sql.Stmt, n int, arguments func(int) []any) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	st = tx.StmtContext(ctx, st)
	for i := range n {
		met, err := affected(st.ExecContext(ctx, arguments(i)...))
		if err == nil && met != 1 {
			err = fmt.Errorf("a statement met %d rows: %w", met, core.ErrConflict)
		}
		if err != nil {
			_ = tx.Rollback()
			return err
		}
	}
	return tx.Commit()
}

func affected(res sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// arguments are as many as a statement for all callers has.
func arguments(ids []core.ID) []any {
	all := make([]any, callers)
	for i := range all {
		all[i] = ids[min(i, len(ids)-1)][:]
	}
	return all
}

// settle has the database look at what was filled in, as it does by itself later.
func (d *database) settle(table string) func(context.Context) error {
	return func(ctx context.Context) error {
		if d.settled == "" {
			return nil
		}
		_, err := d.ExecContext(ctx, d.settled+" "+table)
		return err
	}
}
