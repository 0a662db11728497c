package core

import (
	"bytes"
	"slices"
)

// An item is one name and its value as CBOR. Both may lie in the opened
// record and are never changed in place.
type item struct{ name, value []byte }

// Names are ordered by their encoded key (RFC 8949, 4.2.1): for text that is
// the shorter first, then byte by byte.
func compareNames(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

func findItem(list []item, name string) (at int, ok bool) {
	for i := range list {
		if len(list[i].name) >= len(name) {
			switch {
			case string(list[i].name) == name:
				return i, true
			case len(list[i].name) > len(name) || string(list[i].name) > name:
				return i, false
			}
		}
	}
	return len(list), false
}

// setItem returns list with the name at its place, in its own memory.
func setItem(list []item, name string, value []byte) []item {
	at, ok := findItem(list, name)
	if ok {
		list[at].value = value
		return list
	}
	return slices.Insert(list, at, item{[]byte(name), value})
}

func sameItems(a, b []item) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i].name, b[i].name) || !bytes.Equal(a[i].value, b[i].value) {
			return false
		}
	}
	return true
}

// itemOverhead is what a name and a value take beside their own bytes.
const itemOverhead = 2

// sizeOf counts what SessionSize bounds.
func sizeOf(list []item) (n int) {
	for i := range list {
		n += itemOverhead + len(list[i].name) + len(list[i].value)
	}
	return n
}
