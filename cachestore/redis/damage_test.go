package redis

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

func (s *Store) put(t *testing.T, id core.ID, value string) {
	c := s.server.client
	require.NoError(t, c.Do(background, c.B().Set().Key(s.server.shard(id).record(id)).Value(value).Keepttl().Build()).Error())
}

// A value that somebody damaged is told from one that is not there, is in
// nobody's way, and can be deleted.
func TestDamagedValues(t *testing.T) {
	s := own(t, Options{})
	good := save(t, s, newRecord(), core.NoVersion)
	r := save(t, s, newRecord(), core.NoVersion)
	value := encode(&r, expiry(r.ExpiresAt, core.Hour))
	for _, bad := range []string{"x", value[:20], value[:len(value)-1], value + "x", value[:len(value)-1] + "x"} {
		s.put(t, r.ID, bad)
		_, err := s.Load(t.Context(), r.ID)
		require.ErrorIs(t, err, core.ErrCorrupt)
		loaded := s.LoadMany(t.Context(), []core.ID{r.ID, good.ID})
		require.ErrorIs(t, loaded[0].Err, core.ErrCorrupt)
		require.NoError(t, loaded[1].Err)
		require.Error(t, s.Save(t.Context(), next(r), newRecord().Version))
		require.Error(t, s.Save(t.Context(), next(r), core.NoVersion), "an insert over it")
		found, err := s.Find(t.Context(), everybody, core.ID{}, 10)
		require.NoError(t, err)
		require.Equal(t, []core.ID{good.ID}, idsOf(found))
	}
	require.NoError(t, s.Delete(t.Context(), r.ID))
	requireGone(t, s, r.ID)
	s.put(t, good.ID, "y")
	require.NoError(t, s.Delete(t.Context(), good.ID))
	found, err := s.Find(t.Context(), everybody, core.ID{}, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Empty(t, s.keys(t), "also the entries, whose owner the values did not tell")
}

// The sessions of a newer program are its own: they are not taken for damage,
// and a search does not pass over them in silence.
func TestNewerFormat(t *testing.T) {
	s := own(t, Options{})
	r := save(t, s, newRecord(), core.NoVersion)
	newer := []byte(encode(&r, expiry(r.ExpiresAt, core.Hour)))
	newer[offFormat]++
	s.put(t, r.ID, string(newer))
	_, err := s.Load(t.Context(), r.ID)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.NotErrorIs(t, err, core.ErrCorrupt)
	require.ErrorContains(t, err, "upgrade")
	_, err = s.Find(t.Context(), everybody, core.ID{}, 10)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorIs(t, s.Save(t.Context(), next(r), core.NoVersion), core.ErrConflict)
	require.NoError(t, s.Delete(t.Context(), r.ID), "an end is never refused")
	require.Empty(t, s.keys(t))
}

// Another program's keys under our names spoil no other session.
func TestForeignKeys(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *Store{
		"single":  func(t *testing.T) *Store { return own(t, Options{}) },
		"cluster": func(t *testing.T) *Store { return ownCluster(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			all := inShard(3)
			s.number(t, "RPUSH", s.server.shard(all[1].ID).record(all[1].ID), "x")
			errs := s.SaveMany(t.Context(), []hosts.Saving{{Record: all[0]}, {Record: all[1]}, {Record: all[2]}})
			require.NoError(t, errs[0])
			require.ErrorIs(t, errs[1], hosts.ErrUnavailable)
			require.ErrorContains(t, errs[1], "another program")
			require.NoError(t, errs[2])
			_, err := s.Load(t.Context(), all[1].ID)
			require.ErrorIs(t, err, hosts.ErrUnavailable, "neither there nor ended")
			requireHolds(t, s, all[0])
			require.NoError(t, s.Delete(t.Context(), all[1].ID))
			requireGone(t, s, all[1].ID)

			foreign := newRecord()
			foreign.ID[0] = 0x40
			s.number(t, "RPUSH", s.server.shard(foreign.ID).index, "x")
			require.ErrorIs(t, s.Save(t.Context(), foreign, core.NoVersion), hosts.ErrUnavailable)
			requireGone(t, s, foreign.ID)
			s.number(t, "DEL", s.server.shard(foreign.ID).index)
			require.Empty(t, audit(t, s))
		})
	}
}

func ownCluster(t *testing.T) *Store {
	s := open(t, servers.RedisCluster(t), Options{Prefix: newPrefix()})
	t.Cleanup(func() { wipe(t, s) })
	return s
}
