package hosts_test

import (
	"context"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// forgetful has all that a Coalescer needs, and forgets by itself.
type forgetful struct{ hosts.Batched }

// endless stands before itself.
type endless struct{ hosts.Store }

func (e endless) Unwrap() hosts.Store { return e }

func TestACoalescerCanDoWhatItsStoreCan(t *testing.T) {
	m := memory(t)
	whole := coalescer(t, &batcher{Store: m}, hosts.Coalescing{})
	twice := coalescer(t, &batcher{Store: whole}, hosts.Coalescing{})
	for _, s := range []hosts.Store{m, whole, twice} {
		sweeper, ok := hosts.As[hosts.Sweeper](s)
		require.True(t, ok)
		require.Same(t, m, sweeper)
		finder, ok := hosts.As[hosts.Finder](s)
		require.True(t, ok)
		require.Same(t, m, finder)
	}
	_, ok := hosts.As[hosts.Sweeper](coalescer(t, forgetful{&batcher{Store: m}}, hosts.Coalescing{}))
	require.False(t, ok, "what its store cannot do it cannot either")
	_, ok = hosts.As[hosts.Finder](endless{m})
	require.False(t, ok)
}

// A manager sweeps and lists through a Coalescer.
func TestAManagerSweepsThroughACoalescer(t *testing.T) {
	mem := memory(t)
	m := open(t, coalescer(t, &batcher{Store: mem}, hosts.Coalescing{}), hosts.Config{Retention: time.Minute, NoCleanup: true})
	ids := m.signedIn(3, "ann")
	page, _, err := m.Sessions(context.Background(), hosts.Query{User: "ann"}, core.ID{}, 0)
	require.NoError(t, err)
	require.Len(t, page, 3)
	require.NoError(t, m.Destroy(t.Context(), ids[0]))
	m.clock.pass(25 * time.Hour)
	n, err := m.CleanupExpired(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
}
