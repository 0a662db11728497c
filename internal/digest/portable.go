//go:build wasm || tinygo || purego

package digest

// Sum256 returns the SHA-256 of data.
func Sum256(data []byte) [32]byte { return sum(data) }

// HMAC returns the HMAC-SHA-256 of data.
func HMAC(key, data []byte) [32]byte { return mac(key, data) }

// HKDF returns 64 bytes of HKDF-SHA-256 without salt. Here it never fails.
func HKDF(key []byte, info string) ([]byte, error) { return expand(key, info), nil }
