// Package values turns the values of a program into the CBOR that core.Session
// keeps, and back: structs, named types, pointers, slices, arrays and maps, beside
// the plain types that core.AppendValue takes. hosts.Put, hosts.Get and
// hosts.Update use it; it knows no sessions.
//
// On the way in [Plain] translates a value into plain types, and [Encode] those
// into bytes. On the way back core.DecodeValue makes plain types of the bytes, and
// [As] the type that is wanted.
package values
