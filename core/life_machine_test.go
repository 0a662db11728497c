package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var testKey = []byte("\x8f\x1bA test key, really not for any use")

func testMachine(t testing.TB, p Policy) *Machine {
	t.Helper()
	m, err := NewMachine(p, KeyRing{{Bytes: NewSecret(testKey[:KeyLen])}})
	require.NoError(t, err)
	return m
}

// seeded gives a Seed for a number, so that tests are deterministic.
func seeded(n byte) (s Seed) {
	for i := range s {
		s[i] = n + byte(i)*7 + 1
	}
	return s
}

func TestOneLife(t *testing.T) {
	m := testMachine(t, Policy{})
	now := Time(1_800_000_000_000)
	s := m.New(Request{IP: "\x7f\x00\x00\x01", UserAgent: "test"})
	e, err := m.Commit(s, now, seeded(1))
	require.NoError(t, err)
	require.True(t, e.Nothing(), "nothing is stored until something is in it")
	v, err := AppendValue(nil, 42)
	require.NoError(t, err)
	require.NoError(t, s.SetValue("n", v))
	require.NoError(t, s.Login("alice", 0))
	e, err = m.Commit(s, now, seeded(1))
	require.NoError(t, err)
	require.NotNil(t, e.Save)
	require.Len(t, e.Cookies, 1)
	t.Log(e.Cookies[0])
	header := e.Cookies[0][:len("rockstar_session=")+cookieLen]
	tickets, err := m.Identify([]string{header}, "", now)
	require.NoError(t, err)
	require.Len(t, tickets, 1)
	got, err := m.Resume(tickets[0], *e.Save, Request{}, now+Minute)
	require.NoError(t, err)
	require.Equal(t, "alice", got.User())
	raw, ok := got.Value("n")
	require.True(t, ok)
	n, err := DecodeValue(raw)
	require.NoError(t, err)
	require.Equal(t, 42, n)
	e, err = m.Commit(got, now+Minute, seeded(2))
	require.NoError(t, err)
	require.True(t, e.Nothing(), "a read stores nothing")
}
