package redis

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

// keys are the names of all that a store has on its server, of primaries only.
func (s *Store) keys(t testing.TB) (all []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, node := range s.server.client.Nodes() {
		role, err := node.Do(ctx, node.B().Role().Build()).ToArray()
		if err != nil {
			continue // a node that a test has ended
		}
		if name, _ := role[0].ToString(); name != "master" {
			continue
		}
		for cursor := uint64(0); ; {
			page, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(s.server.o.Prefix+"*").Count(5000).Build()).AsScanEntry()
			require.NoError(t, err)
			all = append(all, page.Elements...)
			if cursor = page.Cursor; cursor == 0 {
				break
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// wipe deletes all that a store has on its server.
func wipe(t testing.TB, s *Store) {
	t.Helper()
	c := s.server.client
	for _, key := range s.keys(t) {
		require.NoError(t, c.Do(background, c.B().Unlink().Key(key).Build()).Error())
	}
}

// audit holds the index to the records: every session has its entry, in a bucket
// and under a directory that live longer. It returns the sessions of entries that
// no session has.
func audit(t testing.TB, s *Store) (stale []core.ID) {
	t.Helper()
	c := s.server.client
	left := func(key string) int64 {
		n, err := c.Do(background, c.B().Pttl().Key(key).Build()).AsInt64()
		require.NoError(t, err)
		return n
	}
	entries := map[entry]int64{} // and how long their buckets live
	var records []string
	for _, key := range s.keys(t) {
		if key == s.server.markKey() || strings.HasPrefix(key, s.server.o.Prefix+hintName) {
			continue
		}
		name := key[strings.IndexByte(key, '}')+2:]
		if !strings.HasPrefix(name, indexName) {
			records = append(records, key)
			continue
		}
		shard, err := strconv.ParseUint(key[strings.IndexByte(key, '{')+1:][:2], 16, 8)
		require.NoError(t, err)
		directory, err := c.Do(background, c.B().Get().Key(s.server.shards[shard].index).Build()).ToString()
		require.NoError(t, err)
		if name == indexName {
			require.NotEqual(t, strings.Repeat(absent, bucketCount), directory)
			continue
		}
		longer := left(s.server.shards[shard].index)
		lives := left(key)
		require.GreaterOrEqual(t, longer+int64(core.Minute), lives, "the directory ends before a bucket; a moving slot costs it milliseconds")
		b := name[len(indexName)+1] - '0'
		require.NotEqual(t, absent, directory[int(b)*spanSize:][:spanSize], "bucket %d of shard %d is not in the directory", b, shard)
		members, err := c.Do(background, c.B().Zrange().Key(key).Min("0").Max("-1").Build()).AsStrSlice()
		require.NoError(t, err)
		for _, m := range members {
			e, ok := readEntry(place{int(shard), b}, m)
			require.True(t, ok, "%q", m)
			entries[e] = lives
		}
	}
	for _, key := range records {
		id := s.idOf(t, key)
		lives := left(key)
		value, err := c.Do(background, c.B().Get().Key(key).Build()).AsBytes()
		if rueidis.IsRedisNil(err) {
			continue
		}
		require.NoError(t, err)
		r, err := decode(id, value)
		require.NoError(t, err)
		require.GreaterOrEqual(t, lives, int64(0))
		e := entryOf(&r)
		indexed, ok := entries[e]
		require.True(t, ok, "%v, of %q, is missing from the index", id, r.User)
		require.Greater(t, indexed, lives, "the index of %v ends before the session", id)
		delete(entries, e)
	}
	for e := range entries {
		stale = append(stale, e.id)
	}
	return stale
}

func (s *Store) idOf(t testing.TB, key string) (id core.ID) {
	_, err := hex.Decode(id[:], []byte(key[len(key)-idSize:]))
	require.NoError(t, err)
	require.Equal(t, key, s.server.shard(id).record(id))
	return id
}

func entryOf(r *core.Record) entry {
	o := ownerOf(r.Tenant, r.User)
	return entry{o.short(), r.ID, o.bucket(r.ID)}
}
