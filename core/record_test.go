package core

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestClearFieldsAreSealed: whoever can write the table can move no expiry,
// and give no session to anybody.
func TestClearFieldsAreSealed(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{Tenant: "acme"}, 0, testNow)
	other := signIn(t, m, Request{Tenant: "acme"}, 0, testNow+1)
	for what, change := range map[string]func(*Record){
		"id":              func(r *Record) { r.ID[15] ^= 1 },
		"version":         func(r *Record) { r.Version ^= 1 },
		"tenant":          func(r *Record) { r.Tenant = "acma" },
		"no tenant":       func(r *Record) { r.Tenant = "" },
		"tenant for user": func(r *Record) { r.Tenant, r.User = r.Tenant+r.User[:1], r.User[1:] },
		"user":            func(r *Record) { r.User = "admin" },
		"no user":         func(r *Record) { r.User = "" },
		"long user":       func(r *Record) { r.User = strings.Repeat("a", 1<<16) + r.User },
		"created":         func(r *Record) { r.CreatedAt++ },
		"seen":            func(r *Record) { r.SeenAt++ },
		"expires":         func(r *Record) { r.ExpiresAt++ },
		"sealed of later": func(r *Record) { r.Sealed = other.rec.Sealed },
		"empty":           func(r *Record) { r.Sealed = nil },
		"too long":        func(r *Record) { r.Sealed = append(bytes.Clone(r.Sealed), make([]byte, MaxSealed)...) },
	} {
		r := g.rec
		change(&r)
		s, err := m.Resume(ByID(r.ID), r, Request{Tenant: r.Tenant}, testNow)
		require.ErrorIs(t, err, ErrCorrupt, what)
		require.Nil(t, s)
	}
}

func TestEveryByteOfARecordCounts(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{}, 0, testNow)
	ticket := g.ticket(t, m, testNow)
	for i := range g.rec.Sealed {
		r := g.rec
		r.Sealed = bytes.Clone(r.Sealed)
		for _, bit := range []byte{1, 0x80} {
			r.Sealed[i] ^= bit
			_, err := m.Resume(ticket, r, Request{}, testNow)
			require.ErrorIs(t, err, ErrCorrupt, i)
			r.Sealed[i] ^= bit
		}
		r.Sealed = g.rec.Sealed[:i]
		_, err := m.Resume(ticket, r, Request{}, testNow)
		require.ErrorIs(t, err, ErrCorrupt, i)
	}
	r := g.rec
	r.Sealed = append([]byte{2}, r.Sealed[1:]...)
	_, err := m.Resume(ticket, r, Request{}, testNow)
	require.ErrorContains(t, err, "format 2")
}

// resealed gives a session the plaintext that edit makes of its own.
func resealed(t *testing.T, m *Machine, g given, edit func(plain []byte) []byte) given {
	t.Helper()
	h, err := m.ring.checkRecord(g.rec.Sealed)
	require.NoError(t, err)
	aad := recordAAD(nil, g.rec.Sealed[:headerLen], &g.rec)
	plain, err := m.ring.open(nil, g.rec.Sealed, aad, h, purposeRecord)
	require.NoError(t, err)
	seed := numbered(99)
	g.rec.Sealed, err = m.ring.seal(appendHeader(nil, h), edit(plain), aad, h, purposeRecord, &seed)
	require.NoError(t, err)
	return g
}

// TestLaterKeysAreKept: an older release does not lose what a newer one wrote.
func TestLaterKeysAreKept(t *testing.T) {
	m := testMachine(t, Policy{})
	later := []byte{0x18, 99, 0x82, 1, 0x61, 'x', 0x18, 100, majorMap}
	g := resealed(t, m, anonymous(t, m, testNow), func(plain []byte) []byte {
		require.Less(t, plain[0]&0x1f, byte(22))
		plain[0] += 2 // pairs
		return append(plain, later...)
	})
	for n := range uint64(3) {
		s := g.resume(t, m, testNow)
		require.Equal(t, later, s.in.unknown)
		put(t, s, "n", int(n))
		if n == 1 {
			require.NoError(t, s.Login("alice", 0))
		}
		e := commit(t, m, s, testNow, n+2)
		g.rec = *e.Save
		if len(e.Cookies) > 0 {
			g = received(e)
		}
	}
	s := g.resume(t, m, testNow)
	require.Equal(t, later, s.in.unknown)
	require.Equal(t, map[string]any{"cart": "apple", "n": 2}, all(t, s))
}

func TestLaterFormatIsNamed(t *testing.T) {
	m := testMachine(t, Policy{})
	g := resealed(t, m, anonymous(t, m, testNow), func(plain []byte) []byte {
		at := bytes.Index(plain, []byte{keyFormat, recordFormat})
		plain[at+1] = 2
		return plain
	})
	_, err := g.try(t, m, Request{}, testNow)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "format 2")
	require.ErrorContains(t, err, "up to 1")
}

// TestBadPayloads: what seals and yet is no payload of ours is corrupt.
func TestBadPayloads(t *testing.T) {
	m := testMachine(t, Policy{})
	g := anonymous(t, m, testNow)
	for what, edit := range map[string]func([]byte) []byte{
		"empty":           func([]byte) []byte { return nil },
		"no map":          func([]byte) []byte { return []byte{0x80} },
		"no keys":         func([]byte) []byte { return []byte{majorMap} },
		"cut off":         func(p []byte) []byte { return p[:len(p)-1] },
		"one byte more":   func(p []byte) []byte { return append(p, 0) },
		"one pair more":   func(p []byte) []byte { p[0]++; return p },
		"a key missing":   func(p []byte) []byte { return append([]byte{p[0] - 1}, p[3:]...) },
		"keys in reverse": func(p []byte) []byte { p[1], p[3] = p[3], p[1]; return p },
		"a key twice":     func(p []byte) []byte { p[3] = p[1]; return p },
	} {
		_, err := resealed(t, m, g, edit).try(t, m, Request{}, testNow)
		require.ErrorIs(t, err, ErrCorrupt, what)
	}
}
