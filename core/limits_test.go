package core

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSessionSize(t *testing.T) {
	for _, limit := range []int{1 << 10, DefaultSessionSize, MaxSessionSize} {
		m := testMachine(t, Policy{SessionSize: limit})
		s := m.New(Request{IP: strings.Repeat("i", 16), UserAgent: strings.Repeat("u", 600)})
		data, err := AppendValue(nil, make([]byte, limit-100))
		require.NoError(t, err)
		require.NoError(t, s.SetValue("big", data))
		room := limit - s.Size() - itemOverhead - len("rest")
		fits, err := AppendValue(nil, strings.Repeat("x", room-2))
		require.NoError(t, err)
		require.Len(t, fits, room)
		tooLong, err := AppendValue(nil, strings.Repeat("x", room-1))
		require.NoError(t, err)
		err = s.SetValue("rest", tooLong)
		var size *SizeError
		require.ErrorAs(t, err, &size)
		require.ErrorIs(t, err, ErrTooLarge)
		require.Equal(t, SizeError{"rest", limit + 1, limit}, *size)
		require.NotContains(t, err.Error(), "xxx", "no payload in errors")
		require.NoError(t, s.SetValue("rest", fits))
		require.Equal(t, limit, s.Size())
		e := commit(t, m, s, testNow, 1)
		require.NoError(t, e.Save.Check())
		require.Equal(t, limit, received(e).resume(t, m, testNow).Size())
	}
}

// TestLoweredLimit refuses growth alone: neither use, nor login, nor shrinking.
func TestLoweredLimit(t *testing.T) {
	m := testMachine(t, Policy{})
	s := m.New(Request{})
	put(t, s, "a", make([]byte, 2000))
	put(t, s, "b", make([]byte, 2000))
	g := received(commit(t, m, s, testNow, 1))
	m = testMachine(t, Policy{SessionSize: 1 << 10})
	s = g.resume(t, m, testNow+10*Minute)
	require.NotNil(t, commit(t, m, s, testNow+10*Minute, 2).Save, "a touch")
	require.ErrorIs(t, s.SetValue("c", []byte{0}), ErrTooLarge)
	put(t, s, "a", make([]byte, 1900))
	require.NoError(t, s.DeleteValue("b"))
	require.NoError(t, s.Login("alice", 0))
	e := commit(t, m, s, testNow, 3)
	require.Less(t, e.Size, 2000)
}

func TestValueNames(t *testing.T) {
	m := testMachine(t, Policy{})
	s := m.New(Request{})
	for _, bad := range []string{"", strings.Repeat("n", MaxNameLength+1), "\xff", "a\xc3"} {
		require.ErrorIs(t, s.SetValue(bad, []byte{0}), ErrValueName, "%q", bad)
		require.ErrorContains(t, ErrValueName, "128")
	}
	for _, good := range []string{"n", strings.Repeat("n", MaxNameLength), "\x00", "名", "a.b/c"} {
		require.NoError(t, s.SetValue(good, []byte{0}), "%q", good)
	}
	require.ErrorIs(t, s.SetValue("n", []byte{0x18, 0}), ErrBadValue)
	require.ErrorIs(t, s.SetValue("n", nil), ErrBadValue)
	require.Equal(t, []string{"\x00", "n", "名", "a.b/c", strings.Repeat("n", MaxNameLength)}, s.Names())
}

func TestTenantsAndUsers(t *testing.T) {
	m := testMachine(t, Policy{})
	longest := strings.Repeat("é", 127) + "e"
	for name, ok := range map[string]bool{
		"a": true, longest: true, "名前": true, "a b": true, "o'brien@example.com": true, "\u2028": true,
		longest + "e": false, "a\x00": false, "\n": false, "a\x1f": false, "\x7f": false, "\u0085": false, "\u009f": false, "\xff": false, "a\xc3": false,
	} {
		s := m.New(Request{Tenant: name})
		put(t, s, "k", 1)
		_, err := m.Commit(s, testNow, numbered(1))
		user := m.New(Request{}).Login(name, 0)
		if ok {
			require.NoError(t, err, "%q", name)
			require.NoError(t, user, "%q", name)
			signed := signIn(t, m, Request{Tenant: name}, 0, testNow)
			require.Equal(t, name, signed.resume(t, m, testNow).Tenant())
			continue
		}
		require.ErrorIs(t, err, ErrBadName, "%q", name)
		require.ErrorIs(t, user, ErrBadUser, "%q", name)
	}
	require.ErrorIs(t, m.New(Request{}).Login("", 0), ErrBadUser)
}

// TestWrongTenant: a session of one tenant is refused for another, by cookie
// and by ID.
func TestWrongTenant(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{Tenant: "a"}, 0, testNow)
	_, err := m.Identify([]string{g.cookie}, "b", testNow)
	require.ErrorIs(t, err, ErrNotAuthentic)
	for _, ticket := range []Ticket{g.ticket(t, m, testNow), ByID(g.rec.ID)} {
		for _, tenant := range []string{"b", "", "A"} {
			_, err = m.Resume(ticket, g.rec, Request{Tenant: tenant}, testNow)
			require.ErrorIs(t, err, ErrWrongTenant)
		}
	}
}

// TestLongestCookie stays far below what browsers take.
func TestLongestCookie(t *testing.T) {
	name := strings.Repeat("n", MaxNameLength)
	g := signIn(t, testMachine(t, Policy{CookieName: name}), Request{}, 0, testNow)
	require.Less(t, len(g.cookie), MaxCookieSize)
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"":                   `""`,
		"a b":                `"a b"`,
		`say "\"`:            `"say \"\\\""`,
		"naïve 日本":           `"naïve 日本"`,
		"\x00\x1f\x7f\u0085": `"\x00\x1f\x7f\xc2\x85"`,
		"\xff\xefx\ufffd":    `"\xff\xefx\xef\xbf\xbd"`,
	} {
		require.Equal(t, want, quote(text))
	}
}
