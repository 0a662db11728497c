package nethttp_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// secretIn opens a cookie of a site, by what the format says.
func secretIn(t *testing.T, value, tenant string) (core.ID, []byte) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(value)
	require.NoError(t, err)
	require.Len(t, raw, 93)
	info := append([]byte("rockstar sessions v1 cookie\x00"), raw[5:9]...)
	sub, err := hkdf.Key(sha256.New, siteKey.Bytes(), nil, string(info), 32)
	require.NoError(t, err)
	block, err := aes.NewCipher(sub)
	require.NoError(t, err)
	aead, err := cipher.NewGCM(block)
	require.NoError(t, err)
	aad := append([]byte(nil), raw[:9]...)
	for _, part := range []string{"cookie", cookieName, tenant} {
		aad = append(binary.BigEndian.AppendUint16(aad, uint16(len(part))), part...)
	}
	plain, err := aead.Open(nil, raw[9:21], raw[21:], aad)
	require.NoError(t, err)
	return core.ID(plain[:16]), plain[16:48]
}

// requireNoSecrets searches all that was logged, and all error texts that were
// noted, for the cookies that were given and the secrets in them.
func (s *site) requireNoSecrets() {
	text := s.log.String()
	for cookie, tenant := range s.cookies.Range {
		requireNoSecretIn(s.t, text, cookie.(string), tenant.(string))
	}
}

func requireNoSecretIn(t *testing.T, text, cookie, tenant string) {
	t.Helper()
	_, secret := secretIn(t, cookie, tenant)
	require.NotContains(t, text, cookie)
	for _, form := range []string{
		string(secret), hex.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
		base64.RawStdEncoding.EncodeToString(secret), fmt.Sprint(secret),
	} {
		require.NotContains(t, strings.ToLower(text), strings.ToLower(form))
	}
}

// TestNothingSecretIsShown lives a whole life with the log at its loudest and
// prints everything that a program can print.
func TestNothingSecretIsShown(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.put("card", "payload-4111")
	first := b.cookie
	id := b.login("alice")
	second := b.cookie
	stolen := s.browser()
	stolen.cookie = first
	require.ErrorIs(t, stolen.refusal(), core.ErrSuperseded)
	stolen.cookie = second[:50] + "AAAA" + second[54:]
	require.Error(t, stolen.refusal())
	require.Equal(t, 200, b.get(func(_ http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		s.note(err)
		x := hosts.RequestFrom(r.Context())
		fmt.Fprintf(&s.log, "%v %+v %s %v %+v", v, v, v, x, x)
		require.Equal(t, "session "+id.String(), v.String())
	}).status)
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Destroy() })

	require.NoError(t, s.manager.Close()) // the events are out
	text := s.log.String()
	require.Contains(t, text, id.String(), "the log tells of the session")
	require.Contains(t, text, "superseded")
	require.NotContains(t, text, "payload-4111")
	requireNoSecretIn(t, text, first, "")
	requireNoSecretIn(t, text, second, "")
	sealedFor, _ := secretIn(t, second, "")
	require.Equal(t, id, sealedFor)
}
