package core

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzIdentify: whatever a visitor sends as Cookie fields, only what was sealed
// here is taken.
func FuzzIdentify(f *testing.F) {
	m := testMachine(f, Policy{})
	g := signIn(f, m, Request{}, 0, testNow)
	id := g.rec.ID
	f.Add(g.cookie, "")
	f.Add("a=b; "+g.cookie+";rockstar_session=", g.cookie)
	f.Add("rockstar_session=\""+g.value()+"\"", ";;; =;rockstar_session")
	f.Add("rockstar%5Fsession="+g.value(), "Rockstar_Session="+g.value())
	f.Fuzz(func(t *testing.T, one, two string) {
		tickets, err := m.Identify([]string{one, two}, "", testNow)
		require.Equal(t, err == nil, len(tickets) > 0)
		require.LessOrEqual(t, len(tickets), 1, "one session, one ticket")
		for _, ticket := range tickets {
			require.Equal(t, id, ticket.ID)
			require.Contains(t, one+"\n"+two, "rockstar_session="+g.value())
		}
	})
}

// FuzzCookie: of all values only the one that was sealed opens.
func FuzzCookie(f *testing.F) {
	m := testMachine(f, Policy{})
	g := signIn(f, m, Request{}, 0, testNow)
	f.Add(g.raw(f))
	f.Add(append(g.raw(f), 0))
	f.Add(g.rec.Sealed)
	f.Fuzz(func(t *testing.T, raw []byte) {
		value := base64.RawURLEncoding.EncodeToString(raw)
		tickets, err := m.Identify([]string{DefaultCookieName + "=" + value}, "", testNow)
		if !bytes.Equal(raw, g.raw(t)) {
			require.Error(t, err)
			require.Empty(t, tickets)
			require.NotEqual(t, ReasonNone, ReasonOf(err))
			return
		}
		require.NoError(t, err)
		_, err = m.Inspect(value, "", testNow)
		require.NoError(t, err)
	})
}

// FuzzRecord: what a store hands back opens only if it was sealed here, and
// what is read of a plaintext is written back byte by byte.
func FuzzRecord(f *testing.F) {
	m := testMachine(f, Policy{})
	g := signIn(f, m, Request{IP: "\x7f\x00\x00\x01", UserAgent: "\xff\xfe"}, 0, testNow)
	s := g.resume(f, m, testNow)
	f.Add(g.rec.Sealed, appendPayload(nil, &s.in))
	put(f, s, "name", "value")
	e := commit(f, m, s, testNow, 2)
	f.Add(e.Save.Sealed, appendPayload(nil, &e.Next.in))
	proven := signInWith(f, m, Login{Stamp: NewSecret("1"), Methods: []string{"pwd", "otp"}}, testNow).resume(f, m, testNow)
	f.Add([]byte{1}, appendPayload(nil, &proven.in))
	f.Add([]byte{1}, []byte{0xa0})
	f.Fuzz(func(t *testing.T, sealed, plain []byte) {
		r := g.rec
		r.Sealed = sealed
		if _, err := m.Resume(ByID(r.ID), r, Request{}, testNow); err == nil {
			require.Equal(t, g.rec.Sealed, sealed)
		}
		var p payload
		if readPayload(plain, &p) == nil {
			require.Equal(t, plain, appendPayload(nil, &p))
		}
	})
}
