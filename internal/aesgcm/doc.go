// Package aesgcm is AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and
// 128-bit tags, in constant time: through crypto/cipher on architectures whose
// processors have instructions for it, else in plain Go without branches or
// look-ups that depend on secrets. Go's own portable code is table driven, in
// WebAssembly too, and also on the few amd64 and arm64 processors that lack the
// instructions, such as the Raspberry Pi 4's: the build tag purego chooses the
// plain code anywhere.
package aesgcm
