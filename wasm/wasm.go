// Package wasm holds the core as a WebAssembly module, which README.md describes
// for hosts in any language. hosts/wazero runs it in a Go program, hosts/js at
// the edge.
package wasm

import _ "embed"

// Core is the module: no imports, the exports of ABI version 1. It is not to be
// changed.
//
//go:embed core.wasm
var Core []byte
