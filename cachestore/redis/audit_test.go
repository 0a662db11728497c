package redis

import (
	"context"
	"slices"
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

// audit holds the index to the records: every session has its entries, and an
// index that lives longer. It returns entries that no session has.
func audit(t testing.TB, s *Store) (stale []string) {
	t.Helper()
	c := s.server.client
	entries, lives := map[string]bool{}, map[byte]int64{}
	var records []string
	for _, key := range s.keys(t) {
		if !strings.HasSuffix(key, ":"+indexName) {
			records = append(records, key)
			continue
		}
		members, err := c.Do(background, c.B().Zrange().Key(key).Min("0").Max("-1").Build()).AsStrSlice()
		require.NoError(t, err)
		for _, m := range members {
			e, ok := readEntry(m)
			require.True(t, ok, "%q", m)
			require.Equal(t, s.server.shard(e.id).index, key)
			entries[m] = true
		}
		left, err := c.Do(background, c.B().Pttl().Key(key).Build()).AsInt64()
		require.NoError(t, err)
		e, _ := readEntry(members[0])
		lives[e.id[0]] = left
	}
	for _, key := range records {
		id := s.idOf(t, key)
		left, err := c.Do(background, c.B().Pttl().Key(key).Build()).AsInt64()
		require.NoError(t, err)
		value, err := c.Do(background, c.B().Get().Key(key).Build()).AsBytes()
		if rueidis.IsRedisNil(err) {
			continue
		}
		require.NoError(t, err)
		r, err := decode(id, value)
		require.NoError(t, err)
		require.GreaterOrEqual(t, left, int64(0))
		require.Greater(t, lives[id[0]], left, "the index of %v ends before the session", id)
		for _, e := range entriesOf(&r) {
			require.True(t, entries[e], "%v, of %q, is missing from the index", id, r.User)
			delete(entries, e)
		}
	}
	for e := range entries {
		stale = append(stale, e)
	}
	return stale
}

func (s *Store) idOf(t testing.TB, key string) core.ID {
	name := key[len(key)-idSize:]
	e, ok := readEntry(byID + name + strings.Repeat("\x00", ownerSize))
	require.True(t, ok, key)
	require.Equal(t, key, s.server.shard(e.id).record(e.id))
	return e.id
}

func entriesOf(r *core.Record) []string {
	o := ownerOf(r.Tenant, r.User)
	all := []string{byID + nameOf(r.ID) + string(o[:])}
	if r.User != "" {
		all = append(all, byOwner+string(o[:])+nameOf(r.ID))
	}
	return all
}
