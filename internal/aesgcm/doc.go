// Package aesgcm is AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and
// 128-bit tags, in constant time everywhere: by the processor's instructions
// through crypto/cipher where Go has them, else in plain Go without branches or
// look-ups that depend on secrets. Go's own portable code is table driven, in
// WebAssembly too. The build tag purego chooses the plain code anywhere.
package aesgcm
