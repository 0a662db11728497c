package core

import (
	"encoding/binary"

	"github.com/rockstar-web/sessions/internal/digest"
)

// Seed is the randomness of one commit attempt: 32 bytes that the host draws
// from a generator fit for keys and uses once. The core draws nothing itself,
// so the same inputs give the same bytes everywhere.
type Seed [32]byte

// One label for each use of a Seed; nonces use it under a key of their own.
const (
	useID         = "id"
	useSecret     = "secret"
	useVersion    = "version"
	useRenewalKey = "renewal key"
)

// part is the Seed for one use.
func (s *Seed) part(label string) [32]byte {
	return oneStep((*[32]byte)(s), []byte(label), nil, nil)
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

// oneStep is the one-step key derivation of NIST SP 800-56C rev. 2 (option 1,
// SHA-256): H(counter 1, secret, info). The info is three parts, each behind
// its length in 4 bytes. Nothing but a part of the digest of a secret is ever
// shown, so no digest can be extended.
func oneStep(secret *[32]byte, a, b, c []byte) [32]byte {
	var room [512]byte // more than a cookie and most sessions need
	buf := binary.BigEndian.AppendUint32(room[:0], 1)
	buf = append(buf, secret[:]...)
	for _, p := range [...][]byte{a, b, c} {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(p)))
		buf = append(buf, p...)
	}
	return digest.Sum256(buf)
}
