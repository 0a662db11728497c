package coalesce_test

import (
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// forgetful has all that a Store needs, and forgets by itself.
type forgetful struct{ coalesce.Backend }

func TestAStoreCanDoWhatItsBackendCan(t *testing.T) {
	m := memory(t)
	whole := coalescer(t, &batcher{Store: m}, coalesce.Options{})
	twice := coalescer(t, &batcher{Store: whole}, coalesce.Options{})
	for _, s := range []hosts.Store{m, whole, twice} {
		sweeper, ok := hosts.As[hosts.Sweeper](s)
		require.True(t, ok)
		require.Same(t, m, sweeper)
		finder, ok := hosts.As[hosts.Finder](s)
		require.True(t, ok)
		require.Same(t, m, finder)
	}
	_, ok := hosts.As[hosts.Sweeper](coalescer(t, forgetful{&batcher{Store: m}}, coalesce.Options{}))
	require.False(t, ok, "what its backend cannot do it cannot either")
}

// clock stands at a moment until a test moves it.
type clock struct{ at core.Time }

func (c *clock) Now() core.Time { return c.at }

// A manager sweeps and lists through a Store.
func TestAManagerSweepsThroughAStore(t *testing.T) {
	now := &clock{core.TimeOf(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC))}
	m, err := hosts.New(coalescer(t, newBatcher(t), coalesce.Options{}), hosts.Config{
		Key: core.NewSecret("coalescer tests, of no other use"), Clock: now, Retention: time.Minute, NoCleanup: true,
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	var ids []core.ID
	for range 3 {
		s, err := m.Create(t.Context())
		require.NoError(t, err)
		s.UserID = "ann"
		require.NoError(t, m.Save(t.Context(), s))
		ids = append(ids, s.ID)
	}
	page, _, err := m.Sessions(t.Context(), hosts.Query{User: "ann"}, core.ID{}, 0)
	require.NoError(t, err)
	require.Len(t, page, 3)
	require.NoError(t, m.Destroy(t.Context(), ids[0]))
	now.at += 25 * core.Hour
	n, err := m.CleanupExpired(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
}
