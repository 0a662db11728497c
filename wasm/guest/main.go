//go:build wasm || tinygo

// Guest is the core as a WebAssembly module without imports; wasm/README.md
// describes what it exports.
package main

import (
	"unsafe"

	"github.com/rockstar-web/sessions/core/wire"
)

var (
	server  wire.Server
	request []byte // kept here, so that it stays where the host writes to
	reply   []byte
)

//go:wasmexport abi_version
func abiVersion() uint32 { return wire.Version }

// buffer returns where to write a request of n bytes, until the next call of
// buffer; 0 if that is too large.
//
//go:wasmexport buffer
func buffer(n uint32) uint32 {
	if n == 0 || n > wire.MaxFrame {
		return 0
	}
	if uint32(cap(request)) < n {
		request = make([]byte, n)
	}
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(request))))
}

// handle answers the first n bytes of the buffer and wipes them: ptr<<32 | len
// of the reply, which stands until the next call of handle.
//
//go:wasmexport handle
func handle(n uint32) uint64 {
	frame := request[:min(n, uint32(cap(request)))]
	reply = server.Handle(reply[:0], frame)
	clear(frame)
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(reply))))<<32 | uint64(len(reply))
}

func main() {}
