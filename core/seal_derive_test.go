package core

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// plainly opens a sealed message with the standard library alone and returns
// the nonce key of its epoch too.
func plainly(t *testing.T, purpose string, msg, aad []byte) (plain, nonceKey []byte) {
	t.Helper()
	out, err := hkdf.Key(sha256.New, testKey[:KeyLen], nil, "rockstar sessions v1 "+purpose+"\x00"+string(msg[5:9]), 64)
	require.NoError(t, err)
	block, err := aes.NewCipher(out[:32])
	require.NoError(t, err)
	aead, err := cipher.NewGCM(block)
	require.NoError(t, err)
	plain, err = aead.Open(nil, msg[9:21], msg[21:], aad)
	require.NoError(t, err)
	return plain, out[32:]
}

// lp is a text behind its length in so many bytes.
func lp(width int, s string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(len(s)))
	return string(b[8-width:]) + s
}

func TestSubkeysAndNonces(t *testing.T) {
	m := testMachine(t, Policy{})
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range uint64(50) {
		now := testNow + Time(rng.Int64N(int64(1000*Day)))
		s := m.New(Request{Tenant: "acme"})
		require.NoError(t, s.Login("bob", 0))
		e := commit(t, m, s, now, n)
		g := received(e)
		seed := numbered(n)
		for purpose, x := range map[string]struct {
			msg []byte
			aad string
		}{
			purposeCookie: {g.raw(t), string(g.raw(t)[:9]) + lp(2, "cookie") + lp(2, DefaultCookieName) + lp(2, "acme")},
			purposeRecord: {g.rec.Sealed, string(g.rec.Sealed[:9]) + lp(2, "record") + string(g.rec.ID[:]) +
				string(binary.BigEndian.AppendUint64(nil, uint64(g.rec.Version))) + eights(now, now, now+Day) + lp(2, "acme") + lp(2, "bob")},
		} {
			plain, nonceKey := plainly(t, purpose, x.msg, []byte(x.aad))
			h := sha256.Sum256([]byte("\x00\x00\x00\x01" + string(nonceKey) + lp(4, string(seed[:])) + lp(4, x.aad) + lp(4, string(plain))))
			require.Equal(t, h[:12], x.msg[9:21], "nonce of a %s", purpose)
		}
	}
}

func eights(times ...Time) string {
	var b []byte
	for _, t := range times {
		b = binary.BigEndian.AppendUint64(b, uint64(t))
	}
	return string(b)
}

// TestNoncesAreHedged: one seed under two messages never gives one nonce.
func TestNoncesAreHedged(t *testing.T) {
	m := testMachine(t, Policy{})
	h := header{m.ring.sealing(testNow), epochOf(testNow)}
	seed := numbered(1)
	nonceOf := func(h header, purpose, aad, plain string) string {
		msg, err := m.ring.seal(appendHeader(nil, h), []byte(plain), []byte(aad), h, purpose, &seed)
		require.NoError(t, err)
		return string(msg[headerLen : headerLen+nonceLen])
	}
	later := header{h.key, h.epoch + 1}
	nonces := map[string]bool{}
	for _, n := range []string{
		nonceOf(h, purposeCookie, "aad", "plain"), nonceOf(h, purposeCookie, "aad", "plaim"), nonceOf(h, purposeCookie, "aac", "plain"),
		nonceOf(h, purposeCookie, "aadp", "lain"), nonceOf(h, purposeCookie, "aa", "dplain"), nonceOf(h, purposeCookie, "", "aadplain"),
		nonceOf(h, purposeRecord, "aad", "plain"), nonceOf(later, purposeCookie, "aad", "plain"),
	} {
		require.False(t, nonces[n])
		nonces[n] = true
	}
	require.True(t, nonces[nonceOf(h, purposeCookie, "aad", "plain")], "the same inputs give the same bytes")
}

// TestSeedParts: no two uses of a seed share a byte string, and the same seed
// gives the same session.
func TestSeedParts(t *testing.T) {
	seed := numbered(9)
	met := map[[32]byte]string{}
	for _, use := range []string{useID, useSecret, useVersion, useRenewalKey} {
		part := seed.part(use)
		require.NotContains(t, met, part, use)
		met[part] = use
		want := sha256.Sum256([]byte("\x00\x00\x00\x01" + string(seed[:]) + lp(4, use) + lp(4, "") + lp(4, "")))
		require.Equal(t, want, part)
	}
	m := testMachine(t, Policy{})
	require.Equal(t, signIn(t, m, Request{}, 0, testNow), signIn(t, testMachine(t, Policy{}), Request{}, 0, testNow))
}

func TestZeroSeedIsRefused(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{}, 0, testNow)
	fresh, ended := m.New(Request{}), g.resume(t, m, testNow)
	require.ErrorIs(t, fresh.Keep(Seed{}), ErrSeed)
	require.NoError(t, fresh.Login("alice", 0))
	ended.End()
	for _, s := range []*Session{fresh, g.resume(t, m, testNow), ended} {
		_, err := m.Commit(s, testNow, Seed{})
		require.ErrorIs(t, err, ErrSeed)
		_, err = m.Cookie(s, testNow, Seed{})
		require.ErrorIs(t, err, ErrSeed)
	}
}
