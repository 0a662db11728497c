package core

import (
	"crypto/sha256"
	"encoding/binary"
)

// Seed is the randomness of one commit attempt: 32 bytes that the host draws
// from a generator fit for keys and uses once. The core draws nothing itself,
// so the same inputs give the same bytes everywhere.
type Seed [32]byte

// One label for each use of a Seed.
const (
	useID         = "id"
	useSecret     = "secret"
	useVersion    = "version"
	useRenewalKey = "renewal key"
	useRecord     = "record nonce"
	useCookie     = "cookie nonce"
)

// part is the one-step key derivation of NIST SP 800-56C with SHA-256:
// H(counter 1, seed, label).
func (s *Seed) part(label string) [32]byte {
	var buf [4 + 32 + 24]byte
	buf[3] = 1
	copy(buf[4:], s[:])
	n := copy(buf[36:], label)
	return sha256.Sum256(buf[:36+n])
}

func (s *Seed) isZero() bool { return *s == Seed{} }

func (s *Seed) id() ID {
	p := s.part(useID)
	return ID(p[:16])
}

func (s *Seed) version() Version {
	p := s.part(useVersion)
	v := Version(binary.BigEndian.Uint64(p[:8]) &^ (1 << 63))
	if v == NoVersion { // once in 2^63
		v = 1
	}
	return v
}
