package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// follower has a connection of its own, which writes nothing: by a number SQLite
// reports to it whether another one has written, and that costs next to nothing.
// Reading holds up no writer.
type follower struct {
	dialect *dialect
	conn    *native
	version int64 // of the data that last and caching were read from, or older
	last    entry // that was read; it is there until others have read it, too
	caching bool
}

type entry struct {
	seq int64
	feed.Change
}

// Follow implements dbstore.FeedDialect.
func (d *dialect) Follow(ctx context.Context, _ dbstore.DB, t dbstore.Table) (dbstore.Feed, error) {
	if err := d.same(); err != nil {
		return nil, err
	}
	c, err := d.reader(ctx)
	if err != nil {
		return nil, err
	}
	f := &follower{dialect: d, conn: &native{Conn: c, texts: write(t)}}
	if err := errors.Join(f.begin(ctx), d.same()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *follower) begin(ctx context.Context) error {
	defer f.conn.SetInterrupt(f.conn.SetInterrupt(ctx))
	version, err := f.number(feedVersion)
	if err != nil {
		return err
	}
	err = transaction(ctx, f.conn, begin, func(connection) error {
		if err := f.look(); err != nil {
			return err
		}
		last, err := f.entries(feedLast)
		if err == nil && len(last) != 1 {
			err = fmt.Errorf("%w: the table of the feed is empty", dbstore.ErrNoFeed)
		}
		if err == nil {
			f.last = last[0]
		}
		return err
	})
	f.version = version
	return err
}

// Changes implements feed.Follower. The number of the data is read before the data:
// what is committed in between is answered, and asked for once more. It never moves
// within a transaction.
func (f *follower) Changes(ctx context.Context) (c feed.Changes, err error) {
	defer f.conn.SetInterrupt(f.conn.SetInterrupt(ctx))
	if c.Gap = f.dialect.same(); c.Gap != nil {
		return c, nil
	}
	version, err := f.number(feedVersion)
	if err != nil || version == f.version {
		c.Caching = f.caching
		return c, err
	}
	var got []entry
	err = transaction(ctx, f.conn, begin, func(connection) (err error) {
		if err = f.look(); err == nil {
			got, err = f.entries(feedSince, f.last.seq, int64(feed.MaxChanges+2))
		}
		return err
	})
	if err != nil {
		return c, err
	}
	c.Caching = f.caching
	switch {
	case len(got) == 0 || got[0] != f.last:
		c.Gap = errors.New("the entry that was read last is gone: the table of the feed was pruned or replaced since")
	case len(got) > feed.MaxChanges+1:
		c.Gap = fmt.Errorf("more than %d changes since the last question", feed.MaxChanges)
	default:
		f.version, f.last = version, got[len(got)-1]
		for _, e := range got[1:] {
			c.Entries = append(c.Entries, e.Change)
		}
	}
	return c, nil
}

// look finds out whether all that SetUpFeed makes is there, and reads the mark.
func (f *follower) look() error {
	n, err := f.number(feedParts)
	if err == nil && n != feedTriggers+1 {
		err = fmt.Errorf("%w: of the table and %d triggers %d are there", dbstore.ErrNoFeed, feedTriggers, n)
	}
	if err != nil {
		return err
	}
	mark, err := f.number(feedMark)
	f.caching = dbstore.MarkState(mark) == feed.On
	return err
}

func (f *follower) number(s statement) (n int64, err error) {
	err = f.conn.query(s, func(scan scan) error { return scan(&n) })
	return n, err
}

func (f *follower) entries(s statement, args ...any) (all []entry, err error) {
	err = f.conn.query(s, func(scan scan) error {
		var e entry
		var id []byte
		var version, prev int64
		if err := scan(&e.seq, &id, &version, &prev); err != nil {
			return err
		}
		if len(id) != len(e.ID) {
			return fmt.Errorf("entry %d of the feed has an ID of %d bytes: %w", e.seq, len(id), core.ErrCorrupt)
		}
		e.Change = feed.Change{ID: core.ID(id), Version: core.Version(version), Prev: core.Version(prev)}
		all = append(all, e)
		return nil
	}, args...)
	return all, err
}

// Close implements feed.Follower.
func (f *follower) Close() error { return errors.Join(f.conn.free(), f.conn.Close()) }

// Seen implements dbstore.Feed. The last entry itself stays.
func (f *follower) Seen() int64 { return f.last.seq }
