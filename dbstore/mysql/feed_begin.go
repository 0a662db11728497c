package mysql

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// part of the feed's table, by how many entries it has and which.
type part struct{ number, count, sum int64 }

// partSize is how many numbers a part has.
const partSize = 4096

// findOpen begins at what is committed now: it finds the highest number, and what others
// have written below it and not committed. Only parts in which both reads differ are
// read entry by entry: the table has those of five minutes.
func (f *follower) findOpen(ctx context.Context) error {
	committed, err := f.parts(ctx)
	if err != nil {
		return err
	}
	if _, err := f.conn.ExecContext(ctx, readUncommitted); err != nil {
		return err
	}
	written, err := f.parts(ctx)
	if err != nil {
		return err
	}
	if _, err := f.conn.ExecContext(ctx, readUncommitted); err != nil {
		return err
	}
	if err := f.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(seq), 1) FROM "+f.table.With("_feed")).Scan(&f.highest); err != nil {
		return err
	}
	now := time.Now()
	for _, p := range written {
		if slices.Contains(committed, p) {
			continue
		}
		if err := f.findIn(ctx, p.number*partSize, (p.number+1)*partSize-1, time.Time{}); err != nil {
			return err
		}
	}
	return f.findIn(ctx, max(f.highest-lookBack, 1)+1, f.highest, now)
}

// parts of the table, as the next transaction reads it.
func (f *follower) parts(ctx context.Context) (all []part, err error) {
	rows, err := f.conn.QueryContext(ctx, fmt.Sprintf("SELECT seq DIV %d AS n, COUNT(*), CAST(SUM(seq) AS SIGNED) FROM %s GROUP BY n", partSize, f.table.With("_feed")))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p part
		if err := rows.Scan(&p.number, &p.count, &p.sum); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// findIn opens the numbers of a range that are written and not committed; and those that
// are missing, if they have a time.
func (f *follower) findIn(ctx context.Context, from, to int64, missing time.Time) error {
	from = max(from, 2) // the first row is no entry
	where := fmt.Sprintf("seq BETWEEN %d AND %d", from, to)
	committed, err := f.committed(ctx, where)
	if err != nil {
		return err
	}
	written, err := f.written(ctx, where)
	if err != nil {
		return err
	}
	for n := from; n <= min(to, f.highest); n++ {
		_, done := committed[n]
		switch {
		case done:
		case written[n]:
			f.open[n] = time.Time{}
		case !missing.IsZero():
			f.open[n] = missing
		}
	}
	return nil
}
