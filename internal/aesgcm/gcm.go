package aesgcm

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"unsafe"
)

const (
	nonceSize  = 12
	tagSize    = 16
	lanes      = 4
	maxMessage = (1<<32 - 2) * 16 // bytes under one nonce (SP 800-38D, 5.2.1.1)
)

// ErrOpen is returned by Open for anything that was not sealed under the key.
var ErrOpen = errors.New("aesgcm: message authentication failed")

// Plain is AES-256-GCM in plain Go: no branch, look-up or variable-time
// instruction depends on a secret, but for 64-bit integer multiplication, which
// takes fixed time on the processors that run WebAssembly engines. It is safe
// for concurrent use and allocates nothing but its results.
type Plain struct {
	keys schedule
	// h[j] has, for each of the six multiplications of fold, the operand made
	// from the hash key's power 4-j.
	h [6][lanes]uint64
}

// NewPlain returns the AEAD of a key.
func NewPlain(key *[32]byte) *Plain {
	g := new(Plain)
	g.keys.expand(key)
	var q state
	g.keys.encrypt(&q)
	h := [2]uint64{q[0], q[4]}
	g.power(lanes-1, h)
	for j := lanes - 2; j >= 0; j-- {
		var x hash
		x.block(g, h[0], h[1])
		x.fold(g)
		h = x.y
		g.power(j, h)
	}
	return g
}

func (g *Plain) power(j int, h [2]uint64) {
	for i, v := range operands(h[0], h[1]) {
		g.h[i][j] = v
	}
}

// tag computes the tag under the mask in lo, hi.
func (g *Plain) tag(t *[tagSize]byte, data, ciphertext []byte, lo, hi uint64) {
	var s hash
	s.bytes(g, data)
	s.bytes(g, ciphertext)
	s.block(g, bits.ReverseBytes64(uint64(len(data))*8), bits.ReverseBytes64(uint64(len(ciphertext))*8))
	s.fold(g)
	binary.LittleEndian.PutUint64(t[:], s.y[0]^lo)
	binary.LittleEndian.PutUint64(t[8:], s.y[1]^hi)
}

// Seal appends the ciphertext and tag to dst. The nonce has 12 bytes and must
// be used once; plaintext has at most 64 GiB less 32 bytes. Like crypto/cipher it
// panics on others, which would repeat a key stream. Buffers may overlap in any
// way: plaintext[:0] as dst costs nothing, other overlaps a copy.
func (g *Plain) Seal(dst, nonce, plaintext, data []byte) []byte {
	if len(nonce) != nonceSize || uint64(len(plaintext)) > maxMessage {
		panic("aesgcm: nonce or plaintext of a wrong length")
	}
	var c stream
	c.init(nonce)
	c.next(g)
	lo, hi := c.q[0], c.q[lanes]
	ret, out := extend(dst, len(plaintext)+tagSize)
	if shifted(out, plaintext) {
		plaintext = slices.Clone(plaintext)
	}
	if overlap(out, data) {
		data = slices.Clone(data)
	}
	c.xor(g, out, plaintext)
	var t [tagSize]byte
	g.tag(&t, data, out[:len(plaintext)], lo, hi)
	copy(out[len(plaintext):], t[:])
	return ret
}

// Open appends the plaintext to dst if the tag is right, else it writes nothing
// and returns ErrOpen. Buffers may overlap as for Seal.
func (g *Plain) Open(dst, nonce, ciphertext, data []byte) ([]byte, error) {
	n := len(ciphertext) - tagSize
	if n < 0 || uint64(n) > maxMessage || len(nonce) != nonceSize {
		return nil, ErrOpen
	}
	var c stream
	c.init(nonce)
	c.next(g)
	var t [tagSize]byte
	g.tag(&t, data, ciphertext[:n], c.q[0], c.q[lanes])
	if subtle.ConstantTimeCompare(t[:], ciphertext[n:]) != 1 {
		return nil, ErrOpen
	}
	ret, out := extend(dst, n)
	if shifted(out, ciphertext) {
		ciphertext = slices.Clone(ciphertext)
	}
	c.xor(g, out, ciphertext[:n])
	return ret, nil
}

func extend(dst []byte, n int) (all, tail []byte) {
	if all = dst; cap(dst)-len(dst) >= n {
		all = dst[:len(dst)+n]
	} else {
		all = append(dst, make([]byte, n)...)
	}
	return all, all[len(dst):]
}

// overlap reports whether two buffers share memory.
func overlap(x, y []byte) bool {
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	xs, ys := uintptr(unsafe.Pointer(&x[0])), uintptr(unsafe.Pointer(&y[0]))
	return xs < ys+uintptr(len(y)) && ys < xs+uintptr(len(x))
}

// shifted reports whether two buffers share memory, but not from the same byte
// on, as in-place use does.
func shifted(x, y []byte) bool { return overlap(x, y) && &x[0] != &y[0] }
