package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLogin: what a login keeps and what it leaves behind.
func TestLogin(t *testing.T) {
	m := testMachine(t, Policy{})
	alice := func() given {
		s := m.New(Request{})
		require.NoError(t, s.Login("alice", 0))
		put(t, s, "cart", "apple")
		return received(commit(t, m, s, testNow, 1))
	}
	for _, c := range []struct {
		what string
		g    given
		user string
		same bool
	}{
		{"of a visitor", anonymous(t, m, testNow), "alice", true},
		{"of the same user", alice(), "alice", true},
		{"of another user", alice(), "bob", false},
	} {
		s := c.g.resume(t, m, testNow+1)
		require.NoError(t, s.Login(c.user, 0))
		e := commit(t, m, s, testNow+1, 2)
		next := received(e)
		require.Equal(t, c.user, next.rec.User, c.what)
		require.Equal(t, testNow+1, e.Next.LoginAt())
		_, err := given{c.g.cookie, next.rec}.try(t, m, Request{}, testNow+1)
		if c.same {
			require.Equal(t, c.g.rec.ID, next.rec.ID, c.what)
			require.Equal(t, map[string]any{"cart": "apple"}, all(t, e.Next), c.what)
			require.Equal(t, c.g.rec.CreatedAt, next.rec.CreatedAt)
			require.Equal(t, c.g.rec.Version, e.Prev)
			require.True(t, e.Delete.IsZero())
			require.ErrorIs(t, err, ErrSuperseded, "the old cookie is worthless at once")
			continue
		}
		require.Equal(t, c.g.rec.ID, e.Delete, c.what)
		require.NotEqual(t, c.g.rec.ID, next.rec.ID)
		require.Equal(t, NoVersion, e.Prev)
		require.Empty(t, all(t, e.Next), c.what)
		require.ErrorIs(t, err, ErrNotFound, "a record of another ID")
		require.Equal(t, DidCreate|DidLogin, e.Did)
	}
}

// TestLoginTwiceInOneRequest: the session that ends is the stored one, and a
// change of mind leaves nothing of the first user.
func TestLoginTwiceInOneRequest(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{Tenant: "acme"}, 0, testNow)
	s := g.resume(t, m, testNow)
	require.NoError(t, s.Login("bob", 0))
	put(t, s, "k", "bob's")
	require.NoError(t, s.Login("carol", 0))
	e := commit(t, m, s, testNow, 2)
	require.Equal(t, g.rec.ID, e.Delete)
	require.Equal(t, "carol", e.Save.User)
	require.Equal(t, "acme", e.Save.Tenant)
	require.Empty(t, all(t, e.Next))
	s = g.resume(t, m, testNow)
	require.NoError(t, s.Login("bob", 0))
	s.End()
	require.Equal(t, g.rec.ID, commit(t, m, s, testNow, 3).Delete, "ended after all: so is the stored one")
}

// TestPending: nothing is stored or sent without a reason.
func TestPending(t *testing.T) {
	m := testMachine(t, Policy{})
	fresh := m.New(Request{})
	require.False(t, m.Pending(fresh, testNow))
	e := commit(t, m, fresh, testNow, 1)
	require.True(t, e.Nothing())
	require.Same(t, fresh, e.Next)
	require.NoError(t, fresh.Keep(numbered(7)))
	id := fresh.ID()
	e = commit(t, m, fresh, testNow, 1)
	require.Equal(t, id, e.Save.ID, "kept under the ID that was drawn")
	g := anonymous(t, m, testNow)
	s := g.resume(t, m, testNow)
	put(t, s, "cart", "pear")
	put(t, s, "cart", "apple")
	require.False(t, m.Pending(s, testNow), "set back to what it was")
	require.NoError(t, s.DeleteValue("no such"))
	require.True(t, func() bool { e := commit(t, m, s, testNow, 2); return e.Nothing() }())
	for what, change := range map[string]func(*Session) error{
		"renew": (*Session).Renew, "refresh": (*Session).Refresh, "clear": (*Session).ClearValues,
		"lifetime": func(s *Session) error { return s.SetLifetime(DefaultAnonymousLifetime) },
	} {
		s := g.resume(t, m, testNow)
		require.NoError(t, change(s))
		require.True(t, m.Pending(s, testNow), what)
		require.False(t, commit(t, m, s, testNow, 2).Touch, what)
	}
}

// TestTrusted: a program changes a session by ID without being its visitor.
func TestTrusted(t *testing.T) {
	m := testMachine(t, Policy{IdleTimeout: Hour, BindUserAgent: true, BindIPv4Bits: 32})
	g := signIn(t, m, Request{IP: "\x01\x02\x03\x04", UserAgent: "browser"}, 0, testNow)
	now := testNow + 30*Minute
	s, err := m.Resume(ByID(g.rec.ID), g.rec, Request{}, now)
	require.NoError(t, err)
	require.False(t, m.Pending(s, now))
	put(t, s, "k", 1)
	e := commit(t, m, s, now, 2)
	require.Equal(t, g.rec.SeenAt, e.Save.SeenAt, "no use")
	require.Equal(t, "\x01\x02\x03\x04", e.Next.LastIP())
	require.Empty(t, e.Cookies)
	cookies, err := m.Cookie(e.Next, now, numbered(3))
	require.NoError(t, err)
	require.Empty(t, cookies, "its secret is not at hand")
	s, err = m.Resume(ByID(g.rec.ID), g.rec, Request{Tenant: "other"}, now)
	require.ErrorIs(t, err, ErrWrongTenant)
	require.Nil(t, s)
	_, err = m.Resume(ByID(g.rec.ID), g.rec, Request{Tenant: "other", AnyTenant: true}, now)
	require.NoError(t, err)
	_, err = m.Resume(ByID(ID{9}), g.rec, Request{}, now)
	require.ErrorIs(t, err, ErrNotFound)
}

// TestApplied: a save whose answer was lost is found in the history of what
// followed it, for as long as that reaches back.
func TestApplied(t *testing.T) {
	m := testMachine(t, Policy{})
	g := anonymous(t, m, testNow)
	versions := []Version{NoVersion, g.rec.Version}
	for n := range uint64(12) {
		s := g.resume(t, m, testNow)
		put(t, s, "n", int(n))
		g.rec = *commit(t, m, s, testNow, n+2).Save
		versions = append(versions, g.rec.Version)
		last := len(versions) - 1
		for i := 1; i <= last; i++ {
			applied, known, err := m.Applied(&g.rec, versions[i], versions[i-1], testNow)
			require.NoError(t, err)
			require.Equal(t, last-i <= KeptVersions, applied, "%d of %d", i, last)
			require.Equal(t, last-i <= KeptVersions, known)
			// A rival save in place of the same one was not applied, and that
			// is known while its prev can be seen.
			applied, known, err = m.Applied(&g.rec, 1, versions[i-1], testNow)
			require.NoError(t, err)
			require.False(t, applied)
			require.Equal(t, last-(i-1) <= KeptVersions || last <= KeptVersions, known, "%d of %d", i, last)
		}
	}
	g.rec.Sealed = g.rec.Sealed[:40]
	_, _, err := m.Applied(&g.rec, 1, 2, testNow)
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestWarnsOnce(t *testing.T) {
	m := testMachine(t, Policy{})
	g := anonymous(t, m, testNow)
	for n, c := range []struct {
		size int
		warn bool
	}{{4000, false}, {4096, true}, {4097, false}, {10, false}, {5000, true}} {
		s := g.resume(t, m, testNow)
		put(t, s, "big", make([]byte, c.size))
		e := commit(t, m, s, testNow, uint64(n)+2)
		require.Equal(t, c.warn, e.Warn, c.size)
		g.rec = *e.Save
	}
}

func TestNothing(t *testing.T) {
	for want, e := range map[bool][]Effects{
		true:  {{}, {Size: 1, Did: DidTouch, Next: &Session{}}},
		false: {{Delete: ID{1}}, {Save: &Record{}}, {Cookies: []string{"a=b"}}},
	} {
		for i := range e {
			require.Equal(t, want, e[i].Nothing(), "%v %d", want, i)
		}
	}
}
