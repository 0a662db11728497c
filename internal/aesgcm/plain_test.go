package aesgcm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func reference(t testing.TB, key *[32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	return gcm
}

// source gives the same bytes in each run.
type source struct{ *rand.ChaCha8 }

func newSource(seed string) source {
	var s [32]byte
	copy(s[:], seed)
	return source{rand.NewChaCha8(s)}
}

func (s source) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = s.Read(b) // never fails
	return b
}

// Every length up to some blocks more than one pass of four, and some long
// ones, each under a key of its own: what one seals the other opens.
func TestEqualsGo(t *testing.T) {
	from := newSource("equals go")
	lengths := []int{1000, 1399, 4096, 65536, 70001}
	for n := range 300 {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		key := [32]byte(from.bytes(32))
		ours, theirs := NewPlain(&key), reference(t, &key)
		for _, ad := range []int{0, 1, 15, 16, 17, n % 200} {
			nonce, plain, data := from.bytes(12), from.bytes(n), from.bytes(ad)
			want := theirs.Seal(nil, nonce, plain, data)
			require.Equal(t, want, ours.Seal(nil, nonce, plain, data), "%d bytes, %d of data", n, ad)
			got, err := ours.Open([]byte("before"), nonce, want, data)
			require.NoError(t, err)
			require.True(t, bytes.Equal(append([]byte("before"), plain...), got))
		}
	}
}

// Carries of the multiplication are worst where all bits are set.
func TestAllOnesAndZeros(t *testing.T) {
	for _, fill := range []byte{0, 0xff} {
		key := [32]byte(bytes.Repeat([]byte{fill}, 32))
		ours, theirs := NewPlain(&key), reference(t, &key)
		for n := range 150 {
			text := bytes.Repeat([]byte{fill}, n)
			for _, other := range []byte{0, 0xff} {
				nonce, data := bytes.Repeat([]byte{other}, 12), bytes.Repeat([]byte{other}, n)
				require.Equal(t, theirs.Seal(nil, nonce, text, data), ours.Seal(nil, nonce, text, data))
			}
		}
	}
}

func TestForgeriesAreRefusedAndNothingIsWritten(t *testing.T) {
	from := newSource("forgeries")
	key := [32]byte(from.bytes(32))
	g := NewPlain(&key)
	nonce, plain, data := from.bytes(12), from.bytes(77), from.bytes(21)
	sealed := g.Seal(nil, nonce, plain, data)
	refused := func(nonce, sealed, data []byte, what string) {
		t.Helper()
		room := make([]byte, 0, 200)
		_, err := g.Open(room, nonce, sealed, data)
		require.ErrorIs(t, err, ErrOpen, what)
		require.Equal(t, make([]byte, 200), room[:200], what)
	}
	for _, part := range []struct {
		name string
		of   []byte
	}{{"nonce", nonce}, {"message", sealed}, {"data", data}} {
		for bit := range 8 * len(part.of) {
			part.of[bit/8] ^= 1 << (bit % 8)
			refused(nonce, sealed, data, fmt.Sprintf("%s, bit %d", part.name, bit))
			part.of[bit/8] ^= 1 << (bit % 8)
		}
	}
	for n := range len(sealed) {
		refused(nonce, sealed[:n], data, fmt.Sprintf("cut to %d", n))
	}
	refused(nonce, append(slices.Clone(sealed), 0), data, "a byte more")
	refused(nonce[:11], sealed, data, "short nonce")
	refused(append(slices.Clone(nonce), 0), sealed, data, "long nonce")
	refused(nonce, nil, nil, "nothing")
	got, err := g.Open(nil, nonce, sealed, data)
	require.NoError(t, err)
	require.Equal(t, plain, got)
}

// Output, input and data share one buffer, at every distance from each other.
func TestOverlapsInEveryWay(t *testing.T) {
	const n, ad = 70, 30
	from := newSource("overlaps")
	key := [32]byte(from.bytes(32))
	g, nonce := NewPlain(&key), from.bytes(12)
	for in := range 120 {
		for _, at := range []int{0, 1, 15, 16, 17, 60, 61, 100, 119} {
			for _, dataAt := range []int{0, 20, 50, 90, 110} {
				room := from.bytes(260)
				plain, data := slices.Clone(room[in:in+n]), slices.Clone(room[dataAt:dataAt+ad])
				want := g.Seal(nil, nonce, plain, data)
				got := g.Seal(room[at:at], nonce, room[in:in+n], room[dataAt:dataAt+ad])
				require.Equal(t, want, got, "in %d, out %d, data %d", in, at, dataAt)

				copy(room[in:], want)
				if dataAt+ad > in && dataAt < in+len(want) {
					continue // the message has overwritten the data
				}
				copy(room[dataAt:], data)
				got, err := g.Open(room[at:at], nonce, room[in:in+len(want)], room[dataAt:dataAt+ad])
				require.NoError(t, err)
				require.Equal(t, plain, got, "in %d, out %d, data %d", in, at, dataAt)
			}
		}
	}
}

func TestPlainAllocatesOnlyResults(t *testing.T) {
	from := newSource("allocations")
	key := [32]byte(from.bytes(32))
	g, nonce, data := NewPlain(&key), from.bytes(12), from.bytes(30)
	room := make([]byte, 0, 300)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		sealed := g.Seal(room, nonce, room[:200], data)
		if _, err := g.Open(room, nonce, sealed, data); err != nil {
			t.Error(err)
		}
	}))
}

// New is what the core uses, whichever it is here.
func TestNewEqualsPlain(t *testing.T) {
	from := newSource("new")
	key := [32]byte(from.bytes(32))
	chosen, err := New(&key)
	require.NoError(t, err)
	nonce, plain, data := from.bytes(12), from.bytes(99), from.bytes(9)
	require.Equal(t, NewPlain(&key).Seal(nil, nonce, plain, data), chosen.Seal(nil, nonce, plain, data))
}

func FuzzEqualsGo(f *testing.F) {
	f.Add(make([]byte, 32), make([]byte, 12), []byte("plaintext"), []byte("data"))
	f.Fuzz(func(t *testing.T, keyFrom, nonceFrom, plain, data []byte) {
		var key [32]byte
		nonce := make([]byte, 12)
		copy(key[:], keyFrom)
		copy(nonce, nonceFrom)
		ours, theirs := NewPlain(&key), reference(t, &key)
		sealed := ours.Seal(nil, nonce, plain, data)
		require.Equal(t, theirs.Seal(nil, nonce, plain, data), sealed)
		_, mine := ours.Open(nil, nonce, plain, data)
		_, go1 := theirs.Open(nil, nonce, plain, data)
		require.Equal(t, go1 == nil, mine == nil)
	})
}

// A nonce of another length would be used in part, and another message sealed
// under the same part.
func TestSealRefusesNoncesOfOtherLengths(t *testing.T) {
	g, room := NewPlain(&[32]byte{1}), make([]byte, 16)
	for n := range 17 {
		if n == nonceSize {
			require.NotPanics(t, func() { g.Seal(nil, room[:n], room, nil) })
			continue
		}
		require.Panics(t, func() { g.Seal(nil, room[:n], room, nil) }, "%d bytes", n)
	}
}
