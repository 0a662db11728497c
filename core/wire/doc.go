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
//
// The files, in the order of reading:
//
//   - frame.go: the verbs and statuses by number, the bounds, and how the parts
//     that frames have in common are written and read.
//   - requests.go: the frame of each verb, as hosts write it.
//   - policy.go: the policy and the keys in the frame that makes a machine.
//   - server.go: what the guest reads of each frame, and what it answers.
//   - changes.go: what a request did to its session, and the effects of a commit.
//   - errors.go: errors by number, in replies, and back.
//   - client.go: the frames as the verbs of a core.Machine.
package wire
