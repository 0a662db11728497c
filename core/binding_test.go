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
		{32, 0, "192.0.2.1", "2001:db8::1", ErrIPChanged},
		{32, 0, "", "192.0.2.1", nil},
		{32, 0, "2001:db8::1", "2001:db8::2", nil},
		{0, 128, "2001:db8::1", "2001:db8::2", ErrIPChanged},
		{0, 128, "2001:db8::1", "2001:db8::1", nil},
		{0, 64, "2001:db8::1", "2001:db8::ffff:1", nil},
		{0, 64, "2001:db8:0:1::1", "2001:db8:0:2::1", ErrIPChanged},
		{0, 63, "2001:db8:0:2::1", "2001:db8:0:3::1", nil},
		{0, 64, "192.0.2.1", "198.51.100.9", nil},
		{0, 64, "2001:db8::1", "192.0.2.1", ErrIPChanged},
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
