package core

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// signInWith stores a new session of alice.
func signInWith(t testing.TB, m *Machine, l Login, now Time) given {
	t.Helper()
	s := m.New(Request{})
	require.NoError(t, s.LoginWith("alice", l))
	return received(commit(t, m, s, now, 1))
}

func TestALoginKeepsStampAndMethods(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signInWith(t, m, Login{Stamp: NewSecret("$2a$10$hash"), Methods: []string{"pwd", "otp", "pwd"}}, testNow)
	s := handOver(t, m, g.resume(t, m, testNow+Minute))
	require.True(t, s.Stamped())
	require.True(t, s.HasStamp("$2a$10$hash"))
	require.False(t, s.HasStamp("$2a$10$other"))
	require.False(t, s.HasStamp(""))
	require.Equal(t, []string{"otp", "pwd"}, s.Methods())
	require.Equal(t, testNow, s.ProvenAt())
	require.NotContains(t, string(s.AppendBytes(nil)), "$2a$10$hash", "only a hash is kept")

	// A login without them, of the same user too, leaves nothing of them.
	require.NoError(t, s.Login("alice", 0))
	require.False(t, s.Stamped())
	again := received(commit(t, m, s, testNow+Minute, 2)).resume(t, m, testNow+Minute)
	require.False(t, again.Stamped())
	require.Empty(t, again.Methods())
	require.Equal(t, testNow+Minute, again.ProvenAt())
}

// The stamp of one user, or of one tenant's, is no other's.
func TestAStampIsOfOneUser(t *testing.T) {
	m := testMachine(t, Policy{})
	hash := map[string]bool{}
	for _, who := range [][2]string{{"", "alice"}, {"", "bob"}, {"acme", "alice"}, {"a", "cmealice"}} {
		s := m.New(Request{Tenant: who[0]})
		require.NoError(t, s.LoginWith(who[1], Login{Stamp: NewSecret("1")}))
		hash[string(s.stamp()[:])] = true
	}
	require.Len(t, hash, 4)
}

func TestProofsThatAreRefused(t *testing.T) {
	m := testMachine(t, Policy{})
	s := signIn(t, m, Request{}, 0, testNow).resume(t, m, testNow)
	many := strings.Split("a b c d e f g h i", " ")
	for _, bad := range [][]string{many, {""}, {"a b"}, {"a\n"}, {"\""}, {"é"}, {strings.Repeat("x", MaxMethod+1)}} {
		require.ErrorIs(t, s.LoginWith("alice", Login{Methods: bad}), ErrMethod)
		require.ErrorIs(t, s.Confirm(bad...), ErrMethod)
	}
	require.ErrorIs(t, s.Confirm(), ErrMethod)
	require.NoError(t, s.Confirm(many[:MaxMethods]...))
	require.ErrorIs(t, s.RenewWith(""), ErrStamp)
	require.ErrorIs(t, s.Adopt(""), ErrStamp)
	long := strings.Repeat("x", MaxStamp+1)
	require.ErrorIs(t, s.RenewWith(long), ErrStamp)
	require.ErrorIs(t, s.LoginWith("alice", Login{Stamp: NewSecret(long)}), ErrStamp)

	nobody := m.New(Request{})
	require.ErrorIs(t, nobody.Confirm("pwd"), ErrNobody)
	require.ErrorIs(t, nobody.RenewWith("1"), ErrNobody)
	require.ErrorIs(t, nobody.Adopt("1"), ErrNobody)
	s.End()
	require.ErrorIs(t, s.Confirm("pwd"), ErrEnded)
}

// Only a login and Confirm make a proof, and only for so long.
func TestWhatMakesAProofFresh(t *testing.T) {
	m := testMachine(t, Policy{IdleTimeout: Day, RenewAfter: 10 * Minute})
	g := signInWith(t, m, Login{Stamp: NewSecret("1"), Methods: []string{"pwd"}}, testNow)
	late := testNow + 2*Hour
	require.True(t, g.resume(t, m, testNow+9*Minute).ProvenWithin(10*Minute, testNow+9*Minute))
	require.False(t, g.resume(t, m, testNow+10*Minute).ProvenWithin(10*Minute, testNow+10*Minute))
	for name, do := range map[string]func(*Session) error{
		"a touch":          func(*Session) error { return nil },
		"a refresh":        (*Session).Refresh,
		"a renewal":        (*Session).Renew,
		"a stamp":          func(s *Session) error { return s.RenewWith("2") },
		"a lifetime":       func(s *Session) error { return s.SetLifetime(Day) },
		"a value":          func(s *Session) error { return s.SetValue("n", []byte{1}) },
		"a stamp for none": func(s *Session) error { return s.Adopt("3") },
	} {
		s := g.resume(t, m, late)
		require.NoError(t, do(s), name)
		next := received(commit(t, m, handOver(t, m, s), late, 2)).resume(t, m, late)
		require.False(t, next.ProvenWithin(10*Minute, late), name)
		require.Equal(t, []string{"pwd"}, next.Methods(), name)
		require.Equal(t, testNow, next.ProvenAt(), name)
	}

	s := g.resume(t, m, late)
	require.NoError(t, s.Confirm("otp"))
	confirmed := received(commit(t, m, handOver(t, m, s), late, 2))
	next := confirmed.resume(t, m, late)
	require.True(t, next.ProvenWithin(10*Minute, late+9*Minute))
	require.False(t, next.ProvenWithin(10*Minute, late+10*Minute))
	require.Equal(t, []string{"otp"}, next.Methods(), "of the last proof alone")
	require.Equal(t, testNow, next.LoginAt())
	require.True(t, next.HasStamp("1"), "the stamp stays")

	// A cookie from before has nothing of it.
	confirmed.cookie = g.cookie
	_, err := confirmed.try(t, m, Request{}, late)
	require.ErrorIs(t, err, ErrSuperseded)

	// A clock that was set back does not keep it fresh.
	require.True(t, next.ProvenWithin(10*Minute, late-MaxSkew))
	require.False(t, next.ProvenWithin(10*Minute, late-MaxSkew-1))
}

// A session from before there were stamps adopts one with a save that is no more than
// a touch, and never in the place of another.
func TestAdopting(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{}, 0, testNow)
	s := g.resume(t, m, testNow)
	require.False(t, m.Pending(s, testNow))
	require.NoError(t, s.Adopt("1"))
	require.True(t, m.Pending(s, testNow))
	require.False(t, s.Changed())
	e := commit(t, m, handOver(t, m, s), testNow, 2)
	require.True(t, e.Touch)
	require.Empty(t, e.Cookies)
	stamped := received(e)
	stamped.cookie = g.cookie
	s = stamped.resume(t, m, testNow)
	require.True(t, s.HasStamp("1"))
	require.NoError(t, s.Adopt("2"))
	require.False(t, m.Pending(s, testNow))

	// With a change it goes along, also behind one that another request has stored.
	s = g.resume(t, m, testNow)
	require.NoError(t, s.Adopt("2"))
	require.NoError(t, s.SetValue("n", []byte{1}))
	next, err := m.Rebase(s, &stamped.rec, testNow)
	require.NoError(t, err)
	e = commit(t, m, handOver(t, m, next), testNow, 3)
	require.True(t, e.Next.HasStamp("1"))
}

// A release that does not know the proof keeps it, and may sign the user in: then it
// says nothing any more.
func TestAProofIsOfItsLogin(t *testing.T) {
	m := testMachine(t, Policy{})
	s := signInWith(t, m, Login{Stamp: NewSecret("1"), Methods: []string{"otp"}}, testNow).resume(t, m, testNow)
	s.in.loginAt++ // as by that release
	require.False(t, s.Stamped())
	require.Empty(t, s.Methods())
	require.Equal(t, testNow+1, s.ProvenAt())
}

func TestOutdating(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signInWith(t, m, Login{Stamp: NewSecret("1"), Methods: []string{"pwd"}}, testNow)
	s := g.resume(t, m, testNow)
	put(t, s, "cart", "apple")
	mine := received(commit(t, m, s, testNow, 2))
	mine.cookie = g.cookie

	s = mine.resume(t, m, testNow)
	s.Outdate()
	e := commit(t, m, handOver(t, m, s), testNow, 3)
	require.Equal(t, mine.rec.Version, e.Prev, "what another has stored is not ended")
	require.True(t, e.Delete.IsZero())
	require.Empty(t, e.Cookies)
	over := given{g.cookie, *e.Save}
	require.Empty(t, over.rec.User)
	require.NotContains(t, string(appendPayload(nil, &e.Next.in)), "x")

	_, err := over.try(t, m, Request{}, testNow)
	require.ErrorIs(t, err, ErrCredentialsChanged)
	require.True(t, err.(*Refusal).Recent)
	_, err = over.try(t, m, Request{}, testNow+SupersededHold)
	require.ErrorIs(t, err, ErrCredentialsChanged)
	require.False(t, err.(*Refusal).Recent)
	_, err = m.Resume(ByID(over.rec.ID), over.rec, Request{}, testNow)
	require.ErrorIs(t, err, ErrNotFound)

	// Requests that were on their way: a change is refused, a read goes on, and the one
	// that has changed the password itself stays signed in, with what it had loaded.
	s = mine.resume(t, m, testNow)
	put(t, s, "cart", "pear")
	_, err = m.Rebase(s, &over.rec, testNow)
	require.ErrorIs(t, err, ErrCredentialsChanged)
	require.NoError(t, s.Renew())
	_, err = m.Rebase(s, &over.rec, testNow)
	require.ErrorIs(t, err, ErrCredentialsChanged)
	require.NoError(t, s.RenewWith("2"))
	next, err := m.Rebase(handOver(t, m, s), &over.rec, testNow)
	require.NoError(t, err)
	e = commit(t, m, handOver(t, m, next), testNow+1, 4)
	require.NotEqual(t, over.rec.ID, e.Save.ID)
	own := received(e).resume(t, m, testNow+1)
	require.Equal(t, "alice", own.User())
	require.True(t, own.HasStamp("2"))
	require.Equal(t, []string{"pwd"}, own.Methods())
	require.Equal(t, testNow, own.ProvenAt(), "the proof is that of before")
	value, _ := own.Value("cart")
	require.Equal(t, "pear", string(value[1:]))

	s = mine.resume(t, m, testNow)
	s.End()
	require.Equal(t, g.rec.ID, commit(t, m, s, testNow, 5).Delete, "a logout deletes, whatever is stored")
	fresh := m.New(Request{})
	fresh.Outdate()
	require.Nil(t, commit(t, m, fresh, testNow, 5).Save)
}

func TestProofBytesThatAreRefused(t *testing.T) {
	whole := appendProof(1, 2, &[32]byte{1}, []byte("otp pwd"))
	require.True(t, validProof(whole))
	for n := range len(whole) {
		require.Equal(t, n >= proofLen && whole[n-1] != ' ', validProof(whole[:n]), n)
	}
	for _, methods := range []string{" ", "pwd otp", "pwd pwd", "a ", " a", "a  b", "a\x00", "\xff", strings.Repeat("x", MaxMethod+1), "a b c d e f g h i"} {
		require.False(t, validMethods([]byte(methods)), methods)
	}
}
