package core

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

const renewAfter = 10 * Minute

func renewing(t testing.TB) *Machine { return testMachine(t, Policy{RenewAfter: renewAfter}) }

// renewed shows a cookie when its renewal is due and returns the next one.
func renewed(t *testing.T, m *Machine, g given, now Time, seed uint64) given {
	t.Helper()
	e := commit(t, m, g.resume(t, m, now), now, seed)
	require.Equal(t, DidRenew, e.Did&DidRenew)
	return received(e)
}

func TestRenewalIsOffByDefault(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{}, 0, testNow)
	e := commit(t, m, g.resume(t, m, testNow+23*Hour), testNow+23*Hour, 2)
	require.Equal(t, DidTouch, e.Did)
	require.Empty(t, e.Cookies)
}

func TestRenewalBeginsAtItsTime(t *testing.T) {
	m := renewing(t)
	g := signIn(t, m, Request{}, 0, testNow)
	require.False(t, m.Pending(g.resume(t, m, testNow+renewAfter-1), testNow+renewAfter-1))
	next := renewed(t, m, g, testNow+renewAfter, 2)
	a, b := g.ticket(t, m, testNow), next.ticket(t, m, testNow+renewAfter)
	require.Equal(t, a.ID, b.ID)
	require.NotEqual(t, a.secret, b.secret)
	require.Equal(t, generation{a.gen.chain, a.gen.step + 1}, b.gen)
}

func TestRenewalOnlyWhereACookieTravels(t *testing.T) {
	m := renewing(t)
	g := signIn(t, m, Request{}, 0, testNow)
	for _, now := range []Time{testNow + renewAfter, testNow + 100*renewAfter} {
		s, err := g.try(t, m, Request{NoCookie: true}, now)
		require.NoError(t, err)
		put(t, s, "k", 1)
		e := commit(t, m, s, now, 2)
		require.Zero(t, e.Did&DidRenew)
		require.Empty(t, e.Cookies)
		require.Equal(t, generation{}, e.Next.in.gen)
	}
	byID, err := m.Resume(ByID(g.rec.ID), g.rec, Request{}, testNow+renewAfter)
	require.NoError(t, err)
	require.False(t, m.Pending(byID, testNow+renewAfter), "a program's use is none of the visitor's")
}

// TestAllGetTheSameNext: five requests show the previous secret, at once and
// after one another; each is given the very same next one.
func TestAllGetTheSameNext(t *testing.T) {
	m := renewing(t)
	g := signIn(t, m, Request{}, 0, testNow)
	now := testNow + renewAfter
	first, second := g.resume(t, m, now), g.resume(t, m, now)
	won := received(commit(t, m, first, now, 2))
	lost := commit(t, m, second, now, 3)
	require.False(t, lost.Touch, "a renewal's conflict is no success")
	rebased, err := m.Rebase(second, &won.rec, now)
	require.NoError(t, err)
	follower := received(commit(t, m, rebased, now, 4))
	want := won.ticket(t, m, now).secret
	require.Equal(t, want, follower.ticket(t, m, now).secret)
	rec := follower.rec
	for n := range uint64(3) {
		now += Hour // the answers were lost, and he comes back much later
		next := received(commit(t, m, given{g.cookie, rec}.resume(t, m, now), now, 5+n))
		require.Equal(t, want, next.ticket(t, m, now).secret)
		rec = next.rec
	}
}

func TestReuseAfterGraceIsTheft(t *testing.T) {
	m := renewing(t)
	now := testNow + renewAfter
	stolen := signIn(t, m, Request{}, 0, testNow)
	own := renewed(t, m, stolen, now, 2)
	_, err := given{stolen.cookie, own.rec}.try(t, m, Request{}, now+Hour)
	require.NoError(t, err, "the next has not been seen: its answer may be lost")
	seen := received(commit(t, m, own.resume(t, m, now+Minute), now+Minute, 3))
	own.rec = seen.rec
	for _, c := range []struct {
		after Time
		want  error
	}{{0, nil}, {DefaultRenewGrace - 1, nil}, {DefaultRenewGrace, ErrTheft}, {20 * Hour, ErrTheft}} {
		_, err := given{stolen.cookie, own.rec}.try(t, m, Request{}, now+Minute+c.after)
		require.ErrorIs(t, err, c.want, c.after)
		own.resume(t, m, now+Minute+c.after)
	}
	twice := renewed(t, m, own, now+2*Hour, 4)
	_, err = given{stolen.cookie, twice.rec}.try(t, m, Request{}, now+2*Hour)
	require.ErrorIs(t, err, ErrTheft, "two steps behind, whatever the time")
}

// TestForgedSteps: a secret of the right step but another value proves nothing.
func TestForgedSteps(t *testing.T) {
	m := renewing(t)
	now := testNow + renewAfter
	g := signIn(t, m, Request{}, 0, testNow)
	next := renewed(t, m, g, now, 2)
	for _, c := range []struct {
		gen  generation
		want error
	}{
		{generation{0, 0}, ErrTheft},
		{generation{0, 1}, ErrSuperseded},
		{generation{0, 2}, ErrSuperseded},
		{generation{1, 1}, ErrSuperseded},
		{generation{0, ^uint32(0)}, ErrSuperseded},
	} {
		_, err := m.Resume(Ticket{ID: g.rec.ID, gen: c.gen, secret: hide([32]byte{1})}, next.rec, Request{}, now)
		require.ErrorIs(t, err, c.want, c.gen)
	}
}

// TestSupersededByLogin is never taken for theft, however late it comes.
func TestSupersededByLogin(t *testing.T) {
	for what, m := range map[string]*Machine{"renewing": renewing(t), "not renewing": testMachine(t, Policy{})} {
		for _, renew := range []func(*Session) error{(*Session).Renew, func(s *Session) error { return s.Login("alice", 0) }} {
			old := signIn(t, m, Request{}, 0, testNow)
			s := old.resume(t, m, testNow+1)
			require.NoError(t, renew(s))
			e := commit(t, m, s, testNow+1, 2)
			require.Equal(t, DidRenew, e.Did&DidRenew)
			next := received(e)
			for _, after := range []Time{1, DefaultRenewGrace - 1, Hour} {
				_, err := given{old.cookie, next.rec}.try(t, m, Request{}, testNow+after)
				require.ErrorIs(t, err, ErrSuperseded, "%s: no grace", what)
			}
			require.Equal(t, old.rec.ID, next.rec.ID)
			next.resume(t, m, testNow+Hour)
		}
	}
}

// TestRefreshingCannotPutRenewalOff: a visitor who refreshes every few seconds
// is renewed all the same, a minute late at most.
func TestRefreshingCannotPutRenewalOff(t *testing.T) {
	m := renewing(t)
	g := signIn(t, m, Request{}, 0, testNow)
	for now, n := testNow, uint64(2); ; now, n = now+5*Second, n+1 {
		require.LessOrEqual(t, now, testNow+renewAfter+2*DefaultRenewGrace)
		s := g.resume(t, m, now)
		require.NoError(t, s.Refresh())
		e := commit(t, m, s, now, n)
		g.rec = *e.Save
		if len(e.Cookies) > 0 {
			g = received(e)
		}
		if e.Did&DidRenew != 0 {
			require.GreaterOrEqual(t, now, testNow+renewAfter)
			return
		}
	}
}

// TestSwitchedOnLater: a session from before there were renewals gets its
// renewal key with one write, and its next secret with the one after.
func TestSwitchedOnLater(t *testing.T) {
	g := signIn(t, testMachine(t, Policy{}), Request{}, 0, testNow)
	m, now := renewing(t), testNow+renewAfter
	e := commit(t, m, g.resume(t, m, now), now, 2)
	require.True(t, e.Touch)
	require.Empty(t, e.Cookies)
	g.rec = *e.Save
	next := renewed(t, m, g, now+1, 3)
	next.resume(t, testMachine(t, Policy{}), now+Hour)
}

// TestDerivedSecret holds the next secret of a chain to HMAC by its definition.
func TestDerivedSecret(t *testing.T) {
	rng := rand.NewChaCha8(numbered(5))
	for range 1000 {
		var key, before [32]byte
		var id ID
		for _, b := range [][]byte{key[:], before[:], id[:]} {
			_, err := rng.Read(b)
			require.NoError(t, err)
		}
		gen := generation{uint32(rng.Uint64()), uint32(rng.Uint64())}
		mac := hmac.New(sha256.New, key[:])
		mac.Write(id[:])
		require.NoError(t, binary.Write(mac, binary.BigEndian, []uint32{gen.chain, gen.step}))
		mac.Write(before[:])
		got := derivedSecret(&payload{renewalKey: hide(key)}, id, gen, &before)
		require.Equal(t, mac.Sum(nil), got[:])
	}
}
