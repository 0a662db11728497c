package peers

import (
	"strings"
	"testing"

	"github.com/gorilla/securecookie"
	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

// peerTicket is what our cookie holds, as the peer's users keep such things.
type peerTicket struct {
	ID, Secret []byte
	Generation uint64
}

const benchNow = core.Time(1_800_000_000_000)

var benchKey = core.NewSecret("\x8f\x1bA test key, really not for any use"[:core.KeyLen])

// cookieOf returns a machine, a stored session and its Cookie field.
func cookieOf(b *testing.B) (m *core.Machine, s *core.Session, field string) {
	m, err := core.NewMachine(core.Policy{}, core.KeyRing{{Bytes: benchKey}})
	require.NoError(b, err)
	s = m.New(core.Request{})
	require.NoError(b, s.Login("alice", 0))
	e, err := m.Commit(s, benchNow, core.Seed{1})
	require.NoError(b, err)
	field, _, _ = strings.Cut(e.Cookies[0], ";")
	return m, e.Next, field
}

// The peer encrypts the same payload with its defaults. Sealing is with the
// whole Set-Cookie field on our side.
func BenchmarkRatioCookie(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, calls = 101, 500
	m, s, field := cookieOf(b)
	fields := []string{field}
	peer := securecookie.New(benchKey.Bytes(), benchKey.Bytes())
	ticket := peerTicket{make([]byte, 16), make([]byte, 32), 7}
	peerValue, err := peer.Encode("rockstar_session", ticket)
	require.NoError(b, err)
	t := ratio.Interleave(rounds, func() {
		for range calls {
			if t, err := m.Identify(fields, "", benchNow); err != nil || len(t) != 1 {
				b.Fatal(err)
			}
		}
	}, func() {
		for range calls {
			var out peerTicket
			if err := peer.Decode("rockstar_session", peerValue, &out); err != nil {
				b.Fatal(err)
			}
		}
	}, func() {
		for i := range calls {
			if _, err := m.Cookie(s, benchNow, core.Seed{byte(i), 1}); err != nil {
				b.Fatal(err)
			}
		}
	}, func() {
		for range calls {
			if _, err := peer.Encode("rockstar_session", ticket); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Logf("open %v, securecookie %v; seal %v, securecookie %v", t[0]/calls, t[1]/calls, t[2]/calls, t[3]/calls)
	ratio.Print("cookie-open-vs-securecookie", float64(t[1])/float64(t[0]), 8, true)
	ratio.Print("cookie-seal-vs-securecookie", float64(t[3])/float64(t[2]), 4, true)
}
