//go:build !wasm && !tinygo && !purego

package digest

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
)

// Sum256 returns the SHA-256 of data.
func Sum256(data []byte) [32]byte { return sha256.Sum256(data) }

// HMAC returns the HMAC-SHA-256 of data.
func HMAC(key, data []byte) (mac [32]byte) {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	h.Sum(mac[:0])
	return mac
}

// HKDF returns 64 bytes of HKDF-SHA-256 without salt. It fails only where the
// platform refuses the key.
func HKDF(key []byte, info string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, info, 64)
}
