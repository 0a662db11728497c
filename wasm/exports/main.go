// Exports rewrites a WebAssembly module so that it exports what is named and
// nothing else: the compiler adds functions of its own to the list.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
)

const (
	preamble      = 8 // magic and version
	sectionExport = 7
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: exports FILE.wasm NAME...")
		os.Exit(2)
	}
	module, err := os.ReadFile(os.Args[1])
	if err == nil {
		module, err = trim(module, os.Args[2:])
	}
	if err == nil {
		err = os.WriteFile(os.Args[1], module, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "exports:", err)
		os.Exit(1)
	}
}

var errModule = errors.New("not a WebAssembly module")

// trim copies every section but that of exports, of which it keeps the named.
func trim(module []byte, names []string) ([]byte, error) {
	if len(module) < preamble || string(module[:4]) != "\x00asm" {
		return nil, errModule
	}
	out := bytes.Clone(module[:preamble])
	for rest := module[preamble:]; len(rest) > 0; {
		id := rest[0]
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || uint64(len(rest)-1-n) < size {
			return nil, errModule
		}
		body := rest[1+n : 1+n+int(size)]
		rest = rest[1+n+int(size):]
		if id == sectionExport {
			var err error
			if body, err = kept(body, names); err != nil {
				return nil, err
			}
		}
		out = append(binary.AppendUvarint(append(out, id), uint64(len(body))), body...)
	}
	return out, nil
}

// kept returns an export section with the named entries: name, kind, index.
func kept(body []byte, names []string) ([]byte, error) {
	count, n := binary.Uvarint(body)
	if n <= 0 {
		return nil, errModule
	}
	var entries []byte
	found := uint64(0)
	for rest := body[n:]; count > 0; count-- {
		length, n := binary.Uvarint(rest)
		if n <= 0 || uint64(len(rest)-n) < length+2 {
			return nil, errModule
		}
		end := n + int(length) + 1 // behind the kind
		_, k := binary.Uvarint(rest[end:])
		if k <= 0 {
			return nil, errModule
		}
		if slices.Contains(names, string(rest[n:n+int(length)])) {
			entries = append(entries, rest[:end+k]...)
			found++
		}
		rest = rest[end+k:]
	}
	if found != uint64(len(names)) {
		return nil, fmt.Errorf("the module has %d of the %d exports %q", found, len(names), names)
	}
	return append(binary.AppendUvarint(nil, found), entries...), nil
}
