package core

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func identify(m *Machine, raw []byte, now Time) error {
	_, err := m.Identify([]string{m.policy.CookieName + "=" + base64.RawURLEncoding.EncodeToString(raw)}, "", now)
	return err
}

func cached(m *Machine) int { return len(*m.ring.ready.Load()) }

func TestEveryBitOfACookieCounts(t *testing.T) {
	m := testMachine(t, Policy{})
	raw := signIn(t, m, Request{}, 0, testNow).raw(t)
	require.Len(t, raw, 93)
	require.NoError(t, identify(m, raw, testNow))
	for bit := range 8 * len(raw) {
		flipped := bytes.Clone(raw)
		flipped[bit/8] ^= 0x80 >> (bit % 8)
		err := identify(m, flipped, testNow)
		switch at := bit / 8; {
		case at == 0:
			require.ErrorIs(t, err, ErrMalformed, bit)
		case at < 5:
			require.ErrorIs(t, err, ErrUnknownKey, bit)
		case at < 9:
			require.Contains(t, []Reason{ReasonNotAuthentic, ReasonExpired}, ReasonOf(err), bit)
		default:
			require.ErrorIs(t, err, ErrNotAuthentic, bit)
		}
	}
}

// TestOneSpelling offers every cookie that differs in one character, whatever
// the character, and every other length.
func TestOneSpelling(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{}, 0, testNow)
	value := g.value()
	refused := func(value string) {
		t.Helper()
		_, err := m.Identify([]string{"rockstar_session=" + value}, "", testNow)
		if ReasonOf(err) == ReasonNone {
			t.Fatalf("accepted or lost: %q: %v", value, err)
		}
	}
	text := []byte(value)
	for i := range text {
		for c := range 256 {
			if byte(c) != value[i] && c != ';' { // that one ends the value
				text[i] = byte(c)
				refused(string(text))
			}
		}
		text[i] = value[i]
		refused(value[:i])
		refused(value[:i] + "\n" + value[i:]) // base64 decoders skip line ends
		refused(value[:i] + "%" + value[i:])
		refused(value[:i] + ";" + value[i:])
	}
	for n := 1; n <= 8; n++ {
		for _, c := range []string{"A", "=", "\r", "\x00", "é"} {
			refused(value + strings.Repeat(c, n))
		}
	}
	refused(`"` + value + `"`)
	refused(" " + value)
	refused(strings.ToUpper(value))
}

func TestForeignCookies(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{Tenant: "a"}, 0, testNow)
	otherName := testMachine(t, Policy{CookieName: "other"})
	otherKey, err := NewMachine(Policy{}, KeyRing{{Bytes: NewSecret(testKey[1 : KeyLen+1])}})
	require.NoError(t, err)
	for _, c := range []struct {
		what   string
		m      *Machine
		tenant string
		want   *Refusal
	}{
		{"name", otherName, "a", ErrNotAuthentic},
		{"tenant", m, "b", ErrNotAuthentic},
		{"no tenant", m, "", ErrNotAuthentic},
		{"tenant that spells a length", m, "a\x00", ErrNotAuthentic},
		{"key", otherKey, "a", ErrUnknownKey},
	} {
		_, err := c.m.Identify([]string{c.m.policy.CookieName + "=" + g.value()}, c.tenant, testNow)
		require.ErrorIs(t, err, c.want, c.what)
	}
	_, err = m.Identify([]string{g.cookie}, "a", testNow)
	require.NoError(t, err)
}

// TestPurposes seals under the purpose of records what has a cookie's length,
// with either purpose in its AAD.
func TestPurposes(t *testing.T) {
	m := testMachine(t, Policy{})
	h := header{m.ring.sealing(testNow), epochOf(testNow)}
	seed := numbered(3)
	for _, aadPurpose := range []string{purposeCookie, purposeRecord} {
		for _, keyPurpose := range []string{purposeCookie, purposeRecord} {
			head := appendHeader(nil, h)
			aad := appendField(appendField(appendField(bytes.Clone(head), aadPurpose), DefaultCookieName), "")
			msg, err := m.ring.seal(head, make([]byte, cookiePlainLen), aad, h, keyPurpose, &seed)
			require.NoError(t, err)
			require.Len(t, msg, cookieRawLen)
			err = identify(m, msg, testNow)
			if aadPurpose == purposeCookie && keyPurpose == purposeCookie {
				require.NoError(t, err, "else this test proves nothing")
				continue
			}
			require.ErrorIs(t, err, ErrNotAuthentic, "%s %s", aadPurpose, keyPurpose)
		}
	}
}

func TestFutureFormatIsNamed(t *testing.T) {
	m := testMachine(t, Policy{})
	raw := signIn(t, m, Request{}, 0, testNow).raw(t)
	raw[0] = 2
	err := identify(m, raw, testNow)
	require.ErrorIs(t, err, ErrMalformed)
	require.ErrorContains(t, err, "format 2")
	require.ErrorContains(t, err, "failed to decrypt session ID")
}

func TestUnknownKeyIsNamed(t *testing.T) {
	m := testMachine(t, Policy{})
	other, err := NewMachine(Policy{}, KeyRing{{Bytes: NewSecret(testKey[1 : KeyLen+1])}})
	require.NoError(t, err)
	err = identify(m, signIn(t, other, Request{}, 0, testNow).raw(t), testNow)
	require.ErrorIs(t, err, ErrUnknownKey)
	require.ErrorContains(t, err, KeyID(NewSecret(testKey[1:KeyLen+1])))
}

// TestEpochs: what no clock of ours can have sealed is refused by its header,
// which shows in that a broken tag makes no difference.
func TestEpochs(t *testing.T) {
	m := testMachine(t, Policy{})
	raw := signIn(t, m, Request{}, 0, testNow).raw(t)
	broken := bytes.Clone(raw)
	broken[len(broken)-1] ^= 1
	hours := MaxLifetime / Hour
	for _, c := range []struct {
		now      Time
		want     *Refusal
		byHeader bool
	}{
		{testNow - 1, nil, false},
		{testNow - Hour, nil, false},
		{testNow - Hour - 1, ErrNotAuthentic, true},
		{testNow - 2*Hour, ErrNotAuthentic, true},
		{0, ErrNotAuthentic, true},
		{-Hour, ErrNotAuthentic, true},
		{testNow + (hours+1)*Hour - 1, nil, false},
		{testNow + (hours+1)*Hour, ErrExpired, true},
		{testNow + 10*hours*Hour, ErrExpired, true},
	} {
		err := identify(m, raw, c.now)
		if c.want == nil {
			require.NoError(t, err, c.now)
			require.ErrorIs(t, identify(m, broken, c.now), ErrNotAuthentic)
			continue
		}
		require.ErrorIs(t, err, c.want, c.now)
		require.ErrorIs(t, identify(m, broken, c.now), c.want, "%d was opened", c.now)
	}
}

// TestACookieShowsNobody: it has one length for all, and nothing of the user, the
// tenant or the values.
func TestACookieShowsNobody(t *testing.T) {
	m := testMachine(t, Policy{})
	s := m.New(Request{Tenant: "tenant of theirs", UserAgent: "their browser"})
	put(t, s, "mail", "alice@example.com")
	require.NoError(t, s.Login("alice of the accounts", 0))
	g := received(commit(t, m, s, testNow, 1))
	require.Len(t, g.value(), len(anonymous(t, m, testNow).value()))
	for _, clear := range []string{"tenant", "browser", "mail", "alice", string(g.rec.ID[:])} {
		require.NotContains(t, string(g.raw(t)), clear)
		require.NotContains(t, g.value(), clear)
	}
}
