package mysql

import (
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"strings"
	"sync"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// maxLoad is the most IDs of one statement that loads: as many as a batch has.
const maxLoad = coalesce.DefaultBatchCalls

// commands implement dbstore.Commands.
type commands struct {
	db   dbstore.DB
	name string // of the table, quoted
	room int    // for the records of a statement, in bytes
	rows rows

	mu    sync.Mutex
	loads [9]*sql.Stmt // at [i] one for 1<<i IDs, prepared when it is first needed
}

// LoadMany implements dbstore.Commands, by prepared statements, whose answers are
// binary.
func (c *commands) LoadMany(ctx context.Context, ids []core.ID) (found []core.Record, err error) {
	for len(ids) > 0 && err == nil {
		n := min(len(ids), maxLoad)
		found, err = c.load(ctx, found, ids[:n])
		ids = ids[n:]
	}
	return found, err
}

// load asks for the next power of two of IDs, the first of which repeats.
func (c *commands) load(ctx context.Context, found []core.Record, ids []core.ID) ([]core.Record, error) {
	power := bits.Len(uint(len(ids) - 1))
	st, err := c.statement(ctx, power)
	if err != nil {
		return nil, err
	}
	args := values(ids)
	for len(args) < 1<<power {
		args = append(args, args[0])
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	more, err := dbstore.ScanAll(rows)
	return append(found, more...), err
}

// statement prepares without the lock: whoever waits for a server waits for
// nobody else.
func (c *commands) statement(ctx context.Context, power int) (*sql.Stmt, error) {
	c.mu.Lock()
	st := c.loads[power]
	c.mu.Unlock()
	if st != nil {
		return st, nil
	}
	st, err := c.db.Read.PrepareContext(ctx, "SELECT "+dbstore.Columns+" FROM "+c.name+" WHERE id IN "+list(1<<power))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loads[power] == nil {
		c.loads[power] = st
		return st, nil
	}
	return c.loads[power], st.Close() // another call was faster
}

// list is (?,?,?).
func list(n int) string { return "(?" + strings.Repeat(",?", n-1) + ")" }

func values(ids []core.ID) []any {
	v := make([]any, len(ids))
	for i := range ids {
		v[i] = ids[i][:]
	}
	return v
}

// Close implements dbstore.Commands.
func (c *commands) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, st := range c.loads {
		if st != nil {
			err = errors.Join(err, st.Close())
		}
	}
	return err
}
