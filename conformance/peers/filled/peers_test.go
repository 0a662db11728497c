package filled

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// token is as long as those of scs.
func token(id core.ID) string {
	return base64.RawURLEncoding.EncodeToString(append(id[:], id[:]...))
}

func moment(t core.Time) time.Time { return time.UnixMilli(int64(t)) }

// scsEngine calls a store of scs as its session manager does.
func scsEngine(s scs.Store) *engine {
	e := &engine{callers: callers, batch: 1, listers: 1}
	find, commit, remove := s.Find, s.Commit, s.Delete
	c, withContext := s.(scs.CtxStore)
	e.save = func(ctx context.Context, saves []hosts.Saving) error {
		r := &saves[0].Record
		if withContext {
			return c.CommitCtx(ctx, token(r.ID), r.Sealed, moment(r.ExpiresAt))
		}
		return commit(token(r.ID), r.Sealed, moment(r.ExpiresAt))
	}
	e.load = func(ctx context.Context, ids []core.ID) (err error) {
		var there bool
		if withContext {
			_, there, err = c.FindCtx(ctx, token(ids[0]))
		} else {
			_, there, err = find(token(ids[0]))
		}
		if err == nil && !there {
			err = core.ErrNotFound
		}
		return err
	}
	e.remove = func(ctx context.Context, ids []core.ID) error {
		if withContext {
			return c.DeleteCtx(ctx, token(ids[0]))
		}
		return remove(token(ids[0]))
	}
	// A user's sessions are found among all, which a program decodes one by one.
	if all, ok := s.(scs.IterableStore); ok {
		e.list = func(context.Context, string, string, int) (int, error) {
			found, err := all.All()
			return len(found), err
		}
	}
	e.bulk = e.each
	return e
}

// scsTable fills the table of a store of scs, and sweeps it by scs's own statement.
func scsTable(s scs.Store, fill, d *database, expiry func(core.Time) any, expired string) *engine {
	e := scsEngine(s)
	e.bulk = func(ctx context.Context, records []core.Record) error {
		rows := make([][]any, len(records))
		for i, r := range records {
			rows[i] = []any{token(r.ID), r.Sealed, expiry(r.ExpiresAt)}
		}
		return fill.bulk(ctx, "sessions", []string{"token", "data", "expiry"}, rows)
	}
	e.sweep = func(ctx context.Context, before core.Time, _ int) (int, error) {
		return affected(d.ExecContext(ctx, "DELETE FROM sessions WHERE expiry < "+expired, expiry(before)))
	}
	e.settle = d.settle("sessions")
	return e
}

// fileEngine keeps a file for each session, in 256 folders, durably: write,
// fsync, rename, fsync of the folder.
func fileEngine(dir string) *engine {
	e := &engine{callers: callers, batch: 1}
	path := func(id core.ID) string {
		return filepath.Join(dir, fmt.Sprintf("%02x", id[0]), fmt.Sprintf("%x", id[:]))
	}
	e.save = func(_ context.Context, saves []hosts.Saving) error {
		name := path(saves[0].Record.ID)
		return writeSynced(name, append(make([]byte, 64), saves[0].Record.Sealed...))
	}
	e.load = func(_ context.Context, ids []core.ID) error {
		_, err := os.ReadFile(path(ids[0]))
		return err
	}
	e.remove = func(_ context.Context, ids []core.ID) error {
		name := path(ids[0])
		if err := os.Remove(name); err != nil {
			return err
		}
		return syncDir(filepath.Dir(name))
	}
	e.bulk = func(_ context.Context, records []core.Record) error {
		return together(importers, func(c int) error {
			for i := c; i < len(records); i += importers {
				name := path(records[i].ID)
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					return err
				}
				if err := os.WriteFile(name, append(make([]byte, 64), records[i].Sealed...), 0o600); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return e
}

func writeSynced(name string, b []byte) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
