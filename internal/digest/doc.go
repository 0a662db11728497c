// Package digest is SHA-256 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869)
// over it: Go's own, but in WebAssembly, where those bring along ciphers,
// generators and self-tests of a hundred kilobytes, in plain Go. Nothing in it
// branches or looks up by what it digests.
package digest
