// Package wazero runs the core as WebAssembly inside a Go program, by wazero:
// the same decisions and the same bytes as natively, in a sandbox that is lent
// nothing but a buffer.
//
//	engine, err := wazero.New(ctx, wazero.Options{})
//	...
//	manager, err := hosts.New(store, hosts.Config{Key: key, Engine: engine.Configure})
//
// A program has no need of it to use sessions: the core runs natively, many
// times as fast. It is for those who want the core held in by a sandbox, who
// test a host of the module in another language against it, and for the edge
// in Go.
//
// Calls take an instance from a pool, the one used last first, and give it back.
// An instance that traps, runs over its time or grows over its memory is dropped
// and counted; only its own call fails, with ErrGuest. Stats shows the pool.
package wazero
