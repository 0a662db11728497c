package mysql

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/hosts"
)

// The server stalls, is gone, and its answers are lost.
func TestOutage(t *testing.T) {
	u, err := url.Parse(servers.MySQL(t))
	require.NoError(t, err)
	way, err := conformance.NewProxy(u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, way.Close()) })
	u.Host = way.Addr()
	conformance.TestOutage(t, func(t *testing.T) hosts.Store {
		s, err := Open(t.Context(), u.String(), Options{Table: newTable(t), MaxConns: 8})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}, way)
}
