package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// connection runs the statements of this package, for one goroutine at a time.
type connection interface {
	// exec reports how many rows it changed. Arguments are int64, string and
	// []byte.
	exec(s statement, args ...any) (changed int64, err error)
	// query calls row for each, which may scan into *int64, *string and *[]byte.
	query(s statement, row func(scan scan) error, args ...any) error
	// end commits a transaction, or undoes it after an error, which it returns.
	// No context interrupts it.
	end(err error) error
}

type scan = func(to ...any) error

// transaction is applied whole or not at all: an error says that it is not, but
// for one of the disk at the end.
func transaction(ctx context.Context, c connection, kind statement, do func(connection) error) error {
	_, err := c.exec(kind)
	if err == nil {
		err = do(c)
	}
	if err == nil {
		err = ctx.Err()
	}
	return c.end(err)
}

// lender lends one connection of a pool, whose statements end with ctx.
type lender interface {
	use(ctx context.Context, db *sql.DB, t *texts, do func(connection) error) error
}

// prepared are the connections of a pool of Open, with the statements that each
// keeps prepared: through database/sql a load within a batch costs twice as much.
type prepared struct {
	mu  sync.Mutex
	all map[*sqlite3.Conn]*native
}

// use implements lender.
func (p *prepared) use(ctx context.Context, db *sql.DB, t *texts, do func(connection) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		n := p.of(c.(lent).Conn, t)
		defer n.SetInterrupt(n.SetInterrupt(ctx))
		return do(n)
	})
}

func (p *prepared) of(c *sqlite3.Conn, t *texts) *native {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[*sqlite3.Conn]*native{}
	}
	if p.all[c] == nil {
		p.all[c] = &native{Conn: c, texts: t}
	}
	return p.all[c]
}

// forget frees the statements of a connection that is about to close.
func (p *prepared) forget(c *sqlite3.Conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.all[c].free()
	delete(p.all, c)
	return err
}

// plain lends connections of a pool that the program has opened, whatever its
// driver: a statement is prepared when it is first used, for as long as it is
// lent.
type plain struct{}

// use implements lender.
func (plain) use(ctx context.Context, db *sql.DB, t *texts, do func(connection) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	c := &foreign{ctx: ctx, conn: conn, texts: t}
	defer c.free()
	return do(c)
}

// foreign is a connection of a driver that this package does not know.
type foreign struct {
	ctx      context.Context
	conn     *sql.Conn
	texts    *texts
	prepared [statements]*sql.Stmt
}

func (c *foreign) free() {
	for _, s := range c.prepared {
		if s != nil {
			s.Close()
		}
	}
}

func (c *foreign) statement(s statement) (_ *sql.Stmt, err error) {
	if c.prepared[s] == nil {
		c.prepared[s], err = c.conn.PrepareContext(c.ctx, c.texts[s])
	}
	return c.prepared[s], err
}

func (c *foreign) exec(s statement, args ...any) (int64, error) {
	st, err := c.statement(s)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(c.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (c *foreign) query(s statement, row func(scan) error, args ...any) error {
	st, err := c.statement(s)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(c.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c *foreign) end(err error) error {
	c.ctx = context.WithoutCancel(c.ctx)
	if err == nil {
		_, err = c.exec(commit)
	}
	if err == nil {
		return nil
	}
	_, undone := c.exec(rollback)
	if undone != nil && !strings.Contains(undone.Error(), "no transaction is active") {
		// Whoever gets the connection next must not be within a transaction.
		return fmt.Errorf("%w; its end: %w", err, errors.Join(undone, c.conn.Raw(func(any) error { return driver.ErrBadConn })))
	}
	return err
}
