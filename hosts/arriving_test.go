package hosts_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// What brings a session in runs before the cookies are read, again after a failure,
// and once after that.
func TestArriving(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	id := ann.login(m, "ann").ID
	x := newBrowser().ask(m)
	runs, failure := 0, errors.New("not now")
	x.Arriving = func(x *hosts.Request) error {
		runs++
		m.New(x)
		if runs == 1 {
			return failure
		}
		require.Equal(t, x.Tenant, x.Core().Tenant)
		x.Cookies = hosts.CookieFields(ann.field()...)
		return nil
	}
	_, err := m.Resume(x)
	require.ErrorIs(t, err, failure)
	require.Nil(t, x.Current(), "nobody takes it for a visitor without a session")
	for range 2 {
		s, err := m.Resume(x)
		require.NoError(t, err)
		require.Equal(t, id, s.ID())
	}
	require.Equal(t, 2, runs)

	y := newBrowser().ask(m)
	y.Arriving = func(y *hosts.Request) error {
		y.Cookies = hosts.CookieFields(ann.field()...)
		_, err := m.Resume(y)
		return err
	}
	s, err := m.Resume(y)
	require.NoError(t, err)
	require.Equal(t, id, s.ID())
	require.ErrorIs(t, m.Unavailable("bring a session in", failure), hosts.ErrUnavailable)
}

func TestMarkersAreNoSessions(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	now := m.Now()
	r := core.Record{ID: core.ID{1}, Version: 1, CreatedAt: now, SeenAt: now, ExpiresAt: now + core.Hour, Sealed: []byte(hosts.MarkerPrefix + "x")}
	require.NoError(t, m.store.Save(t.Context(), r, core.NoVersion))
	m.create()
	n, err := m.Revoke(t.Context(), hosts.Query{AnyUser: true, AnyTenant: true})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	all, _, err := m.Sessions(t.Context(), hosts.Query{AnyUser: true, AnyTenant: true}, core.ID{}, 0)
	require.NoError(t, err)
	require.Empty(t, all)
	kept, err := m.store.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.True(t, hosts.IsMarker(&kept))
}
