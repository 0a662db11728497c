package aesgcm

import (
	"encoding/binary"
	"math/bits"
)

// AES is fixsliced: four blocks are held as eight 64-bit words, one for each bit
// of a byte, and ShiftRows is never computed but folded into MixColumns and the
// round keys (Adomnicai and Peyrin, "Fixslicing AES-like Ciphers", IACR ePrint
// 2020/1123). The S-box is the circuit of Boyar and Peralta ("A depth-16 circuit
// for the AES S-box", IACR ePrint 2011/332).

const rounds = 14

// A state holds four blocks. Bitsliced, word i holds bit i of every byte; the
// byte in row r, column c of block b sits at bit 16r+4c+b.
type state [8]uint64

// exchange swaps the bits of u at positions m<<n with those of v at m.
func exchange(u, v uint64, n uint, m uint64) (uint64, uint64) {
	t := (u>>n ^ v) & m
	return u ^ t<<n, v ^ t
}

// permute swaps the bits of x at positions m<<n with those at m.
func permute(x uint64, n uint, m uint64) uint64 {
	t := (x>>n ^ x) & m
	return x ^ t ^ t<<n
}

// transpose exchanges the three bits of a word's index with the three bits of
// a bit's position in its byte. It is its own inverse.
func (q *state) transpose() {
	const m0, m1, m2 = 0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f
	q0, q1, q2, q3, q4, q5, q6, q7 := q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7]
	q0, q1 = exchange(q0, q1, 1, m0)
	q2, q3 = exchange(q2, q3, 1, m0)
	q4, q5 = exchange(q4, q5, 1, m0)
	q6, q7 = exchange(q6, q7, 1, m0)
	q0, q2 = exchange(q0, q2, 2, m1)
	q1, q3 = exchange(q1, q3, 2, m1)
	q4, q6 = exchange(q4, q6, 2, m1)
	q5, q7 = exchange(q5, q7, 2, m1)
	q[0], q[4] = exchange(q0, q4, 4, m2)
	q[1], q[5] = exchange(q1, q5, 4, m2)
	q[2], q[6] = exchange(q2, q6, 4, m2)
	q[3], q[7] = exchange(q3, q7, 4, m2)
}

// pack bitslices four blocks. On entry q[b] and q[b+4] are the little-endian
// halves of block b. Bytes are first put in the order row, then column.
func (q *state) pack() {
	for b := range 4 {
		u := permute(permute(q[b], 16, 0xffff0000), 8, 0x0000ff000000ff00)
		v := permute(permute(q[b+4], 16, 0xffff0000), 8, 0x0000ff000000ff00)
		q[b], q[b+4] = exchange(u, v, 8, 0x00ff00ff00ff00ff)
	}
	q.transpose()
}

// unpack undoes pack and applies the ShiftRows the fixsliced rounds left out:
// fourteen of them, that is two, which only swap columns c and c^2 of the odd
// rows.
func (q *state) unpack() {
	q.transpose()
	for b := range 4 {
		u, v := exchange(q[b], q[b+4], 8, 0x00ff00ff00ff00ff)
		u = permute(permute(u, 8, 0x0000ff000000ff00), 16, 0xffff0000)
		v = permute(permute(v, 8, 0x0000ff000000ff00), 16, 0xffff0000)
		q[b], q[b+4] = exchange(u, v, 0, 0xff00ff00ff00ff00)
	}
}

// sub is SubBytes without the final addition of 0x63.
func (q *state) sub() {
	x0, x1, x2, x3, x4, x5, x6, x7 := q[7], q[6], q[5], q[4], q[3], q[2], q[1], q[0]

	// Linear: change of basis.
	y14, y13, y9, y8, t0 := x3^x5, x0^x6, x0^x3, x0^x5, x1^x2
	y1 := t0 ^ x7
	y4, y12, y2, y5 := y1^x3, y13^y14, y1^x0, y1^x6
	y3, t1 := y5^y8, x4^y12
	y15, y20 := t1^x5, t1^x1
	y6, y10, y11 := y15^x7, y15^t0, y20^y9
	y7, y17, y19, y16 := x7^y11, y10^y11, y10^y8, t0^y11
	y21, y18 := y13^y16, x0^y16

	// Inversion in GF(2^4)^2.
	t2 := y12 & y15
	t4, t6 := y3&y6^t2, y4&x7^t2
	t7 := y13 & y16
	t9, t11 := y5&y1^t7, y2&y7^t7
	t12 := y9 & y11
	t14, t16 := y14&y17^t12, y8&y10^t12
	t21, t22, t23, t24 := t4^t14^y20, t6^t16^y19, t9^t14^y21, t11^t16^y18
	t25, t26 := t21^t22, t21&t23
	t27 := t24 ^ t26
	t29 := t25&t27 ^ t22
	t33 := (t22^t26)&(t23^t24) ^ t24
	t36 := t24 & (t27 ^ t33)
	t37 := t36 ^ t23 ^ t33
	t40 := t25 ^ t29&(t27^t36)
	t41, t42, t43, t44 := t40^t37, t29^t33, t29^t40, t33^t37
	t45 := t42 ^ t41
	z0, z1, z2 := t44&y15, t37&y6, t33&x7
	z3, z4, z5 := t43&y16, t40&y1, t29&y7
	z6, z7, z8 := t42&y11, t45&y17, t41&y10
	z9, z10, z11 := t44&y12, t37&y3, t33&y4
	z12, z13, z14 := t43&y13, t40&y5, t29&y2
	z15, z16, z17 := t42&y9, t45&y14, t41&y8

	// Linear: back to the standard basis and the affine map.
	t46, t48, t53, t54 := z15^z16, z5^z13, z0^z3, z6^z7
	t57, t58, t59 := z2^z12^t53, z4^t46, z3^t54
	t62, t63, t64 := z7^z8^t58, z9^z10^t58, z4^t59
	t65, t66 := z14^t57^t62, z1^t63
	s3 := t53 ^ t66
	q[7] = t59 ^ t63
	q[6] = t64 ^ s3
	q[5] = z16 ^ z17 ^ t64 ^ t65
	q[4] = s3
	q[3] = z2 ^ z5 ^ t66
	q[2] = z10 ^ z11 ^ t65
	q[1] = z12 ^ t48 ^ t62
	q[0] = t48 ^ t46 ^ t57
}

// After round k the words hold the state with ShiftRows undone k times, so
// MixColumns takes its next byte not from row r+1, column c but from row r+1,
// column c+k. ror rotates by whole rows, and by columns within each row.
func ror(x uint64, row, col int, m uint64) uint64 {
	return bits.RotateLeft64(x, -16*row-4*col)&m | bits.RotateLeft64(x, -16*(row-1)-4*col)&^m
}

func ror0(x uint64) uint64 { return bits.RotateLeft64(x, -16) }
func ror1(x uint64) uint64 { return ror(x, 1, 1, 0x0fff0fff0fff0fff) }
func ror2(x uint64) uint64 { return ror(x, 1, 2, 0x00ff00ff00ff00ff) }
func ror3(x uint64) uint64 { return ror(x, 1, 3, 0x000f000f000f000f) }
func two0(x uint64) uint64 { return bits.RotateLeft64(x, -32) }
func two1(x uint64) uint64 { return ror(x, 2, 2, 0x00ff00ff00ff00ff) }

// mix0 to mix3 are MixColumns and AddRoundKey after round k modulo 4.
// With s = x + next(x), MixColumns is 2s + next(x) + next(next(s)).
func (q *state) mix0(k *state) {
	s7 := q[7] ^ ror0(q[7])
	p := s7
	for i, x := range q {
		r := ror0(x)
		q[i], p = p^r^two0(x^r)^k[i], x^r
	}
	q.feed(s7)
}

func (q *state) mix1(k *state) {
	s7 := q[7] ^ ror1(q[7])
	p := s7
	for i, x := range q {
		r := ror1(x)
		q[i], p = p^r^two1(x^r)^k[i], x^r
	}
	q.feed(s7)
}

func (q *state) mix2(k *state) {
	s7 := q[7] ^ ror2(q[7])
	p := s7
	for i, x := range q {
		r := ror2(x)
		q[i], p = p^r^two0(x^r)^k[i], x^r
	}
	q.feed(s7)
}

func (q *state) mix3(k *state) {
	s7 := q[7] ^ ror3(q[7])
	p := s7
	for i, x := range q {
		r := ror3(x)
		q[i], p = p^r^two1(x^r)^k[i], x^r
	}
	q.feed(s7)
}

// feed completes the doubling: x^8 = x^4 + x^3 + x + 1, where x^0 is done.
func (q *state) feed(s7 uint64) {
	q[1] ^= s7
	q[3] ^= s7
	q[4] ^= s7
}

func (q *state) add(k *state) {
	for i := range q {
		q[i] ^= k[i]
	}
}

// schedule holds the bitsliced round keys: ShiftRows undone k times in key k,
// and from key 1 on the 0x63 that sub leaves out added to every byte.
type schedule [rounds + 1]state

// encrypt replaces four blocks, given and returned as pack takes them.
func (s *schedule) encrypt(q *state) {
	q.pack()
	q.add(&s[0])
	for k := 0; ; k += 4 {
		q.sub()
		q.mix1(&s[k+1])
		q.sub()
		if k == rounds-2 {
			break
		}
		q.mix2(&s[k+2])
		q.sub()
		q.mix3(&s[k+3])
		q.sub()
		q.mix0(&s[k+4])
	}
	q.add(&s[rounds])
	q.unpack()
}

// expand is the AES-256 key schedule.
func (s *schedule) expand(key *[32]byte) {
	var w [4 * (rounds + 1)]uint32
	for i := range 8 {
		w[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	for i := 8; i < len(w); i++ {
		t := w[i-1]
		switch i % 8 {
		case 0:
			t = subWord(bits.RotateLeft32(t, -8)) ^ 1<<(i/8-1)
		case 4:
			t = subWord(t)
		}
		w[i] = w[i-8] ^ t
	}
	for k := 0; k < len(s); k += 4 {
		var q state // one round key in each of the four blocks' places
		for b := 0; b < 4 && k+b < len(s); b++ {
			var c [4]uint32 // columns, with row r rotated right by r(k+b)
			for i := range 16 {
				c[i/4] |= w[4*(k+b)+(i/4-(k+b)*i)&3] & (0xff << (8 * (i % 4)))
			}
			q[b] = uint64(c[1])<<32 | uint64(c[0])
			q[b+4] = uint64(c[3])<<32 | uint64(c[2])
		}
		q.pack()
		for b := 0; b < 4 && k+b < len(s); b++ {
			for i, x := range q {
				x = x >> b & 0x1111111111111111
				s[k+b][i] = x<<4 - x // copied to all four
			}
		}
	}
	for k := 1; k < len(s); k++ {
		for _, i := range [...]int{0, 1, 5, 6} {
			s[k][i] = ^s[k][i]
		}
	}
	clear(w[:])
}

// subWord applies the S-box to four bytes. sub does not care where in a word
// a byte's bits are, so masking does for packing.
func subWord(w uint32) uint32 {
	var q state
	for i := range q {
		q[i] = uint64(w >> i & 0x01010101)
	}
	q.sub()
	w = 0x63636363
	for i := range q {
		w ^= uint32(q[i]) << i
	}
	return w
}
