package core

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testNow is the first moment of an epoch.
const testNow Time = 500_000 * Hour

// numbered gives a Seed for a number, so that tests are deterministic.
func numbered(n uint64) (s Seed) {
	binary.BigEndian.PutUint64(s[:], n)
	s[31] = 1
	return s
}

// given is a session as a browser and a store have it.
type given struct {
	cookie string // as in a Cookie field
	rec    Record
}

// received reads a commit as browser and store do.
func received(e Effects) (g given) {
	if e.Save != nil {
		g.rec = *e.Save
	}
	if len(e.Cookies) > 0 {
		g.cookie, _, _ = strings.Cut(e.Cookies[0], ";")
	}
	return g
}

func (g given) value() string {
	_, v, _ := strings.Cut(g.cookie, "=")
	return v
}

func (g given) raw(t testing.TB) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(g.value())
	require.NoError(t, err)
	return b
}

func (g given) ticket(t testing.TB, m *Machine, now Time) Ticket {
	t.Helper()
	tickets, err := m.Identify([]string{g.cookie}, g.rec.Tenant, now)
	require.NoError(t, err)
	require.Len(t, tickets, 1)
	return tickets[0]
}

func (g given) resume(t testing.TB, m *Machine, now Time) *Session {
	t.Helper()
	s, err := g.try(t, m, Request{Tenant: g.rec.Tenant}, now)
	require.NoError(t, err)
	return s
}

func (g given) try(t testing.TB, m *Machine, q Request, now Time) (*Session, error) {
	t.Helper()
	return m.Resume(g.ticket(t, m, now), g.rec, q, now)
}

// signIn stores a new session of alice.
func signIn(t testing.TB, m *Machine, q Request, lifetime, now Time) given {
	t.Helper()
	s := m.New(q)
	require.NoError(t, s.Login("alice", lifetime))
	return received(commit(t, m, s, now, 1))
}

// anonymous stores a new session that holds one value.
func anonymous(t testing.TB, m *Machine, now Time) given {
	t.Helper()
	s := m.New(Request{})
	put(t, s, "cart", "apple")
	return received(commit(t, m, s, now, 1))
}

func commit(t testing.TB, m *Machine, s *Session, now Time, seed uint64) Effects {
	t.Helper()
	e, err := m.Commit(s, now, numbered(seed))
	require.NoError(t, err)
	return e
}

func put(t testing.TB, s *Session, name string, v any) {
	t.Helper()
	data, err := AppendValue(nil, v)
	require.NoError(t, err)
	require.NoError(t, s.SetValue(name, data))
}

// all decodes every value of a session.
func all(t testing.TB, s *Session) map[string]any {
	t.Helper()
	m := map[string]any{}
	for _, name := range s.Names() {
		data, ok := s.Value(name)
		require.True(t, ok)
		v, err := DecodeValue(data)
		require.NoError(t, err)
		m[name] = v
	}
	return m
}

// sizeOf counts what SessionSize bounds.
func sizeOf(v *values) (n int) {
	for i := range v.len() {
		e := v.item(i)
		n += itemOverhead + len(e.name) + len(e.value)
	}
	return n
}
