package peers

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/gorilla/securecookie"
	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

// peerTicket is what our cookie holds, as the peer's users keep such things.
type peerTicket struct {
	ID, Secret []byte
	Generation uint64
}

var bareText string // keeps the work from being optimised away

const benchNow = core.Time(1_800_000_000_000)

var benchKey = []byte("\x8f\x1bA test key, really not for any use")[:core.KeyLen]

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

// The bare work is what no cookie of this format can do without: base64 and
// one call of a cipher that is ready, over the same bytes. Opening is into
// memory that is ready; sealing makes the string that a header field is. The
// peer encrypts the same payload with its defaults.
func BenchmarkRatioCookie(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, calls = 101, 2000
	m, s, field := cookieOf(b)
	fields := []string{field}
	value := field[len(core.DefaultCookieName)+1:]

	block, err := aes.NewCipher(benchKey)
	require.NoError(b, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(b, err)
	aad, nonce, plain := make([]byte, 37), make([]byte, 12), make([]byte, 56)
	head := append(make([]byte, 9), nonce...)
	bare := base64.RawURLEncoding.EncodeToString(gcm.Seal(head, nonce, plain, aad))
	require.Len(b, bare, len(value))
	raw := make([]byte, 93)

	peer := securecookie.New(benchKey, benchKey)
	ticket := peerTicket{make([]byte, 16), make([]byte, 32), 7}
	peerValue, err := peer.Encode("rockstar_session", ticket)
	require.NoError(b, err)

	open := func() {
		for range calls {
			if t, err := m.Identify(fields, "", benchNow); err != nil || len(t) != 1 {
				b.Fatal(err)
			}
		}
	}
	bareOpen := func() {
		for range calls {
			n, _ := base64.RawURLEncoding.Decode(raw, []byte(bare))
			if _, err := gcm.Open(raw[21:21], raw[9:21], raw[21:n], aad); err != nil {
				b.Fatal(err)
			}
		}
	}
	peerOpen := func() {
		for range calls {
			var out peerTicket
			if err := peer.Decode("rockstar_session", peerValue, &out); err != nil {
				b.Fatal(err)
			}
		}
	}
	t := Interleave(rounds, open, bareOpen, peerOpen)
	b.Logf("open: %v, bare %v, securecookie %v", t[0]/calls, t[1]/calls, t[2]/calls)
	Ratio("cookie-open-per-bare", float64(t[0])/float64(t[1]), 1.6, false)
	Ratio("cookie-open-allocs", testing.AllocsPerRun(100, func() { _, _ = m.Identify(fields, "", benchNow) }), 1, false)
	Ratio("cookie-open-vs-securecookie", float64(t[2])/float64(t[0]), 8, true)

	seal := func() {
		for i := range calls {
			if _, err := m.Cookie(s, benchNow, core.Seed{byte(i), 1}); err != nil {
				b.Fatal(err)
			}
		}
	}
	bareSeal := func() {
		for range calls {
			copy(raw, head)
			sealed := gcm.Seal(raw[:21], nonce, plain, aad)
			bareText = base64.RawURLEncoding.EncodeToString(sealed)
		}
	}
	peerSeal := func() {
		for range calls {
			if _, err := peer.Encode("rockstar_session", ticket); err != nil {
				b.Fatal(err)
			}
		}
	}
	t = Interleave(rounds, seal, bareSeal, peerSeal)
	b.Logf("seal, with the whole Set-Cookie field: %v, bare %v, securecookie %v", t[0]/calls, t[1]/calls, t[2]/calls)
	Ratio("cookie-seal-per-bare", float64(t[0])/float64(t[1]), 2.5, false)
	Ratio("cookie-seal-vs-securecookie", float64(t[2])/float64(t[0]), 4, true)
}
