package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

var keyRing = core.KeyRing{{Bytes: testKey}}

// The largest frames there are fit.
func TestFramesOfTheLargestSessions(t *testing.T) {
	const now core.Time = 1_800_000_000_000
	policy := core.Policy{SessionSize: core.MaxSessionSize}
	m, err := core.NewMachine(policy, keyRing)
	require.NoError(t, err)
	full := func(s *core.Session, first byte) *core.Session {
		b := make([]byte, core.MaxSessionSize-100)
		b[0] = first
		v, err := core.AppendValue(nil, b)
		require.NoError(t, err)
		require.NoError(t, s.SetValue("x", v))
		return s
	}
	e, err := m.Commit(full(m.New(core.Request{}), 1), now, core.Seed{1})
	require.NoError(t, err)
	tickets, err := m.Identify(e.Cookies, "", now)
	require.NoError(t, err)
	resume := func() *core.Session {
		s, err := m.Resume(tickets[0], *e.Save, core.Request{}, now)
		require.NoError(t, err)
		return s
	}
	var server wire.Server
	require.Equal(t, wire.StatusOK, server.Handle(nil, wire.AppendConfigure(nil, policy, keyRing))[0])
	for name, frame := range map[string][]byte{
		"fold":   wire.AppendFold(nil, 1, full(resume(), 2), full(resume(), 3)),
		"rebase": wire.AppendRebase(nil, 1, now, full(resume(), 2), e.Save),
	} {
		require.Less(t, len(frame), wire.MaxFrame, name)
		require.Equal(t, wire.StatusOK, server.Handle(nil, frame)[0], name)
	}
}

// A visitor may send more fields than a frame lists: he is told the same.
func TestManyCookieFields(t *testing.T) {
	var server wire.Server
	c, err := wire.Configure(func(frame []byte) ([]byte, error) { return server.Handle(nil, frame), nil }, core.Policy{}, keyRing)
	require.NoError(t, err)
	_, err = c.Identify(make([]string, 70_000), "", 1)
	require.ErrorIs(t, err, core.ErrNoCookie)
}
