//go:build wasm || tinygo

// Aesguest is the core's cipher alone, as a WebAssembly module that is compiled
// like the guest, which lets nobody reach its own. Tests hold it to the ciphers of
// others; it is shipped with nothing.
package main

import (
	"unsafe"

	"github.com/rockstar-web/sessions/internal/aesgcm"
)

const keySize, nonceSize = 32, 12

// room has key, nonce, data and text in this order, and place for the result.
var room [1 << 16]byte

//go:wasmexport buffer
func buffer() uint32 { return uint32(uintptr(unsafe.Pointer(&room))) }

// seal writes ciphertext and tag to the room from out on, which may be where the
// text is, and returns their length. data and text are lengths.
//
//go:wasmexport seal
func seal(data, text, out uint32) uint32 {
	c, nonce, ad, plaintext := arguments(data, text)
	return uint32(len(c.Seal(room[out:out], nonce, plaintext, ad)))
}

// open is the same for ciphertext and tag; -1 if they are refused.
//
//go:wasmexport open
func open(data, text, out uint32) int32 {
	c, nonce, ad, ciphertext := arguments(data, text)
	opened, err := c.Open(room[out:out], nonce, ciphertext, ad)
	if err != nil {
		return -1
	}
	return int32(len(opened))
}

func arguments(dataSize, textSize uint32) (c aesgcm.AEAD, nonce, data, text []byte) {
	key := [keySize]byte(room[:keySize])
	c, _ = aesgcm.New(&key) // which never fails here
	nonce, rest := room[keySize:keySize+nonceSize], room[keySize+nonceSize:]
	return c, nonce, rest[:dataSize], rest[dataSize : dataSize+textSize]
}

func main() {}
