package hosts_test

import (
	"testing"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// front stands before another store.
type front struct{ hosts.Store }

func (f front) Unwrap() hosts.Store { return f.Store }

// endless stands before itself.
type endless struct{ hosts.Store }

func (e endless) Unwrap() hosts.Store { return e }

func TestAbilitiesAreThoseOfTheStoreBehind(t *testing.T) {
	m := memory(t)
	for _, s := range []hosts.Store{m, front{m}, front{front{m}}} {
		sweeper, ok := hosts.As[hosts.Sweeper](s)
		require.True(t, ok)
		require.Same(t, m, sweeper)
		finder, ok := hosts.As[hosts.Finder](s)
		require.True(t, ok)
		require.Same(t, m, finder)
	}
	for name, s := range map[string]hosts.Store{"one that hides its store": struct{ hosts.Store }{m}, "one before itself": endless{m}} {
		_, ok := hosts.As[hosts.Finder](s)
		require.False(t, ok, name)
	}
}
