package dbstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// ErrNoFeed means that what the feed needs in the database is missing, or not as
// FeedDialect.SetUpFeed makes it.
var ErrNoFeed = errors.New("the triggers or the table of the feed are missing or changed")

// FeedDialect is a Dialect whose database can report changes. Triggers write an
// entry into the table's companion _feed in the transaction that changes a session,
// whichever program that is.
type FeedDialect interface {
	// CanFeed returns an error that wraps feed.ErrUnsupported and says what to do,
	// where changes cannot be followed by connections like these.
	CanFeed() error
	// SetUpFeed makes the table and the triggers, or those of them that are missing,
	// within Exclusive. A trigger that is there is never away meanwhile.
	SetUpFeed(ctx context.Context, c *sql.Conn, t Table) error
	// FeedScript is the same as SQL, for an administrator to run.
	FeedScript(t Table) string
	// FeedDrop returns those that remove what does not go with the sessions' table.
	FeedDrop(t Table) []string
	// Follow begins to follow from now on. The error wraps ErrNoFeed where
	// SetUpFeed has to be called.
	Follow(ctx context.Context, db DB, t Table) (Feed, error)
	// Prune deletes at most limit entries below a number that Feed.Seen returned,
	// the oldest first, and returns how many it deleted.
	Prune(ctx context.Context, db DB, t Table, below int64, limit int) (int, error)
	// OnPrimary is an expression that is true on a server that decides.
	OnPrimary() string
}

// Feed follows one table. An error wraps ErrNoFeed where a trigger or the table is
// missing or switched off.
type Feed interface {
	feed.Follower
	// Seen returns a number below which every entry was reported or is from before
	// Follow. It is positive and never falls.
	Seen() int64
}

var _ feed.Caching = (*Store)(nil)

// feedDialect returns the one that can follow, or what to do.
func (b *backend) feedDialect() (FeedDialect, error) {
	d, ok := b.dialect.(FeedDialect)
	if !ok {
		return nil, fmt.Errorf("dbstore: %s: %w: its dialect is no dbstore.FeedDialect", b.dialect.Name(), feed.ErrUnsupported)
	}
	if err := d.CanFeed(); err != nil {
		return nil, fmt.Errorf("dbstore: %s: %w", b.dialect.Name(), err)
	}
	return d, nil
}

// CanCache returns an error that wraps feed.ErrUnsupported, and says what to do,
// where a store like this cannot be cached. It asks the database nothing.
func (s *Store) CanCache() error {
	_, err := s.feedDialect()
	return err
}

// CanFollow is CanCache, for who follows the store without a cache: a watch of
// sessions is then refused at once, and does not ask again and again.
func (s *Store) CanFollow() error { return s.CanCache() }

// FeedSchema returns what makes the feed of a table, as SQL for an administrator to
// run: what the first cache does by itself.
func FeedSchema(d Dialect, table string) (string, error) {
	t, err := ParseTable(table, d.Syntax())
	if err != nil {
		return "", fmt.Errorf("dbstore: %s: %w", d.Name(), err)
	}
	f, ok := d.(FeedDialect)
	if !ok {
		return "", fmt.Errorf("dbstore: %s: %w: its dialect is no dbstore.FeedDialect", d.Name(), feed.ErrUnsupported)
	}
	return f.FeedScript(t), nil
}

// Follow implements feed.Source. The first call for a table makes the triggers and
// the companion _feed, unless Options.NoMigrate.
func (s *Store) Follow(ctx context.Context) (feed.Follower, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	d, err := s.feedDialect()
	if err != nil {
		return nil, err
	}
	f, err := s.openFeed(ctx, d)
	if err != nil {
		return nil, err
	}
	return s.followers.add(&follower{store: s, feed: f}), nil
}

// CheckFeed reports what the feed lacks that a cache once made for the table, such as a
// trigger that somebody has dropped or switched off. It wraps ErrNoFeed then. A store
// that was never cached has no feed and lacks nothing.
func (s *Store) CheckFeed(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	d, err := s.feedDialect()
	if err != nil {
		return err
	}
	switch state, err := s.cachingState(ctx, s.db.Write); {
	case err != nil:
		return s.fail(ctx, "look at the feed", err)
	case state == feed.None:
		return nil
	}
	f, err := d.Follow(ctx, s.db, s.table)
	if err != nil {
		return s.feedFailed(ctx, d, "look at the feed", err)
	}
	return f.Close()
}

// openFeed follows, and makes what is missing for that.
func (b *backend) openFeed(ctx context.Context, d FeedDialect) (Feed, error) {
	f, err := d.Follow(ctx, b.db, b.table)
	if err == nil || ended(ctx) != nil || !errors.Is(err, ErrNoFeed) || b.noMigrate {
		return f, b.feedFailed(ctx, d, "follow", err)
	}
	err = b.exclusively(ctx, func(ctx context.Context, c *sql.Conn) error {
		return d.SetUpFeed(ctx, c, b.table)
	})
	if err != nil {
		return nil, b.feedFailed(ctx, d, "set up the feed", err)
	}
	f, err = d.Follow(ctx, b.db, b.table)
	return f, b.feedFailed(ctx, d, "follow", err)
}

// feedFailed is fail, with what an administrator has to run or to grant.
func (b *backend) feedFailed(ctx context.Context, d FeedDialect, verb string, err error) error {
	switch {
	case err == nil || ended(ctx) != nil:
		return b.fail(ctx, verb, err)
	case errors.Is(err, ErrNoFeed):
		return fmt.Errorf("dbstore: %s: %s: %w: %w; have an administrator run:\n%s",
			b.dialect.Name(), verb, hosts.ErrRefused, err, d.FeedScript(b.table))
	}
	if f := b.fault(err); f.Kind == Denied || f.Kind == Refused && !own(err) {
		remedy := fmt.Sprintf("grant SELECT, INSERT, UPDATE and DELETE on %s", b.table.With("_feed"))
		if verb != "follow" {
			remedy = fmt.Sprintf("grant the right to create tables, and triggers on %s", b.table)
		}
		return fmt.Errorf("dbstore: %s: %s: %w: %w; %s, or have an administrator run:\n%s", b.dialect.Name(), verb,
			hosts.ErrRefused, err, cmp.Or(f.Remedy, remedy), d.FeedScript(b.table))
	}
	return b.fail(ctx, verb, err)
}

// followers of a store, which end with it.
type followers struct {
	mu  sync.Mutex
	all []*follower
}

func (f *followers) add(one *follower) *follower {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, one)
	return one
}

func (f *followers) remove(one *follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = slices.DeleteFunc(f.all, func(o *follower) bool { return o == one })
}

// close is called when no call is under way.
func (f *followers) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	for _, one := range f.all {
		err = errors.Join(err, one.free())
	}
	f.all = nil
	return err
}

// follower is a Feed with the errors and the bounds of a store.
type follower struct {
	store *Store
	once  sync.Once
	feed  Feed
}

// Changes implements feed.Follower.
func (f *follower) Changes(ctx context.Context) (feed.Changes, error) {
	s := f.store
	if err := s.enter(ctx); err != nil {
		return feed.Changes{}, err
	}
	defer s.leave()
	c, err := f.feed.Changes(ctx)
	switch {
	case errors.Is(err, ErrNoFeed):
		return feed.Changes{Gap: s.fail(ctx, "follow", err)}, nil
	case err != nil:
		return feed.Changes{}, s.fail(ctx, "follow", err)
	case c.Gap == nil:
		s.prune(f.feed.Seen())
	}
	return c, nil
}

// Close implements feed.Follower. A second Close does nothing.
func (f *follower) Close() error {
	f.store.followers.remove(f)
	return f.free()
}

func (f *follower) free() (err error) {
	f.once.Do(func() { err = f.feed.Close() })
	return err
}
