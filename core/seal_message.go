package core

import "encoding/binary"

// The sealed format, of cookies (then base64url without padding) and of
// records (as it is):
//
//	version 1 | keyID 4 | epoch 4 | nonce 12 | ciphertext | tag 16
const (
	sealedVersion = 1
	headerLen     = 1 + 4 + 4
	nonceLen      = 12
	tagLen        = 16
	sealedExtra   = headerLen + nonceLen + tagLen
)

// Purposes keep one kind of message from being taken for another.
const (
	purposeCookie = "cookie"
	purposeRecord = "record"
)

// header of a sealed message, checked before anything is derived from it.
type header struct {
	key   *ringKey
	epoch uint32
}

// check reads the header of a sealed message. Epochs that no clock of ours can
// have written are refused here, so that nobody makes us derive keys for them.
func (r *ring) check(msg []byte, now Time) (header, error) {
	if len(msg) < sealedExtra {
		return header{}, ErrMalformed
	}
	if msg[0] != sealedVersion {
		return header{}, unknownFormat(msg[0])
	}
	h := header{r.find(keyID(msg[1:5])), binary.BigEndian.Uint32(msg[5:9])}
	current := epochOf(now)
	switch {
	case h.key == nil || !h.key.opens(now):
		return header{}, unknownKey(keyID(msg[1:5]))
	case h.epoch > current && h.epoch-current > 1:
		return header{}, sealedAhead(h.epoch - current)
	case h.epoch < current && Time(current-h.epoch-1)*Hour >= r.oldest:
		return header{}, ErrExpired
	}
	return h, nil
}

// open appends the plaintext of msg to dst. The AEAD is kept only after a
// message was authentic, so forged ones cannot push out those in use.
func (r *ring) open(dst, msg, aad []byte, h header, purpose string) ([]byte, error) {
	sub, cached, err := r.subkey(h, purpose)
	if err != nil {
		return nil, err
	}
	plain, err := sub.aead.Open(dst, msg[headerLen:headerLen+nonceLen], msg[headerLen+nonceLen:], aad)
	if err != nil {
		return nil, ErrNotAuthentic
	}
	if !cached {
		r.keep(sub)
	}
	return plain, nil
}

// seal appends a sealed message whose header stands in dst already. The nonce
// is hedged: derived from a key of this epoch and purpose, the seed, the AAD
// and the plaintext. A seed that comes twice can repeat a message, but never a nonce
// under another plaintext.
func (r *ring) seal(dst, plain, aad []byte, h header, purpose string, seed *Seed) ([]byte, error) {
	sub, cached, err := r.subkey(h, purpose)
	if err != nil {
		return nil, err
	}
	if !cached {
		r.keep(sub)
	}
	nonce := oneStep(&sub.nonce, seed[:], aad, plain)
	dst = append(dst, nonce[:nonceLen]...)
	return sub.aead.Seal(dst, dst[len(dst)-nonceLen:], plain, aad), nil
}

func appendHeader(dst []byte, h header) []byte {
	dst = append(dst, sealedVersion)
	dst = append(dst, h.key.id[:]...)
	return binary.BigEndian.AppendUint32(dst, h.epoch)
}

// appendField appends a length in 2 bytes and the text. Everything that is
// given here is shorter than MaxCookieSize.
func appendField(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

func unknownKey(id keyID) *Refusal {
	return refusal(ReasonUnknownKey, ErrUnknownKey.text+" "+id.String()+
		"; do all servers have the same keys, and was one replaced?")
}

// sealedAhead is of an hour that no clock of ours can have written, unless one of
// them is wrong. The hour is what the message says: it is not authenticated yet.
func sealedAhead(hours uint32) *Refusal {
	return refusal(ReasonNotAuthentic, ErrNotAuthentic.text+": by its hour it was sealed "+decimal(int(min(hours, 1<<30)))+
		" hours ahead of this server's clock; check the clocks of all servers")
}

func unknownFormat(version byte) *Refusal {
	return refusal(ReasonMalformed, "failed to decrypt session ID: sealed in format "+decimal(int(version))+
		", this release reads format "+decimal(sealedVersion))
}
