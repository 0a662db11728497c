package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// follower has a connection of its own, and reads entries by their numbers. A number
// is given out before the entry can be seen, and the entry is committed later than
// others with larger numbers. So each question reads twice: first what is
// committed, and then (READ UNCOMMITTED) what anybody has written. This reports
// everything that was acknowledged before a question:
//
// An entry that is acknowledged was committed before the first read, so that read has
// it if it asks for its number. It does, if the number is above the highest that any
// earlier read has seen, or is open. If it is neither, an earlier question saw a
// number above it for the first time, and then the entry was reported, or was written
// and not committed, or was missing: the last two are what is open. A number that was
// written ceases to be open once the second read no longer has it, after a first
// read that did not have it either: it was undone. A missing one ceases after
// keepMissing, for nothing else shows that it was undone. Between the draw of a
// number and its entry there is no more than a wait for a lock on the end of the
// feed's table, which innodb_lock_wait_timeout ends, and during which nobody's
// larger number comes to be seen.
//
// What the follower finds when it begins is open in the same way.
type follower struct {
	conn    *sql.Conn
	table   dbstore.Table
	token   string              // in a variable of the connection: another one does not have it
	lost    error               // why the connection is not relied on
	highest int64               // number that was seen, committed or not
	open    map[int64]time.Time // numbers that may be committed later; missing ones have since when
	epoch   int64
}

const (
	keepMissing = 5 * time.Minute // a number without an entry is asked for
	maxOpen     = 4096            // numbers; more are a gap
	lookBack    = 1024            // numbers below the highest that may be missing when a follower begins
)

// Follow implements dbstore.FeedDialect.
func (d dialect) Follow(ctx context.Context, db dbstore.DB, t dbstore.Table) (dbstore.Feed, error) {
	if _, err := d.Prune(ctx, db, t, 0, 0); err != nil { // whether it may
		return nil, missing(err)
	}
	conn, err := db.Write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	f := &follower{conn: conn, table: t, token: fmt.Sprintf("%016x", rand.Uint64()), open: map[int64]time.Time{}}
	if err := f.begin(ctx); err != nil {
		return nil, errors.Join(missing(err), conn.Close())
	}
	return f, nil
}

func (f *follower) begin(ctx context.Context) error {
	if _, err := f.conn.ExecContext(ctx, "SET @sessions_feed = '"+f.token+"'"); err != nil {
		return err
	}
	var step int
	if err := f.conn.QueryRowContext(ctx, "SELECT @@auto_increment_increment").Scan(&step); err != nil {
		return err
	}
	if step != 1 {
		return fmt.Errorf("%w where auto_increment_increment is %d, as in a cluster that writes on several nodes; use no cache, or another store", feed.ErrUnsupported, step)
	}
	at, err := f.look(ctx)
	if err != nil || at.gap != nil {
		return errors.Join(err, at.gap)
	}
	f.epoch = at.epoch
	return f.findOpen(ctx)
}

// state is what the table and the server say of themselves.
type state struct {
	pruned, epoch int64
	gap           error
}

// look is asked after the entries were read.
func (f *follower) look(ctx context.Context) (s state, err error) {
	var same, primary bool
	var triggers int
	var pruned, epoch sql.NullInt64
	entries := f.table.With("_feed")
	err = f.conn.QueryRowContext(ctx, "SELECT COALESCE(@sessions_feed = '"+f.token+"', 0), "+dialect{}.OnPrimary()+", "+countTriggers(f.table)+
		", (SELECT version FROM "+entries+" WHERE seq = 1), (SELECT prev FROM "+entries+" WHERE seq = 1)").
		Scan(&same, &primary, &triggers, &pruned, &epoch)
	if err != nil {
		return s, err
	}
	s = state{pruned: pruned.Int64, epoch: epoch.Int64}
	switch {
	case !same:
		s.gap = errors.New("the connection is another one")
	case !primary:
		s.gap = errors.New("this server only reads (read_only), and may be behind")
	case triggers != 2:
		err = fmt.Errorf("%w: of 2 triggers of table %s this user sees %d; the right TRIGGER on the table shows them", dbstore.ErrNoFeed, f.table.Plain(), triggers)
	case !epoch.Valid:
		err = fmt.Errorf("%w: the first row of %s_feed", dbstore.ErrNoFeed, f.table.Plain())
	}
	return s, err
}

// Changes implements feed.Follower. After an error the connection may have an answer
// of before on its way: the next call is a gap.
func (f *follower) Changes(ctx context.Context) (c feed.Changes, err error) {
	if f.lost != nil {
		return feed.Changes{Gap: fmt.Errorf("the connection was lost: %w", f.lost)}, nil
	}
	defer func() {
		if err != nil {
			f.lost = err
		}
	}()
	// The mark is read before the entries, too: a logout that finds it off afterwards
	// came when no cache had relied on anything for long.
	var mark int64
	if err := f.conn.QueryRowContext(ctx, "SELECT "+dbstore.MarkText(f.table)).Scan(&mark); err != nil {
		return c, missing(err)
	}
	unseen := f.Seen()
	committed, err := f.committed(ctx, f.numbers())
	if err != nil {
		return c, missing(err)
	}
	written, err := f.written(ctx, f.numbers())
	if err != nil {
		return c, missing(err)
	}
	now, err := f.look(ctx)
	if err != nil {
		return c, missing(err)
	}
	c.Caching, c.Gap = dbstore.MarkState(mark) == feed.On, now.gap
	switch {
	case c.Gap != nil:
	case now.epoch != f.epoch:
		c.Gap = errors.New("the table of the feed is another one")
	case now.pruned > unseen:
		c.Gap = errors.New("the feed was pruned since the last question")
	case len(committed) > feed.MaxChanges || len(written) > feed.MaxChanges+maxOpen:
		c.Gap = fmt.Errorf("more than %d changes since the last question", feed.MaxChanges)
	default:
		c.Entries = f.settle(committed, written, time.Now())
	}
	if len(f.open) > maxOpen {
		c = feed.Changes{Gap: fmt.Errorf("more than %d numbers of the feed are open", maxOpen)}
	}
	return c, nil
}

// settle takes what both reads had.
func (f *follower) settle(committed map[int64]feed.Change, written map[int64]bool, now time.Time) (all []feed.Change) {
	for n, c := range committed {
		all = append(all, c)
		delete(f.open, n)
	}
	for n, since := range f.open {
		if !written[n] && (since.IsZero() || now.Sub(since) > keepMissing) {
			delete(f.open, n)
		}
	}
	highest := f.highest
	for n := range written {
		highest = max(highest, n)
	}
	for n := range committed {
		highest = max(highest, n)
	}
	if highest-f.highest > feed.MaxChanges+maxOpen {
		f.highest = highest - feed.MaxChanges - maxOpen // too many are open, then
	}
	for n := f.highest + 1; n <= highest; n++ {
		if _, done := committed[n]; !done {
			f.open[n] = now
		}
	}
	for n := range written {
		if _, open := f.open[n]; open {
			f.open[n] = time.Time{}
		}
	}
	f.highest = highest
	return all
}

// numbers is the condition of what is asked for.
func (f *follower) numbers() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seq > %d", max(f.highest, 1))
	for n := range f.open {
		fmt.Fprintf(&b, ",%d", n)
	}
	return strings.Replace(b.String(), ",", " OR seq IN (", 1) + strings.Repeat(")", min(1, len(f.open)))
}

// committed reads in a transaction of its own.
func (f *follower) committed(ctx context.Context, where string) (map[int64]feed.Change, error) {
	rows, err := f.conn.QueryContext(ctx, fmt.Sprintf("SELECT seq, id, version, prev FROM %s WHERE %s LIMIT %d", f.table.With("_feed"), where, feed.MaxChanges+1))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[int64]feed.Change{}
	var id sql.RawBytes
	for rows.Next() {
		var n, version, prev int64
		if err := rows.Scan(&n, &id, &version, &prev); err != nil {
			return nil, err
		}
		if len(id) != len(core.ID{}) {
			return nil, fmt.Errorf("entry %d of the feed has an ID of %d bytes: %w", n, len(id), core.ErrCorrupt)
		}
		all[n] = feed.Change{ID: core.ID(id), Version: core.Version(version), Prev: core.Version(prev)}
	}
	return all, rows.Err()
}

// written reads the numbers of all entries that are there, committed or not.
func (f *follower) written(ctx context.Context, where string) (map[int64]bool, error) {
	all := map[int64]bool{}
	if _, err := f.conn.ExecContext(ctx, readUncommitted); err != nil {
		return nil, err
	}
	rows, err := f.conn.QueryContext(ctx, fmt.Sprintf("SELECT seq FROM %s WHERE %s LIMIT %d", f.table.With("_feed"), where, feed.MaxChanges+maxOpen+1))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all[n] = true
	}
	return all, rows.Err()
}

// readUncommitted is how the statement that follows reads.
const readUncommitted = "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"

// Seen implements dbstore.Feed: below it nothing is open.
func (f *follower) Seen() int64 {
	least := f.highest + 1
	for n := range f.open {
		least = min(least, n)
	}
	return least
}

// Close implements feed.Follower.
func (f *follower) Close() error {
	if err := f.conn.Close(); !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil // a question that was cut off has closed it
}

// missing says by ErrNoFeed that there is no table.
func missing(err error) error {
	if err != nil && (dialect{}).Fault(err).Kind == dbstore.Missing {
		return fmt.Errorf("%w: %w", dbstore.ErrNoFeed, err)
	}
	return err
}
