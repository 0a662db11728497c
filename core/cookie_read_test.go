package core

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// cookieOf seals a ticket as a browser would send it.
func cookieOf(t testing.TB, m *Machine, ticket Ticket, now Time) string {
	t.Helper()
	seed := numbered(uint64(ticket.gen.step) + 1)
	b, err := m.ring.appendCookie([]byte(m.policy.CookieName+"="), &ticket, m.policy.CookieName, "", now, &seed)
	require.NoError(t, err)
	return string(b)
}

func TestCookieFields(t *testing.T) {
	m := testMachine(t, Policy{})
	c := signIn(t, m, Request{}, 0, testNow).cookie
	forged := DefaultCookieName + "=" + strings.Repeat("A", cookieLen)
	most := MaxCookieBytes / cookieLen
	for _, x := range []struct {
		what   string
		fields []string
		want   error
	}{
		{"alone", []string{c}, nil},
		{"among others", []string{"a=b; " + c + "; d=e"}, nil},
		{"no space", []string{"a=b;" + c + ";d=e"}, nil},
		{"space and tab around", []string{"a=b; \t " + c + " \t ;d=e"}, nil},
		{"in the second field", []string{"a=b", c}, nil},
		{"after an empty field", []string{"", ";;; ;", c}, nil},
		{"after a pair without =", []string{DefaultCookieName + "; " + c}, nil},
		{"after an empty value", []string{DefaultCookieName + "=; " + c}, nil},
		{"after a forged one", []string{forged + "; " + c}, nil},
		{"after as many as two browsers' jars hold", []string{strings.Repeat(forged+"; ", 400) + c}, nil},
		{"the last that is tried", []string{strings.Repeat(forged+"; ", most-1) + c}, nil},
		{"one too late", []string{strings.Repeat(forged+"; ", most) + c}, ErrMalformed},
		{"one too late, by fields", []string{strings.Repeat(forged+"; ", most), c}, ErrMalformed},
		{"after many of another length", []string{strings.Repeat(DefaultCookieName+"=x; ", 10*most) + c}, nil},
		{"after 1,000 separators in another cookie", []string{"a=" + strings.Repeat(", ", 1000) + "; " + c}, nil},
		{"after 1,000 pairs", []string{strings.Repeat("; ", 1000) + strings.Repeat("a=b; ", 1000) + c}, nil},
		{"after 1,000 fields", append(strings.SplitAfter(strings.Repeat("a=b;", 1000), ";"), c), nil},
		{"within the value of another cookie", []string{"lang=en, " + c}, ErrNoCookie},
		{"no fields", nil, ErrNoCookie},
		{"no cookie of the name", []string{"a=b; x" + c}, ErrNoCookie},
		{"name in other case", []string{strings.ToUpper(c[:5]) + c[5:]}, ErrNoCookie},
		{"name percent-encoded", []string{"rockstar%5Fsession" + c[len(DefaultCookieName):]}, ErrNoCookie},
		{"space before =", []string{strings.Replace(c, "=", " =", 1)}, ErrNoCookie},
		{"space after =", []string{strings.Replace(c, "=", "= ", 1)}, ErrMalformed},
		{"quoted", []string{strings.Replace(c, "=", `="`, 1) + `"`}, ErrMalformed},
		{"comma for semicolon", []string{c + ", a=b"}, ErrMalformed},
		{"empty value", []string{DefaultCookieName + "="}, ErrMalformed},
	} {
		tickets, err := m.Identify(x.fields, "", testNow)
		if x.want != nil {
			require.ErrorIs(t, err, x.want, x.what)
			require.Empty(t, tickets, x.what)
			continue
		}
		require.NoError(t, err, x.what)
		require.Len(t, tickets, 1, x.what)
	}
}

// TestPrefixIsNotDecoded: %5F_Host- must not pass for __Host-.
func TestPrefixIsNotDecoded(t *testing.T) {
	m := testMachine(t, Policy{CookieName: "__Host-id"})
	c := signIn(t, m, Request{}, 0, testNow).cookie
	_, err := m.Identify([]string{c}, "", testNow)
	require.NoError(t, err)
	for _, name := range []string{"%5F_Host-id", "__host-id", "__HOST-id", "_\u200b_Host-id", " __Host-id\x00"} {
		_, err := m.Identify([]string{name + strings.TrimPrefix(c, "__Host-id")}, "", testNow)
		require.ErrorIs(t, err, ErrNoCookie, name)
	}
}

// TestDuplicates: browsers also send the cookies of former paths and domains.
func TestDuplicates(t *testing.T) {
	m := testMachine(t, Policy{})
	a, b, c := ID{1}, ID{2}, ID{3}
	at := func(id ID, chain, step uint32, hour Time) string {
		return cookieOf(t, m, Ticket{ID: id, gen: generation{chain, step}}, testNow+hour*Hour)
	}
	for _, x := range []struct {
		what    string
		cookies []string
		want    []ID
		chain   uint32
		step    uint32
	}{
		{"newest first", []string{at(a, 0, 0, 0), at(b, 0, 0, 2), at(c, 0, 0, 1)}, []ID{b, c, a}, 0, 0},
		{"as sent within an hour", []string{at(b, 0, 0, 0), at(a, 0, 0, 0), at(c, 0, 0, 0)}, []ID{b, a, c}, 0, 0},
		{"later step counts", []string{at(a, 1, 1, 0), at(a, 1, 2, 0), at(a, 1, 1, 0)}, []ID{a}, 1, 2},
		{"later chain counts", []string{at(a, 1, 9, 0), at(a, 2, 0, 0)}, []ID{a}, 2, 0},
		{"even if sealed earlier", []string{at(a, 1, 0, 1), at(a, 2, 0, 0)}, []ID{a}, 2, 0},
		{"its own hour orders it", []string{at(a, 0, 0, 0), at(b, 0, 0, 1), at(a, 0, 1, 2)}, []ID{a, b}, 0, 1},
		{"also when only sealed anew", []string{at(a, 0, 0, 0), at(b, 0, 0, 1), at(a, 0, 0, 2)}, []ID{a, b}, 0, 0},
	} {
		tickets, err := m.Identify([]string{strings.Join(x.cookies, "; ")}, "", testNow+2*Hour)
		require.NoError(t, err, x.what)
		var ids []ID
		for _, ticket := range tickets {
			ids = append(ids, ticket.ID)
		}
		require.Equal(t, x.want, ids, x.what)
		require.Equal(t, generation{x.chain, x.step}, tickets[0].gen, x.what)
	}
}

// TestPlantedCookies: a neighbouring host can put cookies of the name before
// the visitor's own. None of those that do not open takes its place.
func TestPlantedCookies(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{}, 0, testNow)
	foreign := testMachine(t, Policy{})
	foreign.ring.keys[0].id[0] ^= 1
	changed := g.raw(t)
	changed[40] ^= 1
	other := signIn(t, m, Request{Tenant: "acme"}, 0, testNow).cookie
	for what, planted := range map[string]string{
		"malformed":         DefaultCookieName + "=" + strings.Repeat("!", cookieLen),
		"of an unknown key": cookieOf(t, foreign, Ticket{ID: ID{1}}, testNow),
		"changed":           cookieText(changed),
		"another tenant's":  other,
		"expired":           cookieOf(t, m, Ticket{ID: ID{1}}, testNow-MaxLifetime-2*Hour),
		"of its own":        g.cookie,
	} {
		tickets, err := m.Identify([]string{strings.Repeat(planted+"; ", 400) + g.cookie}, "", testNow)
		require.NoError(t, err, what)
		require.Len(t, tickets, 1, what)
		require.Equal(t, g.rec.ID, tickets[0].ID, what)
	}
	var sessions []string // of the visitor: four are considered
	for n := range byte(MaxCookies + 1) {
		sessions = append(sessions, cookieOf(t, m, Ticket{ID: ID{1 + n}}, testNow))
	}
	tickets, err := m.Identify(sessions, "", testNow)
	require.NoError(t, err)
	require.Len(t, tickets, MaxCookies)
}

// TestFloods: what a visitor sends costs no more than reading it once.
func TestFloods(t *testing.T) {
	m := testMachine(t, Policy{})
	good := signIn(t, m, Request{}, 0, testNow)
	m = testMachine(t, Policy{}) // nothing is cached in this one
	raw := good.raw(t)
	forged := make([]string, 0, 200)
	rng := rand.New(rand.NewPCG(1, 2))
	for range cap(forged) {
		binary.BigEndian.PutUint32(raw[5:], uint32(testNow/Hour)-uint32(rng.IntN(9000)))
		raw[30]++
		forged = append(forged, cookieText(raw))
	}
	for what, fields := range map[string][]string{
		"semicolons":  {strings.Repeat(";", 1<<20)},
		"spaces":      {strings.Repeat(" ", 1<<20) + "=;"},
		"names":       {strings.Repeat(DefaultCookieName, 1<<16)},
		"one value":   {DefaultCookieName + "=" + strings.Repeat("A", 1<<20)},
		"many fields": strings.SplitAfter(strings.Repeat("a=b;", 1<<18), ";"),
		"200 cookies": {strings.Join(forged, "; ")},
		"200 fields":  forged,
		"20,000":      {strings.Repeat(strings.Join(forged, "; ")+"; ", 100)},
	} {
		var err error
		allocated := testing.AllocsPerRun(1, func() { _, err = m.Identify(fields, "", testNow) })
		require.Error(t, err, what)
		require.LessOrEqual(t, allocated, 30.0*MaxCookieBytes/cookieLen, "%s: a derivation for each that is tried", what)
		require.Zero(t, cached(m), "%s: what is not authentic must not be cached", what)
	}
	for _, c := range forged {
		_, err := m.Identify([]string{c}, "", testNow)
		require.ErrorIs(t, err, ErrNotAuthentic)
	}
	require.Zero(t, cached(m))
	_, err := m.Identify([]string{good.cookie}, "", testNow)
	require.NoError(t, err)
	require.Equal(t, 1, cached(m))
}
