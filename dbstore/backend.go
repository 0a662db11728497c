package dbstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// backend does the calls, each as it comes. The coalescer stands before it.
type backend struct {
	dialect Dialect
	db      DB
	table   Table
	texts   texts
	step    int     // records of one batch of a sweep
	rest    float64 // after each, in times of how long it took

	noMigrate bool

	load, version, insert, update, touch, remove *statement
	finds                                        finds
	commands                                     Commands
	loader                                       Loader // nil: by the shared statement, as the others
	saver                                        Saver
	remover                                      Remover
}

// begin has the dialect look at the server, brings the schema up to date and
// readies the statements.
func (b *backend) begin(ctx context.Context) error {
	var err error
	if b.commands, err = b.dialect.Commands(ctx, b.db, b.table); err != nil {
		return b.fail(ctx, "open", err)
	}
	b.loader, _ = b.commands.(Loader)
	b.saver, _ = b.commands.(Saver)
	b.remover, _ = b.commands.(Remover)
	if err := b.migrate(ctx, b.noMigrate); err != nil {
		return errors.Join(err, b.close())
	}
	for _, s := range []struct {
		to   **statement
		text string
		db   *sql.DB
	}{
		{&b.load, b.texts.load, b.db.Read},
		{&b.version, b.texts.version, b.db.Read},
		{&b.insert, b.texts.insert, b.db.Write},
		{&b.update, b.texts.update, b.db.Write},
		{&b.touch, b.texts.touch, b.db.Write},
		{&b.remove, b.texts.remove, b.db.Write},
	} {
		if *s.to, err = b.prepare(ctx, s.db, s.text); err != nil {
			return errors.Join(b.fail(ctx, "prepare", err), b.close())
		}
	}
	b.finds.begin(b)
	if err := b.probe(ctx); err != nil {
		return errors.Join(err, b.close())
	}
	return nil
}

// close frees the statements.
func (b *backend) close() error {
	var err error
	for _, s := range []*statement{b.load, b.version, b.insert, b.update, b.touch, b.remove} {
		err = errors.Join(err, s.close())
	}
	err = errors.Join(err, b.finds.close())
	if b.commands != nil {
		err = errors.Join(err, b.commands.Close())
	}
	return err
}

// Load implements hosts.Store.
func (b *backend) Load(ctx context.Context, id core.ID) (core.Record, error) {
	var r core.Record
	err := b.again(ctx, func() (err error) {
		if b.loader != nil {
			r, err = b.loader.Load(ctx, id)
		} else {
			r, err = Scan(b.load.row(ctx, id[:]))
		}
		return err
	})
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, core.ErrNotFound) {
		return core.Record{}, core.ErrNotFound
	}
	return r, b.fail(ctx, "load", err)
}

// Save implements hosts.Store. It returns a refusal of Record.Check as it is.
func (b *backend) Save(ctx context.Context, r core.Record, prev core.Version) error {
	if err := r.Check(); err != nil {
		return err
	}
	return b.fail(ctx, "save", b.again(ctx, func() error {
		if b.saver != nil && prev != r.Version {
			return b.saver.Save(ctx, hosts.Saving{Record: r, Prev: prev, Touch: hosts.IsTouch(ctx)})
		}
		return b.saveShared(ctx, &r, prev)
	}))
}

func (b *backend) saveOne(ctx context.Context, s hosts.Saving) error {
	if s.Touch {
		ctx = hosts.TouchContext(ctx)
	}
	return b.Save(ctx, s.Record, s.Prev)
}

// saveShared saves by the shared statements. Where prev is r's own version there
// is nothing to write.
func (b *backend) saveShared(ctx context.Context, r *core.Record, prev core.Version) error {
	if prev != r.Version {
		taken, err := b.write(ctx, r, prev)
		if err != nil || !taken {
			return err
		}
	}
	var stored core.Version
	err := b.version.row(ctx, r.ID[:]).Scan(&stored)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return Settle(hosts.Saving{Record: *r, Prev: prev}, stored)
}

// write reports whether the save found another version than prev.
func (b *backend) write(ctx context.Context, r *core.Record, prev core.Version) (taken bool, err error) {
	args := []any{int64(r.Version), r.Tenant, r.User, int64(r.CreatedAt), int64(r.SeenAt), int64(r.ExpiresAt),
		Bucket(r.ExpiresAt), r.Sealed, r.ID[:], int64(prev)}
	if r.Sealed == nil {
		args[7] = []byte{}
	}
	var res sql.Result
	switch {
	case prev == core.NoVersion:
		res, err = b.insert.exec(ctx, args[:9]...)
		if err != nil && ended(ctx) == nil && b.dialect.Fault(err).Kind == Taken {
			return true, nil
		}
	case hosts.IsTouch(ctx):
		res, err = b.touch.exec(ctx, append(args[:1:1], args...)...)
	default:
		res, err = b.update.exec(ctx, args...)
	}
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 0, err
}

// Delete implements hosts.Store.
func (b *backend) Delete(ctx context.Context, id core.ID) error {
	return b.fail(ctx, "delete", b.keepOn(ctx, endPatience, func() error {
		if b.remover != nil {
			return b.remover.Remove(ctx, id)
		}
		_, err := b.remove.exec(ctx, id[:])
		return err
	}))
}

// maxRemove is the most IDs of one command that deletes.
const maxRemove = coalesce.DefaultBatchCalls

// DeleteMany implements hosts.BatchDeleter, in the order of the IDs. Where the
// server gives up whatever meets another program's save, a batch meets one sooner
// than a single end, which then goes alone and is tried for longer.
func (b *backend) DeleteMany(ctx context.Context, ids []core.ID) []error {
	order := slices.SortedFunc(slices.Values(ids), func(x, y core.ID) int { return bytes.Compare(x[:], y[:]) })
	failed := map[core.ID]error{}
	for part := range slices.Chunk(slices.Compact(order), maxRemove) {
		err := b.again(ctx, func() error { return b.commands.RemoveMany(ctx, part) })
		alone := err != nil && ended(ctx) == nil && b.fault(err).Kind == Retry
		err = b.batchFailed(ctx, "delete", err)
		for _, id := range part {
			if failed[id] = err; alone {
				failed[id] = b.Delete(ctx, id)
			}
		}
	}
	answers := make([]error, len(ids))
	for i, id := range ids {
		answers[i] = failed[id]
	}
	return answers
}

// LoadMany implements hosts.Batcher.
func (b *backend) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	answers := make([]hosts.Loaded, len(ids))
	if len(ids) == 0 {
		return answers
	}
	var found []core.Record
	err := b.again(ctx, func() (err error) {
		found, err = b.commands.LoadMany(ctx, ids)
		return err
	})
	err = b.batchFailed(ctx, "load", err)
	place := make(map[core.ID]int, len(found))
	for i := range found {
		place[found[i].ID] = i
	}
	for i, id := range ids {
		at, there := place[id]
		switch {
		case err != nil:
			answers[i].Err = err
		case !there:
			answers[i].Err = core.ErrNotFound
		default:
			answers[i].Record = found[at]
		}
	}
	return answers
}

// SaveMany implements hosts.Batcher.
func (b *backend) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	answers := make([]error, len(saves))
	places := make([]int, 0, len(saves)) // in the order of the IDs
	for i, s := range saves {
		switch err := s.Record.Check(); {
		case err != nil:
			answers[i] = err
		case s.Prev == s.Record.Version:
			answers[i] = b.saveOne(ctx, s)
		default:
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return answers
	}
	slices.SortFunc(places, func(x, y int) int {
		return bytes.Compare(saves[x].Record.ID[:], saves[y].Record.ID[:])
	})
	sorted := make([]hosts.Saving, len(places))
	for n, i := range places {
		sorted[n] = saves[i]
	}
	var got []error
	err := b.again(ctx, func() (err error) {
		got, err = b.commands.SaveMany(ctx, sorted)
		return err
	})
	err = b.batchFailed(ctx, "save", err)
	for n, i := range places {
		switch {
		case err != nil:
			answers[i] = err
		case errors.Is(got[n], ErrAlone):
			answers[i] = b.saveOne(ctx, saves[i])
		default:
			answers[i] = b.fail(ctx, "save", got[n])
		}
	}
	return answers
}
