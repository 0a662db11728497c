package core

import (
	"crypto/sha256"
	"encoding/binary"
)

// macKey is an HMAC-SHA-256 key (RFC 2104) whose pads are laid out once: one
// message then costs two calls of Sum256 and no allocation, where crypto/hmac
// makes a new object for each. The tests hold it to crypto/hmac.
type macKey struct{ inner, outer [sha256.BlockSize]byte }

func newMacKey(key *[32]byte) *macKey {
	k := new(macKey)
	copy(k.inner[:], key[:])
	copy(k.outer[:], key[:])
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k
}

// sum authenticates three parts, each preceded by its length in 8 bytes.
func (k *macKey) sum(a, b, c []byte) [32]byte {
	var room [512]byte // more than a cookie and most sessions need
	buf := append(room[:0], k.inner[:]...)
	for _, p := range [...][]byte{a, b, c} {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	digest := sha256.Sum256(buf)
	var out [sha256.BlockSize + sha256.Size]byte
	copy(out[:], k.outer[:])
	copy(out[sha256.BlockSize:], digest[:])
	return sha256.Sum256(out[:])
}
