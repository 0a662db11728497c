package core

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"testing"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/stretchr/testify/require"
)

var bareText string // keeps the work from being optimised away

// The bare work is what no cookie of this format can do without: base64 and
// one call of a cipher that is ready, over the same bytes. Opening is into
// memory that is ready; sealing makes the string that a value is.
func BenchmarkRatioCookie(b *testing.B) {
	if b.N > 1 {
		return
	}
	const rounds, calls = 201, 1000
	m := testMachine(b, Policy{})
	now := Time(1_800_000_000_000)
	ticket, seed := Ticket{ID: ID{1}}, seeded(1)
	value, err := m.ring.appendCookie(nil, &ticket, m.policy.CookieName, "", now, &seed)
	require.NoError(b, err)
	fields := []string{DefaultCookieName + "=" + string(value)}

	block, err := aes.NewCipher(testKey[:KeyLen])
	require.NoError(b, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(b, err)
	aad, nonce, plain := make([]byte, 37), make([]byte, nonceLen), make([]byte, cookiePlainLen)
	head := append(make([]byte, headerLen), nonce...)
	bare := base64.RawURLEncoding.EncodeToString(gcm.Seal(head, nonce, plain, aad))
	require.Len(b, bare, cookieLen)
	raw := make([]byte, cookieRawLen)

	t := ratio.Interleave(rounds, func() {
		for range calls {
			if t, err := m.Identify(fields, "", now); err != nil || len(t) != 1 {
				b.Fatal(err)
			}
		}
	}, func() {
		for range calls {
			n, _ := base64.RawURLEncoding.Decode(raw, []byte(bare))
			if _, err := gcm.Open(raw[21:21], raw[9:21], raw[21:n], aad); err != nil {
				b.Fatal(err)
			}
		}
	}, func() {
		var room [cookieLen]byte
		for i := range calls {
			seed[0] = byte(i)
			value, err := m.ring.appendCookie(room[:0], &ticket, m.policy.CookieName, "", now, &seed)
			if err != nil {
				b.Fatal(err)
			}
			bareText = string(value)
		}
	}, func() {
		for range calls {
			copy(raw, head)
			bareText = base64.RawURLEncoding.EncodeToString(gcm.Seal(raw[:21], nonce, plain, aad))
		}
	})
	b.Logf("open %v, bare %v; seal %v, bare %v", t[0]/calls, t[1]/calls, t[2]/calls, t[3]/calls)
	ratio.Print("cookie-open-per-bare", float64(t[0])/float64(t[1]), 1.6, false)
	ratio.Print("cookie-open-allocs", testing.AllocsPerRun(100, func() { _, _ = m.Identify(fields, "", now) }), 1, false)
	ratio.Print("cookie-seal-per-bare", float64(t[2])/float64(t[3]), 2.5, false)
}
