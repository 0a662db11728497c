package aesgcm

import (
	"encoding/binary"
	"math/bits"
)

// A stream is the key stream of one nonce.
type stream struct {
	n0    uint64 // nonce
	n1    uint64
	count uint32 // of the next block
	q     state  // four blocks: halves at b and b+4
}

func (c *stream) init(nonce []byte) {
	c.n0 = binary.LittleEndian.Uint64(nonce)
	c.n1 = uint64(binary.LittleEndian.Uint32(nonce[8:]))
	c.count = 1
}

func (c *stream) next(g *Plain) {
	for b := range uint32(lanes) {
		c.q[b] = c.n0
		c.q[b+lanes] = c.n1 | uint64(bits.ReverseBytes32(c.count+b))<<32
	}
	c.count += lanes
	g.keys.encrypt(&c.q)
}

// xor writes src plus the key stream to dst. The first call to next has
// left block 0, the tag's mask, and three blocks for data.
func (c *stream) xor(g *Plain, dst, src []byte) {
	for b := 1; len(src) > 0; b++ {
		if b == lanes {
			c.next(g)
			b = 0
		}
		lo, hi := c.q[b&3], c.q[b&3+lanes]
		if len(src) < 16 {
			for i := range src {
				if i == 8 {
					lo = hi
				}
				dst[i] = src[i] ^ byte(lo>>(8*(i&7)))
			}
			return
		}
		lo ^= binary.LittleEndian.Uint64(src)
		hi ^= binary.LittleEndian.Uint64(src[8:])
		binary.LittleEndian.PutUint64(dst, lo)
		binary.LittleEndian.PutUint64(dst[8:], hi)
		dst, src = dst[16:], src[16:]
	}
}
