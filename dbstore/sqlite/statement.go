package sqlite

import (
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
)

// A statement is one that connections keep prepared, to be run without
// database/sql: that would double the cost of a load within a batch.
type statement int

const (
	begin statement = iota
	beginWrite
	commit
	rollback
	restart
	load
	version
	insert
	keep
	update
	remove
	due
	expire
	move
	statements
)

// texts of the statements, for one table. The arguments of those that write a
// record have one order: version, tenant, user, created, seen, expires, hour,
// data, ID, previous version.
type texts [statements]string

func write(t dbstore.Table) *texts {
	name := t.String()
	return &texts{
		begin:      "BEGIN",
		beginWrite: "BEGIN IMMEDIATE",
		commit:     "COMMIT",
		rollback:   "ROLLBACK",
		restart:    "PRAGMA wal_checkpoint(RESTART)",
		load:       "SELECT version, tenant_id, user_id, created_at, seen_at, expires_at, data FROM " + name + " WHERE id = ?",
		version:    "SELECT version FROM " + name + " WHERE id = ?",
		insert: "INSERT INTO " + name + " (version, tenant_id, user_id, created_at, seen_at, expires_at, expiry_hour, data, id) " +
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		// SQLite writes the index entries of every column that is set, changed
		// or not, at four times the cost: most saves change none.
		keep: "UPDATE " + name + " SET version = ?1, created_at = ?4, seen_at = ?5, expires_at = ?6, data = ?8 " +
			"WHERE id = ?9 AND version = ?10 AND tenant_id = ?2 AND user_id = ?3 AND expiry_hour <= ?7",
		update: "UPDATE " + name + " SET version = ?1, tenant_id = ?2, user_id = ?3, created_at = ?4, seen_at = ?5, expires_at = ?6, " +
			"expiry_hour = ?7, data = ?8 WHERE id = ?9 AND version = ?10",
		remove: "DELETE FROM " + name + " WHERE id = ?",
		due: "SELECT id, expires_at FROM " + name + " WHERE expiry_hour <= ?1 " +
			"AND (expires_at < ?2 OR expires_at >= (expiry_hour + 1) * 3600000) ORDER BY expiry_hour LIMIT ?3",
		expire: "DELETE FROM " + name + " WHERE id = ? AND expires_at < ?",
		move:   "UPDATE " + name + " SET expiry_hour = ? WHERE id = ?",
	}
}

// connection is lent to one goroutine at a time.
type connection struct {
	*sqlite3.Conn
	texts    *texts
	prepared [statements]*sqlite3.Stmt
}

// free closes the statements.
func (c *connection) free() error {
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

// prepare readies a statement for its arguments.
func (c *connection) prepare(s statement) *arguments {
	a := &arguments{Stmt: c.prepared[s]}
	if a.Stmt == nil {
		a.Stmt, _, a.err = c.Prepare(c.texts[s])
		c.prepared[s] = a.Stmt
	}
	return a
}

// run executes a statement and reports how many rows it changed.
func (c *connection) run(a *arguments) (changed int64, err error) {
	if a.err != nil {
		return 0, a.err
	}
	if err := a.Exec(); err != nil {
		return 0, err
	}
	return c.Changes(), nil
}

// arguments are given to a statement in their order.
type arguments struct {
	*sqlite3.Stmt
	n   int
	err error
}

func (a *arguments) next(bind func(int) error) *arguments {
	if a.err == nil {
		a.n++
		a.err = bind(a.n)
	}
	return a
}

func (a *arguments) integer(v int64) *arguments {
	return a.next(func(n int) error { return a.BindInt64(n, v) })
}

func (a *arguments) text(v string) *arguments {
	return a.next(func(n int) error { return a.BindText(n, v) })
}

// blob gives bytes that are not null when there are none.
func (a *arguments) blob(v []byte) *arguments {
	if v == nil {
		v = []byte{}
	}
	return a.next(func(n int) error { return a.BindBlob(n, v) })
}

// done ends a query; SQLite tells its error twice.
func (a *arguments) done() error {
	err := a.Err()
	if reset := a.Reset(); err == nil {
		err = reset
	}
	return err
}

// record gives all of a record.
func (a *arguments) record(r *core.Record) *arguments {
	return a.integer(int64(r.Version)).text(r.Tenant).text(r.User).
		integer(int64(r.CreatedAt)).integer(int64(r.SeenAt)).integer(int64(r.ExpiresAt)).
		integer(dbstore.Bucket(r.ExpiresAt)).blob(r.Sealed).blob(r.ID[:])
}
