//go:build (amd64 || arm64 || ppc64 || ppc64le || s390x) && !purego

package aesgcm

import (
	"crypto/aes"
	"crypto/cipher"
)

// AEAD seals and opens under one key. It is safe for concurrent use.
type AEAD = cipher.AEAD

// New returns the AEAD of a key. It fails where the platform refuses nonces
// that its own module did not make (GODEBUG=fips140=only).
func New(key *[32]byte) (AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
