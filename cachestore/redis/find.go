package redis

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/redis/rueidis"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of a search.
const (
	findEntries = 16 << 10 // of a user's, read in one go: a third of a megabyte
	findRecords = 256      // read in one go
	findBuckets = 512      // read in one go, whole
	fewEntries  = 16       // of a user's, asked of a shard at the least
	someShards  = 16       // asked at first
)

// Find implements hosts.Finder. It reads the buckets that may have what q
// selects, a user's one in each shard if there is one, and only the records that
// may match. The search of a login reads only the shards that a hint names. Damaged
// records are passed over; one of a newer format fails the search.
func (s *Store) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	f := finder{
		part: s.server.whole, q: &q, owner: ownerOf(q.Tenant, q.User), after: after, first: int(after[0]),
		user: !q.AnyUser && q.User != "", width: someShards, buckets: bucketCount,
	}
	if f.exact = f.user && !q.AnyTenant; f.user {
		f.width, f.buckets = shardCount, shardCount // most users have few sessions
	}
	f.budget = max(min(limit, findEntries), fewEntries)
	if f.exact && hosts.IsLoginSearch(ctx) {
		if err := f.recall(ctx); err != nil {
			return nil, err
		}
	}
	var found []core.Record
	for len(found) < limit {
		entries, err := f.take(ctx, min(limit-len(found), findRecords))
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			if f.walk != "" {
				f.note(ctx)
			}
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
	q       *hosts.Query
	owner   owner
	user    bool // one user's bucket of each shard is enough
	exact   bool // and there the entries of one tenant, which are in the order of their IDs
	after   core.ID
	first   int // shard that is read next
	width   int // shards that the next reading looks at
	buckets int // and how many buckets it reads of them, about
	budget  int // entries that it asks for, if exact
	ready   []entry

	hinted bool             // only the shards of the hint are read
	hint   []int            // those, in order
	walk   string           // begun in the hint; empty: none
	met    [shardCount]bool // shards with entries that may match
}

// take returns the next entries that may match, in the order of their IDs, at
// most n. None means that there are no more.
func (f *finder) take(ctx context.Context, n int) ([]entry, error) {
	for len(f.ready) == 0 && f.first < shardCount {
		if err := f.fill(ctx); err != nil {
			return nil, err
		}
	}
	n = min(n, len(f.ready))
	taken := f.ready[:n]
	f.ready = f.ready[n:]
	return taken, nil
}

// fill reads several shards, the more the emptier they are. A shard that has
// more than it was asked for is where the next reading begins.
func (f *finder) fill(ctx context.Context) error {
	t, err := f.gate.enter(ctx)
	if err != nil {
		return err
	}
	defer t.leave()
	places, next, err := f.survey(t, min(f.first+f.width, shardCount))
	if err != nil {
		return err
	}
	each := max(f.budget/f.width, fewEntries)
	f.width, f.buckets, f.budget = min(2*f.width, shardCount), min(2*f.buckets, findBuckets), min(2*f.budget, findEntries)
	if len(places) > 0 {
		results := t.read(func() []rueidis.RedisResult {
			commands := make([]rueidis.Completed, len(places))
			for i, p := range places {
				commands[i] = f.command(p, each)
			}
			return f.client.DoMulti(t, commands...)
		})
		for i, r := range results {
			texts, err := r.AsStrSlice()
			if err != nil {
				return t.fail("find", err)
			}
			f.add(places[i], texts)
			if f.exact && len(texts) == each {
				if end, ok := readEntry(places[i], texts[each-1]); ok {
					f.first, f.after, f.width = places[i].shard, end.id, 1
					return nil
				}
			}
		}
		slices.SortFunc(f.ready, func(a, b entry) int { return bytes.Compare(a.id[:], b.id[:]) })
	}
	f.first = next
	return nil
}

// survey tells which buckets of the shards from f.first to last are to be read
// now, and the shard behind those. What a server of the version before has
// written is converted first. A hint needs no directories: a bucket that is not there
// is empty.
func (f *finder) survey(t *turn, last int) (places []place, next int, err error) {
	if f.hinted {
		for _, n := range f.hint {
			if f.first <= n && n < last {
				places = append(places, place{n, f.owner.bucket(core.ID{})})
			}
		}
		return places, last, nil
	}
	directories, err := f.converted(t, f.first, last)
	if err != nil {
		return nil, 0, err
	}
	for i, d := range directories {
		if len(places) >= f.buckets {
			return places, f.first + i, nil
		}
		for b := range len(d) / spanSize {
			own := !f.user || byte(b) == f.owner.bucket(core.ID{})
			if own && d[b*spanSize:(b+1)*spanSize] != absent {
				places = append(places, place{f.first + i, byte(b)})
			}
		}
	}
	return places, last, nil
}

// command asks for the entries of a bucket: n of those behind f.after, or all.
func (f *finder) command(p place, n int) rueidis.Completed {
	all := f.client.B().Zrangebylex().Key(f.shards[p.shard].bucket(p.bucket))
	asked := f.owner.short()
	switch {
	case f.exact:
		from := "[" + string(asked[:])
		if p.shard == int(f.after[0]) {
			from = "(" + string(asked[:]) + string(f.after[1:])
		}
		return all.Min(from).Max("["+string(asked[:])+highest).Limit(0, int64(n)).Build()
	case f.user:
		return all.Min("[" + string(asked[:4])).Max("[" + string(asked[:4]) + highest).Build()
	}
	return all.Min("-").Max("+").Build()
}

// add keeps what may match of the entries of a bucket.
func (f *finder) add(from place, texts []string) {
	asked := f.owner.short()
	for _, text := range texts {
		e, ok := readEntry(from, text)
		if ok && bytes.Compare(e.id[:], f.after[:]) > 0 && e.owner.may(f.q, asked) {
			f.ready = append(f.ready, e)
			f.met[from.shard] = true
		}
	}
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
