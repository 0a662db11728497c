// Package unpack takes little-endian bytes apart: the sessions that the core
// writes for its hosts, and the frames of core/wire that they travel in.
package unpack

import "encoding/binary"

// Reader takes bytes off the front of Rest. What is missing makes it Bad, and
// from then on it answers zeros.
type Reader struct {
	Rest []byte
	Bad  bool
}

// Take, Short and Uint64 stay calls: in the guest they would be copied into a
// hundred places.

// Take returns the next n bytes, which lie in Rest; nil if they are not there.
//
//go:noinline
func (r *Reader) Take(n int) []byte {
	if r.Bad || n < 0 || n > len(r.Rest) {
		r.Bad = true
		return nil
	}
	out := r.Rest[:n:n]
	r.Rest = r.Rest[n:]
	return out
}

// Byte returns the next byte.
func (r *Reader) Byte() byte {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 returns the next 2 bytes.
func (r *Reader) Uint16() uint16 {
	if b := r.Take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// Uint32 returns the next 4 bytes.
func (r *Reader) Uint32() uint32 {
	if b := r.Take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// Uint64 returns the next 8 bytes.
//
//go:noinline
func (r *Reader) Uint64() uint64 {
	if b := r.Take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Short returns what stands behind its length in 2 bytes.
//
//go:noinline
func (r *Reader) Short() []byte { return r.Take(int(r.Uint16())) }

// Long returns what stands behind its length in 4 bytes.
func (r *Reader) Long() []byte {
	n := r.Uint32()
	if uint64(n) > uint64(len(r.Rest)) { // int may have 32 bits
		r.Bad = true
		return nil
	}
	return r.Take(int(n))
}
