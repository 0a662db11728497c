package sqlite

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// commands work on many records in one transaction.
type commands struct {
	dialect *dialect
	db      dbstore.DB
	texts   *texts
}

var (
	_ dbstore.Loader  = (*commands)(nil)
	_ dbstore.Saver   = (*commands)(nil)
	_ dbstore.Remover = (*commands)(nil)
)

// Close implements dbstore.Commands. The statements close with their connections.
func (c *commands) Close() error { return nil }

// write does it in a transaction of its own.
func (c *commands) write(ctx context.Context, do func(*connection) error) error {
	return c.dialect.all.use(ctx, c.db.Write, c.texts, func(conn *connection) error {
		err := conn.transaction(ctx, beginWrite, do)
		if err == nil || !isFull(err) || ctx.Err() != nil {
			return err
		}
		// What is in the log may move into room that the database has, and the
		// log then begins anew in the room that it has.
		if _, full := conn.run(conn.prepare(restart)); full != nil {
			return err
		}
		return conn.transaction(ctx, beginWrite, do)
	})
}

// transaction is applied whole or not at all: an error says that it is not, but
// for one of the disk at the end.
func (c *connection) transaction(ctx context.Context, kind statement, do func(*connection) error) error {
	_, err := c.run(c.prepare(kind))
	if err == nil {
		err = do(c)
	}
	if err == nil {
		err = ctx.Err()
	}
	// From here on the context interrupts nothing: SQLite may call a statement
	// interrupted that it has done, the begin too.
	c.SetInterrupt(context.Background())
	defer c.SetInterrupt(ctx)
	if err == nil {
		_, err = c.run(c.prepare(commit))
	}
	if err == nil || c.GetAutocommit() { // not begun, or undone by SQLite
		return err
	}
	_, undone := c.run(c.prepare(rollback))
	return errors.Join(err, undone)
}

// Load implements dbstore.Loader.
func (c *commands) Load(ctx context.Context, id core.ID) (r core.Record, err error) {
	err = c.dialect.all.use(ctx, c.db.Read, c.texts, func(conn *connection) error {
		var there bool
		if r, there, err = conn.load(id); err == nil && !there {
			err = core.ErrNotFound
		}
		return err
	})
	return r, err
}

// LoadMany implements dbstore.Commands.
func (c *commands) LoadMany(ctx context.Context, ids []core.ID) ([]core.Record, error) {
	found := make([]core.Record, 0, len(ids))
	err := c.dialect.all.use(ctx, c.db.Read, c.texts, func(conn *connection) error {
		return conn.transaction(ctx, begin, func(conn *connection) error {
			found = found[:0]
			for _, id := range ids {
				r, there, err := conn.load(id)
				if err != nil {
					return err
				}
				if there {
					found = append(found, r)
				}
			}
			return nil
		})
	})
	return found, err
}

func (c *connection) load(id core.ID) (r core.Record, there bool, err error) {
	s := c.prepare(load).blob(id[:])
	if s.err != nil {
		return r, false, s.err
	}
	if s.Step() {
		there = true
		r = core.Record{
			ID: id, Version: core.Version(s.ColumnInt64(0)), Tenant: s.ColumnText(1), User: s.ColumnText(2),
			CreatedAt: core.Time(s.ColumnInt64(3)), SeenAt: core.Time(s.ColumnInt64(4)), ExpiresAt: core.Time(s.ColumnInt64(5)),
			Sealed: s.ColumnBlob(6, nil),
		}
	}
	return r, there, errors.Join(s.Err(), s.Reset())
}

// SaveMany implements dbstore.Commands.
func (c *commands) SaveMany(ctx context.Context, saves []hosts.Saving) ([]error, error) {
	var answers []error
	repeated := false
	err := c.write(ctx, func(conn *connection) error {
		answers = make([]error, len(saves))
		for i := range saves {
			again, err := conn.save(&saves[i])
			if err != nil && !errors.Is(err, core.ErrConflict) {
				return err
			}
			answers[i] = err
			repeated = repeated || again
		}
		return nil
	})
	if err == nil && repeated && !c.dialect.fast {
		err = c.dialect.file.sync()
	}
	return answers, err
}

// Save implements dbstore.Saver.
func (c *commands) Save(ctx context.Context, s hosts.Saving) error {
	answers, err := c.SaveMany(ctx, []hosts.Saving{s})
	if err != nil {
		return err
	}
	return answers[0]
}

// save reports whether the record was there already. Then whoever wrote it may
// have been killed before the sync.
func (c *connection) save(s *hosts.Saving) (repeated bool, err error) {
	if s.Prev == core.NoVersion {
		if n, err := c.run(c.prepare(insert).record(&s.Record)); n == 1 || err != nil {
			return false, err
		}
	} else if n, err := c.run(c.prepare(keep).record(&s.Record).integer(int64(s.Prev))); n == 1 || err != nil {
		return false, err
	}
	stored, err := c.version(s.Record.ID)
	switch {
	case err != nil:
		return false, err
	case stored == s.Record.Version:
		return true, nil
	case stored != s.Prev:
		return false, core.ErrConflict
	}
	_, err = c.run(c.prepare(update).record(&s.Record).integer(int64(s.Prev)))
	return false, err
}

// version is core.NoVersion of a session that is not there.
func (c *connection) version(id core.ID) (core.Version, error) {
	s := c.prepare(version).blob(id[:])
	if s.err != nil {
		return core.NoVersion, s.err
	}
	stored := core.NoVersion
	if s.Step() {
		stored = core.Version(s.ColumnInt64(0))
	}
	return stored, errors.Join(s.Err(), s.Reset())
}

// Remove implements dbstore.Remover. A success is on the disk: with Fast, SQLite
// does not sync; and where there is no session, whoever removed it may have been
// killed before the sync.
func (c *commands) Remove(ctx context.Context, id core.ID) error {
	var removed int64
	err := c.write(ctx, func(conn *connection) (err error) {
		removed, err = conn.run(conn.prepare(remove).blob(id[:]))
		return err
	})
	if err == nil && (removed == 0 || c.dialect.fast) {
		err = c.dialect.file.sync()
	}
	return err
}

// SweepSome implements dbstore.Commands.
func (c *commands) SweepSome(ctx context.Context, before core.Time, limit int) (seen, deleted int, err error) {
	err = c.write(ctx, func(conn *connection) error {
		found, err := conn.due(before, limit)
		if err != nil {
			return err
		}
		seen, deleted = len(found), 0
		for _, r := range found {
			if r.ExpiresAt >= before {
				_, err = conn.run(conn.prepare(move).integer(dbstore.Bucket(r.ExpiresAt)).blob(r.ID[:]))
			} else {
				_, err = conn.run(conn.prepare(expire).blob(r.ID[:]).integer(int64(before)))
				deleted++
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return seen, deleted, nil
}

// due lists the ID and the expiry of records that a sweep has to look at.
func (c *connection) due(before core.Time, limit int) ([]core.Record, error) {
	s := c.prepare(due).integer(dbstore.Bucket(before)).integer(int64(before)).integer(int64(limit))
	if s.err != nil {
		return nil, s.err
	}
	var found []core.Record
	for s.Step() {
		r := core.Record{ExpiresAt: core.Time(s.ColumnInt64(1))}
		copy(r.ID[:], s.ColumnRawBlob(0))
		found = append(found, r)
	}
	return found, errors.Join(s.Err(), s.Reset())
}
