//go:build !((amd64 || arm64 || ppc64 || ppc64le || s390x) && !purego)

package aesgcm

// AEAD seals and opens under one key. It is safe for concurrent use.
type AEAD = *Plain

// New returns the AEAD of a key. Here it never fails.
func New(key *[32]byte) (AEAD, error) { return NewPlain(key), nil }
