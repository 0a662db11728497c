package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var nextKey = testKey[1 : KeyLen+1]

func sealedUnder(raw []byte) keyID { return keyID(raw[1:5]) }

// TestRotation walks one rotation: the new key is known everywhere before any
// node seals with it, and the old one opens until its time is up.
func TestRotation(t *testing.T) {
	const from, until = testNow + Day, testNow + 3*Day
	first, second := idOfKey(testKey[:KeyLen]), idOfKey(nextKey)
	ring := KeyRing{{Bytes: NewSecret(testKey[:KeyLen]), OpenUntil: until}, {Bytes: NewSecret(nextKey), SealFrom: from}}
	m, err := NewMachine(Policy{}, ring)
	require.NoError(t, err)
	require.Empty(t, m.Warnings())
	early, err := NewMachine(Policy{}, KeyRing{{Bytes: NewSecret(nextKey)}}) // a node whose clock is ahead
	require.NoError(t, err)
	ahead := signIn(t, early, Request{}, 0, testNow)
	ahead.resume(t, m, testNow)

	for _, c := range []struct {
		now  Time
		want keyID
	}{{testNow, first}, {from - 1, first}, {from, second}, {until, second}} {
		g := signIn(t, m, Request{}, 0, c.now)
		require.Equal(t, c.want, sealedUnder(g.raw(t)), c.now)
		require.Equal(t, c.want, sealedUnder(g.rec.Sealed), c.now)
	}
	old := signIn(t, m, Request{}, 30*Day, testNow)
	old.resume(t, m, until-1)
	_, err = m.Identify([]string{old.cookie}, "", until)
	require.ErrorIs(t, err, ErrUnknownKey)
	require.ErrorContains(t, err, KeyID(NewSecret(testKey[:KeyLen])))
}

// TestResealing: record and cookie come under the new key at the next commit,
// and then there is nothing more to do.
func TestResealing(t *testing.T) {
	const from = testNow + 10*Minute
	ring := KeyRing{{Bytes: NewSecret(testKey[:KeyLen])}, {Bytes: NewSecret(nextKey), SealFrom: from}}
	m, err := NewMachine(Policy{}, ring)
	require.NoError(t, err)
	g := signIn(t, m, Request{}, 0, testNow)
	s := g.resume(t, m, from-1)
	require.False(t, m.Pending(s, from-1))
	s = g.resume(t, m, from)
	require.True(t, m.Pending(s, from))
	e := commit(t, m, s, from, 2)
	require.Len(t, e.Cookies, 1)
	fresh := received(e)
	require.Equal(t, idOfKey(nextKey), sealedUnder(fresh.raw(t)))
	require.Equal(t, idOfKey(nextKey), sealedUnder(fresh.rec.Sealed))
	require.Equal(t, g.rec.ID, fresh.rec.ID)
	s = fresh.resume(t, m, from+1)
	require.False(t, m.Pending(s, from+1))

	late := given{g.cookie, fresh.rec} // another tab still shows the old cookie
	s = late.resume(t, m, from+Minute)
	put(t, s, "k", 1)
	e = commit(t, m, s, from+Minute, 3)
	require.Equal(t, idOfKey(nextKey), sealedUnder(received(e).raw(t)))

	without, err := NewMachine(Policy{}, ring[1:])
	require.NoError(t, err)
	received(e).resume(t, without, from+Minute)
	_, err = without.Resume(ByID(g.rec.ID), g.rec, Request{}, from)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, KeyID(NewSecret(testKey[:KeyLen])))
}

func TestNoKeySeals(t *testing.T) {
	m, err := NewMachine(Policy{}, KeyRing{{Bytes: NewSecret(testKey[:KeyLen]), SealFrom: testNow + 1}})
	require.NoError(t, err)
	s := m.New(Request{})
	require.NoError(t, s.Login("alice", 0))
	_, err = m.Commit(s, testNow, numbered(1))
	require.ErrorIs(t, err, ErrNoSealing)
	_, err = m.Commit(s, testNow+1, numbered(1))
	require.NoError(t, err)
}

func TestKeyWarnings(t *testing.T) {
	for _, c := range []struct {
		what string
		ring KeyRing
		want int
	}{
		{"one key for ever", KeyRing{{Bytes: NewSecret(testKey[:KeyLen])}}, 0},
		{"one that ends", KeyRing{{Bytes: NewSecret(testKey[:KeyLen]), OpenUntil: testNow}}, 1},
		{"outlives its cookies", KeyRing{{Bytes: NewSecret(testKey[:KeyLen]), OpenUntil: testNow + Day}, {Bytes: NewSecret(nextKey), SealFrom: testNow}}, 0},
		{"does not", KeyRing{{Bytes: NewSecret(testKey[:KeyLen]), OpenUntil: testNow + Day - 1}, {Bytes: NewSecret(nextKey), SealFrom: testNow}}, 1},
		{"seals beside one that stays", KeyRing{{Bytes: NewSecret(testKey[:KeyLen]), OpenUntil: testNow}, {Bytes: NewSecret(nextKey)}}, 1},
	} {
		m, err := NewMachine(Policy{}, c.ring)
		require.NoError(t, err)
		require.Len(t, m.Warnings(), c.want, c.what)
		for _, w := range m.Warnings() {
			require.Contains(t, w, KeyID(NewSecret(testKey[:KeyLen])))
		}
	}
}
