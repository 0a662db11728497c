package wazero_test

import (
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/wazero"
	"github.com/stretchr/testify/require"
)

const now core.Time = 500_000 * core.Hour

var testKey = []byte("9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53")

func newEngine(t testing.TB, o wazero.Options) *wazero.Engine {
	t.Helper()
	e, err := wazero.New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func BenchmarkRead(b *testing.B) {
	keys := core.KeyRing{{Bytes: testKey}}
	native, err := core.NewMachine(core.Policy{}, keys)
	require.NoError(b, err)
	guest, err := newEngine(b, wazero.Options{}).Configure(core.Policy{}, keys)
	require.NoError(b, err)
	q := core.Request{IP: "\x7f\x00\x00\x01", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)"}
	s := native.New(q)
	require.NoError(b, s.Login("alice", 0))
	for _, name := range []string{"a", "bb", "ccc", "dddd", "eeeee"} {
		v, err := core.AppendValue(nil, "the value of "+name)
		require.NoError(b, err)
		require.NoError(b, s.SetValue(name, v))
	}
	e, err := native.Commit(s, now, core.Seed{1})
	require.NoError(b, err)
	for name, m := range map[string]hosts.Engine{"native": native, "guest": guest} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tickets, err := m.Identify(e.Cookies, "", now)
				require.NoError(b, err)
				s, err := m.Resume(tickets[0], *e.Save, q, now)
				require.NoError(b, err)
				_, err = m.Commit(s, now, core.Seed{2})
				require.NoError(b, err)
			}
		})
	}
}
