package core

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func ip(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		return ""
	}
	a, err := netip.ParseAddr(text)
	require.NoError(t, err)
	return string(a.AsSlice())
}

func TestAddressBinding(t *testing.T) {
	for _, c := range []struct {
		v4, v6    int
		from, now string
		want      error
	}{
		{0, 0, "192.0.2.1", "198.51.100.9", nil},
		{32, 0, "192.0.2.1", "192.0.2.1", nil},
		{32, 0, "192.0.2.1", "192.0.2.0", ErrIPChanged},
		{31, 0, "192.0.2.1", "192.0.2.0", nil},
		{31, 0, "192.0.2.1", "192.0.2.2", ErrIPChanged},
		{24, 0, "192.0.2.1", "192.0.2.254", nil},
		{24, 0, "192.0.2.1", "192.0.3.1", ErrIPChanged},
		{1, 0, "192.0.2.1", "128.0.0.0", nil},
		{1, 0, "192.0.2.1", "127.0.2.1", ErrIPChanged},
		{32, 0, "192.0.2.1", "", ErrIPChanged},
		{32, 0, "192.0.2.1", "2001:db8::1", ErrIPFamily}, // which is bound to nothing: it would be open to all
		{32, 0, "", "192.0.2.1", nil},
		{32, 0, "2001:db8::1", "2001:db8::2", nil},
		{0, 128, "2001:db8::1", "2001:db8::2", ErrIPChanged},
		{0, 128, "2001:db8::1", "2001:db8::1", nil},
		{0, 64, "2001:db8::1", "2001:db8::ffff:1", nil},
		{0, 64, "2001:db8:0:1::1", "2001:db8:0:2::1", ErrIPChanged},
		{0, 63, "2001:db8:0:2::1", "2001:db8:0:3::1", nil},
		{0, 64, "192.0.2.1", "198.51.100.9", nil},
		{0, 64, "2001:db8::1", "192.0.2.1", ErrIPFamily},
		{0, 64, "2001:db8::1", "", ErrIPChanged},
		{0, 64, "192.0.2.1", "2001:db8::1", nil}, // it is open to every IPv4 address anyway
		{32, 64, "192.0.2.1", "2001:db8::1", ErrIPFamily},
		{32, 64, "2001:db8::1", "192.0.2.1", ErrIPFamily},
		{32, 64, "192.0.2.1", "::ffff:192.0.2.1", ErrIPFamily}, // hosts give IPv4 in 4 bytes
	} {
		m := testMachine(t, Policy{BindIPv4Bits: c.v4, BindIPv6Bits: c.v6})
		g := signIn(t, m, Request{IP: ip(t, c.from)}, 0, testNow)
		s, err := g.try(t, m, Request{IP: ip(t, c.now)}, testNow)
		require.ErrorIs(t, err, c.want, "%+v", c)
		if err == nil {
			require.Equal(t, ip(t, c.from), s.IP())
		}
	}
}

// TestBothFamilies: a client has an address of each family. The second is
// learnt where its user signs in, and nowhere else.
func TestBothFamilies(t *testing.T) {
	const v4, v6 = "192.0.2.1", "2001:db8::1"
	m := testMachine(t, Policy{BindIPv4Bits: 32, BindIPv6Bits: 64})
	g := signIn(t, m, Request{IP: ip(t, v4)}, 0, testNow)
	open := func(from string) error {
		_, err := g.try(t, m, Request{IP: ip(t, from)}, testNow)
		return err
	}
	login := func(q Request, user string) error {
		s, err := g.try(t, m, q, testNow)
		if err == nil {
			err = s.Login(user, 0)
		}
		if err == nil {
			g = received(commit(t, m, s, testNow, 9))
		}
		return err
	}
	require.ErrorIs(t, open(v6), ErrIPFamily)
	require.NoError(t, open(v4), "it lives on")

	// Who has stolen the cookie can sign in as themselves, and gets nothing.
	thief := Request{IP: ip(t, v6), SignIn: true}
	require.ErrorIs(t, login(thief, "eve"), ErrIPFamily)
	s, err := g.try(t, m, thief, testNow)
	require.NoError(t, err)
	put(t, s, "a", 2)
	require.NoError(t, s.Renew())
	_, err = m.Commit(s, testNow, numbered(8))
	require.ErrorIs(t, err, ErrIPFamily, "nothing is stored before the login")
	require.ErrorIs(t, login(Request{IP: ip(t, "192.0.2.2"), SignIn: true}, "alice"), ErrIPChanged, "of a family that is known")
	require.ErrorIs(t, login(Request{SignIn: true}, "alice"), ErrIPChanged)

	id := g.rec.ID
	require.NoError(t, login(thief, "alice"))
	require.Equal(t, id, g.rec.ID)
	for from, want := range map[string]error{
		v4: nil, v6: nil, "2001:db8::ffff": nil, "192.0.2.2": ErrIPChanged, "2001:db8:0:1::1": ErrIPChanged, "": ErrIPChanged,
	} {
		if want == nil {
			require.NoError(t, open(from), from)
			continue
		}
		require.ErrorIs(t, open(from), want, from)
	}
	s, err = g.try(t, m, Request{IP: ip(t, v6)}, testNow)
	require.NoError(t, err)
	require.Equal(t, ip(t, v4), s.IP(), "of the creating request")

	// Neither a login over the first family nor any other change forgets the second.
	require.NoError(t, login(Request{IP: ip(t, v4)}, "alice"))
	s, err = g.try(t, m, Request{IP: ip(t, v4)}, testNow)
	require.NoError(t, err)
	put(t, s, "b", 1)
	g.rec = *commit(t, m, s, testNow, 10).Save
	require.NoError(t, open(v6))

	// Another user's session begins with their address alone.
	require.NoError(t, login(Request{IP: ip(t, v6)}, "bob"))
	require.NotEqual(t, id, g.rec.ID)
	require.ErrorIs(t, open(v4), ErrIPFamily)
}

// TestAnonymousOfOtherFamily: nobody has proven to be who began it.
func TestAnonymousOfOtherFamily(t *testing.T) {
	m := testMachine(t, Policy{BindIPv4Bits: 32, BindIPv6Bits: 64})
	s := m.New(Request{IP: ip(t, "192.0.2.1")})
	put(t, s, "cart", "apple")
	g := received(commit(t, m, s, testNow, 1))
	_, err := g.try(t, m, Request{IP: ip(t, "2001:db8::1"), SignIn: true}, testNow)
	require.ErrorIs(t, err, ErrIPFamily)
}

// TestNewOfOtherFamily: what is put into a new session there would cost the
// visitor the one that is open to their other address.
func TestNewOfOtherFamily(t *testing.T) {
	m := testMachine(t, Policy{})
	s := m.New(Request{SignIn: true})
	e, err := m.Commit(s, testNow, numbered(1))
	require.NoError(t, err, "a page that only reads is shown")
	require.True(t, e.Nothing())
	put(t, s, "cart", "apple")
	_, err = m.Commit(s, testNow, numbered(2))
	require.ErrorIs(t, err, ErrIPFamily)
	require.NoError(t, s.Login("alice", 0))
	require.Len(t, commit(t, m, s, testNow, 3).Cookies, 1)
}

// TestOperatorsAddress: a login by a program is not from the visitor's address.
func TestOperatorsAddress(t *testing.T) {
	m := testMachine(t, Policy{BindIPv4Bits: 32, BindIPv6Bits: 64})
	g := signIn(t, m, Request{IP: ip(t, "192.0.2.1")}, 0, testNow)
	s, err := m.Resume(ByID(g.rec.ID), g.rec, Request{IP: ip(t, "2001:db8::1")}, testNow)
	require.NoError(t, err)
	require.NoError(t, s.Login("alice", 0))
	require.Nil(t, commit(t, m, s, testNow, 2).Next.in.otherIP)
}

// TestSignInTravels: a session that waits for its login is the same in bytes.
func TestSignInTravels(t *testing.T) {
	m := testMachine(t, Policy{BindIPv4Bits: 32, BindIPv6Bits: 64})
	g := signIn(t, m, Request{IP: ip(t, "192.0.2.1")}, 0, testNow)
	s, err := g.try(t, m, Request{IP: ip(t, "2001:db8::1"), SignIn: true}, testNow)
	require.NoError(t, err)
	again, rest, err := m.ReadSession(s.AppendBytes(nil))
	require.NoError(t, err)
	require.Empty(t, rest)
	require.ErrorIs(t, again.Login("eve", 0), ErrIPFamily)
	require.NoError(t, again.Login("alice", 0))
	require.Equal(t, ip(t, "2001:db8::1"), string(commit(t, m, again, testNow, 2).Next.in.otherIP))
}

func TestUserAgentBinding(t *testing.T) {
	long := strings.Repeat("a", MaxUserAgent)
	for _, c := range []struct {
		from, now string
		want      error
	}{
		{"browser", "browser", nil},
		{"browser", "Browser", ErrUserAgentChanged},
		{"browser", "", ErrUserAgentChanged},
		{"", "", nil},
		{"", "browser", ErrUserAgentChanged},
		{"\xff\x00é", "\xff\x00é", nil},
		{"\xff", "\xfe", ErrUserAgentChanged},
		{long, long + "b", nil},
		{long + "b", long + "c", nil},
		{long, long[1:] + "b", ErrUserAgentChanged},
	} {
		m := testMachine(t, Policy{BindUserAgent: true})
		g := signIn(t, m, Request{UserAgent: c.from}, 0, testNow)
		_, err := g.try(t, m, Request{UserAgent: c.now}, testNow)
		require.ErrorIs(t, err, c.want, "%q %q", c.from, c.now)
		_, err = g.try(t, testMachine(t, Policy{}), Request{UserAgent: c.now}, testNow)
		require.NoError(t, err, "not bound")
	}
}

// TestLastSeen: the first address and user agent stay, the last are noted with
// every write, byte by byte and cut off at their limit.
func TestLastSeen(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{IP: ip(t, "192.0.2.1"), UserAgent: "first\xff"}, 0, testNow)
	s, err := g.try(t, m, Request{IP: ip(t, "2001:db8::1"), UserAgent: "\xfe" + strings.Repeat("é", 600)}, testNow+2*Hour)
	require.NoError(t, err)
	g.rec = *commit(t, m, s, testNow+2*Hour, 2).Save
	s = g.resume(t, m, testNow+2*Hour)
	require.Equal(t, ip(t, "192.0.2.1"), s.IP())
	require.Equal(t, "first\xff", s.UserAgent())
	require.Equal(t, ip(t, "2001:db8::1"), s.LastIP())
	require.Equal(t, ("\xfe" + strings.Repeat("é", 600))[:MaxUserAgent], s.LastUserAgent())
}
