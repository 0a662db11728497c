package dbstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// The mark that caches are in use is a row of the table's companion _schema. A
// release that knows no mark reads On and Stopping as a schema that is newer than
// itself, and refuses it; it does not see Off.
const (
	markOn       = 1001
	markStopping = 1002
	markOff      = -2
)

var marks = map[feed.State]int64{feed.On: markOn, feed.Stopping: markStopping, feed.Off: markOff}

// MarkText is an expression of the table's mark, zero where there is none: see MarkState.
func MarkText(t Table) string {
	return fmt.Sprintf("COALESCE((SELECT MAX(version) FROM %s WHERE version IN (%d, %d, %d)), 0)", t.With("_schema"), markOn, markStopping, markOff)
}

// MarkState is the state that a mark means.
func MarkState(mark int64) feed.State {
	for state, m := range marks {
		if m == mark {
			return state
		}
	}
	return feed.None
}

var errNotPrimary = errors.New("this server only reads, and may be behind; connect to the primary")

// cachingState reads the mark on a server that decides.
func (b *backend) cachingState(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (feed.State, error) {
	d, ok := b.dialect.(FeedDialect)
	if !ok {
		return feed.None, nil
	}
	var mark int64
	var primary bool
	err := db.QueryRowContext(ctx, "SELECT "+MarkText(b.table)+", "+d.OnPrimary()).Scan(&mark, &primary)
	if err == nil && !primary {
		err = fmt.Errorf("%w: %w", hosts.ErrUnavailable, errNotPrimary)
	}
	return MarkState(mark), err
}

// CachingState implements feed.Caching.
func (s *Store) CachingState(ctx context.Context) (state feed.State, err error) {
	if err := s.enter(ctx); err != nil {
		return feed.None, err
	}
	defer s.leave()
	err = s.again(ctx, func() error {
		state, err = s.cachingState(ctx, s.db.Write)
		return err
	})
	return state, s.fail(ctx, "ask whether caches are in use", err)
}

// EnableCaching implements feed.Caching. It makes the feed first.
func (s *Store) EnableCaching(ctx context.Context) error {
	d, err := s.feedDialect()
	if err != nil {
		return err
	}
	state, err := s.CachingState(ctx)
	if err != nil || state == feed.On {
		return err
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if state == feed.None {
		f, err := s.openFeed(ctx, d)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return err
		}
	}
	return s.mark(ctx, func(is feed.State) (feed.State, error) {
		if is == feed.Stopping || is == feed.Off {
			return is, fmt.Errorf("dbstore: %s: table %s: %w", s.dialect.Name(), s.table.Plain(), feed.ErrCachingOff)
		}
		return feed.On, nil
	})
}

// SetCaching implements feed.Caching. It refuses the step from On to Off or None, which
// leaves out Stopping: caches would go on while no logout waits for them.
func (s *Store) SetCaching(ctx context.Context, to feed.State) error {
	if to < feed.None || to > feed.Off {
		return fmt.Errorf("dbstore: %s: %w", s.dialect.Name(), &hosts.ConfigError{Field: "state of caching", Value: fmt.Sprint(int(to)), Allowed: "feed.None to feed.Off"})
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	return s.mark(ctx, func(is feed.State) (feed.State, error) {
		if is == feed.On && !to.Waits() {
			return is, fmt.Errorf("dbstore: %s: table %s: %w", s.dialect.Name(), s.table.Plain(), &hosts.ConfigError{
				Field: "state of caching", Value: to.String() + " while it is on", Allowed: "stopping first, and this after feed.Wait"})
		}
		return to, nil
	})
}

// mark moves the mark while no other program does.
func (b *backend) mark(ctx context.Context, move func(is feed.State) (feed.State, error)) error {
	var refused error
	err := b.exclusively(ctx, func(ctx context.Context, c *sql.Conn) error {
		is, err := b.cachingState(ctx, c)
		if err != nil {
			return err
		}
		to, err := move(is)
		if refused = err; err != nil || is == to {
			return nil
		}
		_, err = c.ExecContext(ctx, b.markStep(is, to))
		return err
	})
	if err != nil && ended(ctx) == nil && b.fault(err).Kind == Denied {
		return fmt.Errorf("dbstore: %s: mark that caches are in use: %w: %w; grant SELECT, INSERT, UPDATE and DELETE on %s, or have an administrator run:\n%s;",
			b.dialect.Name(), hosts.ErrRefused, err, b.table.With("_schema"), b.markStep(feed.None, feed.On))
	}
	return errors.Join(b.fail(ctx, "mark that caches are in use", err), refused)
}

// markStep is one statement: there is one mark at any time.
func (b *backend) markStep(is, to feed.State) string {
	name := b.table.With("_schema")
	those := fmt.Sprintf(" WHERE version = %d", marks[is])
	switch {
	case to == feed.None:
		return "DELETE FROM " + name + those
	case is == feed.None:
		return fmt.Sprintf("INSERT INTO %s (version) VALUES (%d)", name, marks[to])
	}
	return fmt.Sprintf("UPDATE %s SET version = %d%s", name, marks[to], those)
}
