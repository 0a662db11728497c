package aesgcm

import (
	"encoding/binary"
	"math/bits"
)

// GHASH multiplies binary polynomials by integer multiplications "with holes":
// the operands are split so that only every fourth bit may be set, which leaves
// room for the carries.

// A hash is a GHASH in progress: the value as two little-endian words, and up
// to four blocks, already turned into multiplication operands, yet to be
// folded into it.
type hash struct {
	y [2]uint64
	n int
	x [6][lanes]uint64
}

// operands returns the polynomials of Karatsuba's multiplication for a block:
// low half, high half and their sum with the coefficient of t^i at bit i, and
// the same with it at bit 63-i, which yield the upper half of a product.
func operands(lo, hi uint64) [6]uint64 {
	l, h := reverseInBytes(lo), reverseInBytes(hi)
	m, n := bits.ReverseBytes64(lo), bits.ReverseBytes64(hi)
	return [6]uint64{l, h, l ^ h, m, n, m ^ n}
}

func reverseInBytes(x uint64) uint64 {
	const m0, m1, m2 = 0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f
	x = x>>1&m0 | x&m0<<1
	x = x>>2&m1 | x&m1<<2
	return x>>4&m2 | x&m2<<4
}

// block adds one block.
func (s *hash) block(g *Plain, lo, hi uint64) {
	if s.n == lanes {
		s.fold(g)
	}
	if s.n == 0 {
		lo ^= s.y[0]
		hi ^= s.y[1]
	}
	j := s.n & (lanes - 1)
	for i, v := range operands(lo, hi) {
		s.x[i][j] = v
	}
	s.n++
}

// bytes adds data, padded with zeros to whole blocks.
func (s *hash) bytes(g *Plain, p []byte) {
	for ; len(p) >= 16; p = p[16:] {
		s.block(g, binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:]))
	}
	if len(p) > 0 {
		var b [16]byte
		copy(b[:], p)
		s.block(g, binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]))
	}
}

// fold multiplies the waiting blocks, the first of which includes the value so
// far, by descending powers of the hash key, and makes the sum the new value.
func (s *hash) fold(g *Plain) {
	var z [6]uint64
	for i := range z {
		z[i] = multiply(&s.x[i], &g.h[i], s.n)
	}
	s.n = 0
	up := func(x uint64) uint64 { return bits.ReverseBytes64(reverseInBytes(x)) >> 1 }
	z3, z4, z5 := up(z[3]), up(z[4]), up(z[5])
	v0 := z[0]
	v1 := z3 ^ z[0] ^ z[1] ^ z[2]
	v2 := z[1] ^ z3 ^ z4 ^ z5
	v3 := z4
	// Modulo t^128 + t^7 + t^2 + t + 1.
	v1 ^= v3 ^ v3<<1 ^ v3<<2 ^ v3<<7
	v2 ^= v3>>63 ^ v3>>62 ^ v3>>57
	v0 ^= v2 ^ v2<<1 ^ v2<<2 ^ v2<<7
	v1 ^= v2>>63 ^ v2>>62 ^ v2>>57
	s.y[0], s.y[1] = reverseInBytes(v0), reverseInBytes(v1)
}

// multiply returns the low 64 coefficients of the sum of n products of binary
// polynomials, x[i] by h[4-n+i]. In a product of two words with only every
// fourth bit set, every coefficient has four bits, and its parity is in the
// lowest of them; the only coefficient that may need a fifth is the topmost,
// whose carry is lost.
func multiply(x, h *[lanes]uint64, n int) uint64 {
	const m0, m1, m2, m3 = 0x1111111111111111, 0x2222222222222222, 0x4444444444444444, 0x8888888888888888
	var z0, z1, z2, z3 uint64
	for i := range n {
		a, b := x[i&(lanes-1)], h[(i-n)&(lanes-1)]
		a0, a1, a2, a3 := a&m0, a&m1, a&m2, a&m3
		b0, b1, b2, b3 := b&m0, b&m1, b&m2, b&m3
		z0 ^= a0*b0 ^ a1*b3 ^ a2*b2 ^ a3*b1
		z1 ^= a0*b1 ^ a1*b0 ^ a2*b3 ^ a3*b2
		z2 ^= a0*b2 ^ a1*b1 ^ a2*b0 ^ a3*b3
		z3 ^= a0*b3 ^ a1*b2 ^ a2*b1 ^ a3*b0
	}
	return z0&m0 | z1&m1 | z2&m2 | z3&m3
}
