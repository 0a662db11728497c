package redis

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var background = context.Background()

// newRecord is a session of ada's at acme, with an hour to live.
func newRecord() core.Record {
	var b [24]byte
	rand.Read(b[:]) // never fails
	r := core.Record{ID: core.ID(b[:16]), Tenant: "acme", User: "ada", CreatedAt: now(), SeenAt: now(), ExpiresAt: now() + core.Hour, Sealed: []byte("sealed")}
	r.Version = core.Version(binary.BigEndian.Uint64(b[16:])>>1 | 1)
	return r
}

func now() core.Time { return core.Time(time.Now().UnixMilli()) }

// next is another state of r.
func next(r core.Record) core.Record {
	r.Version = newRecord().Version
	return r
}

func save(t testing.TB, s hosts.Store, r core.Record, prev core.Version) core.Record {
	t.Helper()
	require.NoError(t, s.Save(background, r, prev))
	return r
}

func requireHolds(t testing.TB, s hosts.Store, want core.Record) {
	t.Helper()
	got, err := s.Load(background, want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func requireGone(t testing.TB, s hosts.Store, id core.ID) {
	t.Helper()
	_, err := s.Load(background, id)
	require.ErrorIs(t, err, core.ErrNotFound)
}

func idsOf(records []core.Record) []core.ID {
	var ids []core.ID
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

// expire has the server forget a record as if its time had come.
func (s *Store) expire(t testing.TB, r core.Record) {
	t.Helper()
	c := s.server.client
	n, err := c.Do(background, c.B().Pexpireat().Key(s.server.shard(r.ID).record(r.ID)).MillisecondsTimestamp(1).Build()).AsInt64()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
