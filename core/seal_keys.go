package core

import (
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/internal/digest"
)

// KeyLen is the length of an encryption key in bytes: AES-256.
const KeyLen = 32

// Errors of keys. None contains any of the key.
const (
	ErrNoKey       Error = "encryption key is required; make one with: openssl rand -hex 32"
	ErrKeyHex      Error = "invalid encryption key format: it must be 64 hexadecimal digits, as from: openssl rand -hex 32"
	ErrKeyLength   Error = "encryption key must be 32 bytes for AES-256"
	ErrWeakKey     Error = "encryption key is all zero, repeated, sequential or a published example; make one with: openssl rand -hex 32"
	ErrKeyHexRaw   Error = "encryption key is 32 hexadecimal digits: that is half a key in hex taken for raw bytes; give all 64 digits"
	ErrSameKey     Error = "encryption keys of the ring share their key ID; leave one out"
	ErrNoSealing   Error = "no encryption key of the ring encrypts now: all begin later or are over"
	ErrTooManyKeys Error = "encryption key ring holds more than 16 keys"
	ErrNoCipher    Error = "this platform refuses AES-256-GCM with a chosen nonce; GODEBUG=fips140=only cannot be used"
	ErrKeyTimes    Error = "encryption key stops opening cookies (OpenUntil) before it begins to encrypt them (SealFrom)"
)

// Key is one encryption key of a ring and the time in which it serves.
type Key struct {
	Bytes     Secret // 32 bytes, or their 64 hexadecimal digits: ParseKey, NewSecret
	Created   Time   // for the reader of the ring; not used
	SealFrom  Time   // seals from this moment on, until a later key does; zero: always
	OpenUntil Time   // opens cookies until this moment; zero: always. Records it opens while it is in the ring
}

// KeyRing holds the keys of one application. A message names its key, which is
// found by that name: none is tried. To rotate, add the new key with a
// SealFrom that all servers reach with the new ring in place, and remove the
// old one when every session sealed under it has run out.
type KeyRing []Key

// ParseKey reads a key from 64 hexadecimal digits.
func ParseKey(text string) (Secret, error) {
	key, err := parseKey(text)
	return NewSecret(key), err
}

func parseKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, ErrNoKey
	}
	switch {
	case !allHex([]byte(text)):
		return nil, ErrKeyHex
	case len(text) != 2*KeyLen:
		return nil, ErrKeyLength
	}
	key := make([]byte, KeyLen)
	for i := range key {
		key[i] = hexDigit(text[2*i])<<4 | hexDigit(text[2*i+1])
	}
	if weak(key) {
		return nil, ErrWeakKey
	}
	return key, nil
}

// hexDigit is the value of a digit that allHex has seen. encoding/hex does the
// same, and brings fmt into the guest: a tenth of its size.
func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// keyBytes returns the 32 bytes of a key that is given raw or in hex.
func keyBytes(given []byte) ([]byte, error) {
	switch {
	case len(given) == 0:
		return nil, ErrNoKey
	case len(given) == 2*KeyLen && allHex(given):
		return parseKey(string(given))
	case len(given) != KeyLen:
		return nil, ErrKeyLength
	case allHex(given):
		return nil, ErrKeyHexRaw
	case weak(given):
		return nil, ErrWeakKey
	}
	return slices.Clone(given), nil
}

func allHex(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// weak finds keys that nobody drew at random: a pattern of at most half the
// key repeated (all zero among them), bytes in steps, and printed examples.
func weak(key []byte) bool {
	for period := 1; period <= KeyLen/2; period++ {
		if string(key[period:]) == string(key[:KeyLen-period]) {
			return true
		}
	}
	steps := true
	for i := 2; i < KeyLen; i++ {
		steps = steps && key[i]-key[i-1] == key[1]-key[0]
	}
	return steps || slices.Contains(exampleKeys, string(key))
}

// exampleKeys stand in manuals, the first in Go's crypto/cipher; those of RFCs
// are sequential.
var exampleKeys = []string{
	"change this password to a secret",
	"AES256Key-32Characters1234567890",
	"passphrasewhichneedstobe32bytes!",
	"thisis32bitlongpassphraseimusing",
	"your-32-byte-encryption-key-here",
	"default-insecure-key-change-me!!",
	"the-key-has-to-be-32-bytes-long!",
	"N1PCdw3M2B1TfJhoaY2mL736p2vCUc47",
	"my32digitkey12345678901234567890",
	"abc&1*~#^2^#s0^=)^^7%b3401234567",
	"\x60\x3d\xeb\x10\x15\xca\x71\xbe\x2b\x73\xae\xf0\x85\x7d\x77\x81\x1f\x35\x2c\x07\x3b\x61\x08\xd7\x2d\x98\x10\xa3\x09\x14\xdf\xf4", // NIST SP 800-38A, F.1.5
}

// keyID is how a message names its key: 4 bytes of SHA-256(label, key).
type keyID [4]byte

func idOfKey(key []byte) keyID {
	sum := digest.Sum256(append([]byte("rockstar sessions key id\x00"), key...))
	return keyID(sum[:4])
}

func (id keyID) String() string {
	const digits = "0123456789abcdef"
	var text [2 * len(id)]byte
	for i, b := range id {
		text[2*i], text[2*i+1] = digits[b>>4], digits[b&15]
	}
	return string(text[:])
}

// KeyID returns the public name of a key, 8 hexadecimal digits, as diagnoses
// print it; empty when the key is not one.
func KeyID(key Secret) string {
	k, err := keyBytes(key.Bytes())
	if err != nil {
		return ""
	}
	return idOfKey(k).String()
}
