// Package wire carries the verbs of core.Machine as bytes in and bytes out, for
// a guest that cannot share Go values: the core as WebAssembly. A [Server] is
// the guest's side, a [Client] the side of a host in Go; wasm/README.md
// describes the frames for hosts in other languages.
//
// A request frame is one byte that names the verb and then its arguments; a
// reply is a status byte and then the results. Numbers are little-endian, times
// are Unix milliseconds in 8 bytes, and everything of variable length stands
// behind its length. The guest keeps configured machines and nothing else: a
// session travels in every call and back, as core.Session.AppendBytes writes it.
// A frame that is malformed gets a status, never a panic.
package wire
