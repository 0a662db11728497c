package postgres

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// follower asks one statement, by whichever connection. What it has not seen yet is of
// transactions that its last snapshot did not know or knew as under way: a number
// of a sequence would pass by those that commit late.
type follower struct {
	db       *sql.DB
	dialect  dialect
	table    dbstore.Table
	question string
	at       *place // nil: before the first answer
}

// place is where an answer was read.
type place struct {
	snapshot
	table, entries, epoch int64 // what it was read from
}

// snapshot is the server's: transactions from xmax on had not begun, those of xip were
// under way, and all others had ended.
type snapshot struct {
	xmin, xmax int64
	xip        string // xid8[]
}

// Follow implements dbstore.FeedDialect.
func (d dialect) Follow(ctx context.Context, db dbstore.DB, t dbstore.Table) (dbstore.Feed, error) {
	f := &follower{db: db.Write, dialect: d, table: t, question: question(t)}
	c, err := f.Changes(ctx)
	if errors.Is(err, errNoFirst) {
		if _, err := db.Write.ExecContext(ctx, firstEntry(t)); err != nil {
			return nil, err
		}
		c, err = f.Changes(ctx)
	}
	if err == nil {
		err = c.Gap
	}
	if err == nil {
		_, err = d.Prune(ctx, db, t, 0, 0) // whether it may
	}
	return f, err
}

// question returns one row, with all entries in one value: a row for each would cost
// both sides more than the writers' triggers do. The order has the server go by the
// index, whatever it believes of the number of rows.
func question(t dbstore.Table) string {
	name, entries := t.String(), t.With("_feed")
	var names []string
	for _, g := range triggers {
		names = append(names, "'"+strings.Trim(t.Index(g.name), `"`)+"'")
	}
	one := "SELECT id, version, prev FROM " + entries + " WHERE "
	return "SELECT pg_current_snapshot()::text, NOT pg_is_in_recovery(), " + dbstore.MarkText(t) + ", " +
		"(SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass('" + name + "') AND tgenabled = 'A' AND tgname IN (" + strings.Join(names, ", ") + ")), " +
		"to_regclass('" + name + "')::oid::bigint, to_regclass('" + entries + "')::oid::bigint, first.pruned, first.epoch, e.n, e.ids " +
		"FROM (SELECT max(version) AS pruned, max(prev) AS epoch FROM " + entries + " WHERE xid = '0') AS first, " +
		"(SELECT count(*) AS n, string_agg(id || int8send(version) || int8send(prev), ''::bytea) AS ids FROM (" +
		"SELECT late.* FROM unnest($2::text::xid8[]) AS x CROSS JOIN LATERAL (" + one + "xid = x ORDER BY xid LIMIT $3) AS late " +
		"UNION ALL (" + one + "xid >= $1::text::xid8 ORDER BY xid LIMIT $3)) AS all_entries) AS e"
}

var (
	errNoFirst = fmt.Errorf("%w: its first row, as after a crash of the server", dbstore.ErrNoFeed)
	errReplica = errors.New("this server only reads, and may be behind")
)

// Changes implements feed.Follower.
func (f *follower) Changes(ctx context.Context) (c feed.Changes, err error) {
	from, late := strconv.FormatInt(math.MaxInt64, 10), "{}"
	if f.at != nil {
		from, late = strconv.FormatInt(f.at.xmax, 10), f.at.xip
	}
	var a answer
	err = f.db.QueryRowContext(ctx, f.question, from, late, feed.MaxChanges+1).
		Scan(&a.snapshot, &a.primary, &a.mark, &a.triggers, &a.table, &a.entries, &a.pruned, &a.epoch, &a.count, &a.packed)
	if err != nil {
		return c, f.missing(err)
	}
	now, gap, err := f.look(&a)
	if err != nil {
		return c, err
	}
	c.Caching = dbstore.MarkState(a.mark) == feed.On
	if gap == nil {
		c.Entries, gap = a.unpack()
	}
	if c.Gap = gap; gap == nil {
		f.at = &now
	}
	return c, nil
}

// answer to a question.
type answer struct {
	snapshot string
	primary  bool
	mark     int64
	triggers int

	table, entries, pruned, epoch sql.NullInt64

	count  int
	packed []byte // of each entry its ID, version and previous version
}

const packedSize = len(core.ID{}) + 8 + 8

func (a *answer) unpack() (all []feed.Change, gap error) {
	switch {
	case a.count > feed.MaxChanges:
		return nil, fmt.Errorf("more than %d changes since the last question", feed.MaxChanges)
	case len(a.packed) != a.count*packedSize:
		return nil, errors.New("the table was truncated, or an entry of the feed is none of a trigger")
	}
	for b := range slices.Chunk(a.packed, packedSize) {
		all = append(all, feed.Change{ID: core.ID(b[:16]), Version: core.Version(binary.BigEndian.Uint64(b[16:])), Prev: core.Version(binary.BigEndian.Uint64(b[24:]))})
	}
	return all, nil
}

// look returns where the answer was read, or why changes may be missing in it.
func (f *follower) look(a *answer) (now place, gap, err error) {
	switch {
	case !a.primary:
		return now, errReplica, nil
	case a.triggers != len(triggers):
		return now, nil, fmt.Errorf("%w: of %d triggers of table %s %d are there and fire always", dbstore.ErrNoFeed, len(triggers), f.table.Plain(), a.triggers)
	case !a.epoch.Valid:
		return now, nil, errNoFirst
	}
	now = place{table: a.table.Int64, entries: a.entries.Int64, epoch: a.epoch.Int64}
	if now.snapshot, err = parseSnapshot(a.snapshot); err != nil || f.at == nil {
		return now, nil, err
	}
	was := f.at
	switch {
	case was.epoch != now.epoch:
		gap = errors.New("the server has crashed, or is another")
	case was.table != now.table || was.entries != now.entries:
		gap = errors.New("a table was replaced by another")
	case a.pruned.Int64 > was.xmin:
		gap = errors.New("the feed was pruned since the last question")
	case now.xmin < was.xmin || now.xmax < was.xmax:
		gap = errors.New("the server is behind its last answer")
	}
	return now, gap, nil
}

// missing says by ErrNoFeed that there is no table.
func (f *follower) missing(err error) error {
	if f.dialect.Fault(err).Kind == dbstore.Missing {
		return fmt.Errorf("%w: %w", dbstore.ErrNoFeed, err)
	}
	return err
}

// parseSnapshot reads xmin:xmax:xip,xip.
func parseSnapshot(text string) (s snapshot, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("the server's snapshot is %.100q: %w", text, core.ErrCorrupt)
	}
	s.xip = "{" + parts[2] + "}"
	if s.xmin, err = strconv.ParseInt(parts[0], 10, 64); err == nil {
		s.xmax, err = strconv.ParseInt(parts[1], 10, 64)
	}
	return s, err
}

// Seen implements dbstore.Feed: transactions below this number had all ended.
func (f *follower) Seen() int64 { return f.at.xmin }

// Close implements feed.Follower. It holds nothing.
func (f *follower) Close() error { return nil }
