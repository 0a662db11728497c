package redis

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of a search.
const (
	findEntries = 16 << 10 // of the index, read in one go: half a megabyte
	findRecords = 256      // read in one go
	fewEntries  = 16       // asked of a shard at the least
	someShards  = 16       // asked at first
)

// Behind all owners, and all IDs in hex.
var (
	highestOwner = strings.Repeat("\xff", ownerSize)
	highestID    = "g"
)

// Find implements hosts.Finder. With tenant and user named it asks the shards
// for that owner's sessions. Otherwise it reads the index in the order of IDs,
// 33 bytes a session, and only the records that may match. Damaged records are
// passed over; one of a newer format fails the search.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	f := finder{part: s.server.whole, q: &q, asked: ownerOf(q.Tenant, q.User), after: after, width: someShards}
	if f.exact = !q.AnyTenant && !q.AnyUser && q.User != ""; f.exact {
		f.width = shardCount // most users have few sessions
	}
	f.budget = max(min(limit, findEntries), fewEntries)
	var found []core.Record
	for len(found) < limit {
		entries, err := f.take(ctx, min(limit-len(found), findRecords))
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			break
		}
		if found, err = f.check(ctx, entries, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// finder reads the index for one page.
type finder struct {
	*part
	q      *hosts.Query
	asked  owner
	exact  bool // by the owner's entries
	after  core.ID
	width  int // shards that the next reading asks
	budget int // entries that the next reading asks for
	ready  []entry
	done   bool
}

// take returns the next entries that may match, in the order of their IDs, at
// most n. None means that there are no more.
func (f *finder) take(ctx context.Context, n int) ([]entry, error) {
	for len(f.ready) == 0 && !f.done {
		if err := f.fill(ctx); err != nil {
			return nil, err
		}
	}
	n = min(n, len(f.ready))
	taken := f.ready[:n]
	f.ready = f.ready[n:]
	return taken, nil
}

// fill asks several shards, the more the emptier they are. A shard that has
// more than it was asked for is where the next reading begins.
func (f *finder) fill(ctx context.Context) error {
	t, err := f.gate.enter(ctx)
	if err != nil {
		return err
	}
	defer t.leave()
	first := int(f.after[0])
	last := min(first+f.width, shardCount)
	each := max(f.budget/f.width, fewEntries)
	f.width, f.budget = min(2*f.width, shardCount), min(2*f.budget, findEntries)
	results := t.read(func() []rueidis.RedisResult {
		var commands []rueidis.Completed
		for n := first; n < last; n++ {
			commands = append(commands, f.command(f.shards[n].index, each))
		}
		return f.client.DoMulti(t, commands...)
	})
	for i, r := range results {
		texts, err := r.AsStrSlice()
		if err != nil {
			return t.fail("find", err)
		}
		var end entry
		for _, text := range texts {
			if e, ok := readEntry(text); ok && e.id[0] == byte(first+i) {
				end = e
				if e.owner.may(f.q, f.asked) {
					f.ready = append(f.ready, e)
				}
			}
		}
		if len(texts) == each && bytes.Compare(end.id[:], f.after[:]) > 0 {
			f.after, f.width = end.id, 1
			return nil
		}
	}
	if f.done = last == shardCount; !f.done {
		f.after = core.ID(append([]byte{byte(last - 1)}, bytes.Repeat([]byte{0xff}, len(f.after)-1)...))
	}
	return nil
}

// command asks one index for n entries behind f.after.
func (f *finder) command(index string, n int) rueidis.Completed {
	from, to := "("+byID+nameOf(f.after)+highestOwner, "["+byID+highestID
	if f.exact {
		of := byOwner + string(f.asked[:])
		from, to = "("+of+nameOf(f.after), "["+of+highestID
	}
	return f.client.B().Zrangebylex().Key(index).Min(from).Max(to).Limit(0, int64(n)).Build()
}

// check reads the records of entries and adds those that match to found.
func (f *finder) check(ctx context.Context, entries []entry, found []core.Record) ([]core.Record, error) {
	ids := make([]core.ID, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	var gone []entry
	for i, l := range f.LoadMany(ctx, ids) {
		switch {
		case errors.Is(l.Err, core.ErrNotFound):
			gone = append(gone, entries[i])
		case errors.Is(l.Err, core.ErrCorrupt):
		case l.Err != nil:
			return nil, l.Err
		case f.q.Matches(&l.Record):
			found = append(found, l.Record)
		}
	}
	if gone != nil {
		f.clean(ctx, gone)
	}
	return found, nil
}

// clean drops entries whose records have expired, unless they have come back.
// What fails here is left to the next search or insert.
func (s *part) clean(ctx context.Context, gone []entry) {
	t, err := s.gate.enter(ctx)
	if err != nil {
		return
	}
	defer t.leave()
	var jobs []job
	of := make(map[byte]int)
	for _, e := range gone {
		sh := s.shard(e.id)
		n, ok := of[e.id[0]]
		if !ok {
			n = len(jobs)
			of[e.id[0]] = n
			jobs = append(jobs, job{script: &cleanScript})
		}
		jobs[n].keys = append(jobs[n].keys, sh.record(e.id))
		jobs[n].args = append(jobs[n].args, nameOf(e.id), string(e.owner[:]))
	}
	for first, n := range of {
		jobs[n].keys = append(jobs[n].keys, s.shards[first].index)
	}
	s.run(t, jobs)
}
