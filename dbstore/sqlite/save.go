package sqlite

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

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
	return stored, s.done()
}
