//go:build timing

package aesgcm

import (
	"crypto/aes"
	"crypto/cipher"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	timeEach   = 6 * time.Second // for one row; there are nine
	mostEach   = 600_000         // samples of a row
	batch      = 10_000          // samples between collections of garbage
	inputBytes = 64
)

// TestTiming prints how far the time of a call depends on what must stay secret,
// after dudect (Reparaz, Balasch and Verbauwhede, "dude, is my code constant
// time?", IACR ePrint 2016/1123). It judges nothing: it never fails, since on a
// busy machine chance or a neighbour may do what a leak does.
//
// Each call gets one input that is always the same, or one drawn at random; which,
// a coin decides. A row has Welch's t of the two kinds' times, for all calls and
// for the fastest 99, 90 and 50 in a hundred, and the difference of the means in
// nanoseconds behind it. To read it:
//
//   - |t| below 4.5 in every column: no dependence was seen in so many samples.
//   - above 4.5, once: run it again. A leak comes back, with the same sign in the
//     same columns, and its t grows with the square root of the samples; chance
//     does neither.
//   - above 10, again and again: the time depends on the input. Whether that is a
//     secret, the name of the row says.
//   - the row "stops early" is a comparison that leaks. If its t is not in the
//     hundreds at 99, nothing was measured: the machine is too busy. At 100 it
//     may be lost among the interrupts, and so may all else.
//   - crypto/cipher shows what this machine makes of code that is held to be
//     constant: by instructions, it is about as calm as ours should be. With the
//     tags timing,purego it is Go's code with tables, which leaks with some keys.
func TestTiming(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	from := source{rand.NewChaCha8(seed)}

	fmt.Printf("%-28s %9s", "Welch's t (ns), fastest", "samples")
	for _, c := range crops {
		fmt.Printf("%18.0f%%", 100*c)
	}
	fmt.Println()
	for _, s := range subjects(t, from) {
		all := s.measure(from)
		values, differences := compare(all)
		fmt.Printf("%-28s %9d", s.name, len(all))
		for i := range values {
			fmt.Printf("%19s", fmt.Sprintf("%.1f (%+.1f)", values[i], differences[i]))
		}
		fmt.Println()
	}
}

// subject is called with inputs that the time should not depend on.
type subject struct {
	name string
	call func(in *[inputBytes]byte)
}

// kept keeps calls from being optimised away.
var kept any

func subjects(t *testing.T, from source) (all []subject) {
	key := [32]byte(from.bytes(32))
	plain, nonce, room := from.bytes(inputBytes), from.bytes(nonceSize), make([]byte, 0, inputBytes+tagSize)
	for _, c := range []struct {
		name string
		aead interface {
			Seal(dst, nonce, plaintext, data []byte) []byte
		}
		setUp func(key *[32]byte)
	}{
		{"NewPlain", NewPlain(&key), func(key *[32]byte) { kept = NewPlain(key) }},
		{"crypto/cipher", reference(t, &key), func(key *[32]byte) {
			block, err := aes.NewCipher(key[:])
			require.NoError(t, err)
			kept, err = cipher.NewGCM(block)
			require.NoError(t, err)
		}},
	} {
		all = append(all,
			subject{c.name + ", plaintext", func(in *[inputBytes]byte) { room = c.aead.Seal(room[:0], nonce, in[:], nil) }},
			subject{c.name + ", nonce", func(in *[inputBytes]byte) { room = c.aead.Seal(room[:0], in[:nonceSize], plain, nil) }},
			subject{c.name + ", data", func(in *[inputBytes]byte) { room = c.aead.Seal(room[:0], nonce, plain, in[:]) }},
			subject{c.name + ", key set-up", func(in *[inputBytes]byte) { c.setUp((*[32]byte)(in[:])) }})
	}
	var secret [inputBytes]byte // the fixed input of stopsEarly
	return append(all, subject{"stops early", func(in *[inputBytes]byte) { kept = stopsEarly(&secret, in) }})
}

func stopsEarly(a, b *[inputBytes]byte) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

// measure times calls. Inputs of both kinds lie in the same memory and are copied
// to the same place before the clock is read, so that only their bytes differ.
func (s *subject) measure(from source) (all []sample) {
	var (
		inputs [batch][inputBytes]byte
		fixed  [batch]bool
		always [inputBytes]byte // zeros
		in     [inputBytes]byte
	)
	for end := time.Now().Add(timeEach); len(all) < mostEach && time.Now().Before(end); {
		for i := range inputs {
			_, _ = from.Read(inputs[i][:]) // never fails
			if fixed[i] = from.Uint64()&1 == 0; fixed[i] {
				inputs[i] = always
			}
		}
		runtime.GC()
		for i := range inputs {
			in = inputs[i]
			begin := time.Now()
			s.call(&in)
			all = append(all, sample{time.Since(begin).Nanoseconds(), fixed[i]})
		}
	}
	return all
}
