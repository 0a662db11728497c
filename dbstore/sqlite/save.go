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
	err := c.write(ctx, func(conn connection) error {
		answers = make([]error, len(saves))
		for i := range saves {
			again, err := saveOne(conn, &saves[i])
			if err != nil && !errors.Is(err, core.ErrConflict) {
				return err
			}
			answers[i] = err
			repeated = repeated || again
		}
		return nil
	})
	if err == nil && repeated && !c.dialect.fast {
		err = c.dialect.sync()
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

// saveOne reports whether the record was there already. Then whoever wrote it may
// have been killed before the sync.
func saveOne(c connection, s *hosts.Saving) (repeated bool, err error) {
	if s.Prev == core.NoVersion {
		if n, err := c.exec(insert, values(&s.Record)...); n == 1 || err != nil {
			return false, err
		}
	} else if n, err := c.exec(keep, replacing(s)...); n == 1 || err != nil {
		return false, err
	}
	stored, err := stored(c, s.Record.ID)
	switch {
	case err != nil:
		return false, err
	case stored == s.Record.Version:
		return true, nil
	case stored != s.Prev:
		return false, core.ErrConflict
	}
	_, err = c.exec(update, replacing(s)...)
	return false, err
}

func replacing(s *hosts.Saving) []any {
	touch := int64(0)
	if s.Touch {
		touch = 1
	}
	return append(values(&s.Record), int64(s.Prev), touch)
}

// stored is core.NoVersion of a session that is not there.
func stored(c connection, id core.ID) (core.Version, error) {
	number := int64(core.NoVersion)
	err := c.query(version, func(scan scan) error { return scan(&number) }, id[:])
	return core.Version(number), err
}
