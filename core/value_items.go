package core

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// An item is one name and its value as CBOR. Both may lie in the opened
// record and are never changed in place.
type item struct{ name, value []byte }

// values are the items of a session in the order of their names. As they were
// read they lie in the opened record: a request pays for an item when it asks
// for it. A change makes them a list.
type values struct {
	raw  []byte   // encoded pairs
	at   []uint32 // where each of them begins in raw
	list []item   // in place of both
	size int      // what SessionSize bounds
}

func (v *values) len() int { return len(v.at) + len(v.list) }

// item returns the one at i.
func (v *values) item(i int) item {
	if v.at == nil {
		return v.list[i]
	}
	end := uint32(len(v.raw))
	if i+1 < len(v.at) {
		end = v.at[i+1]
	}
	pair := v.raw[v.at[i]:end:end]
	from, to := 1, 1+int(pair[0]-majorText)
	if to > 24 {
		_, n, next, _ := readHead(pair, 0)
		from, to = next, next+int(n)
	}
	return item{pair[from:to:to], pair[to:]}
}

// Names are ordered by their encoded key (RFC 8949, 4.2.1): for text that is
// the shorter first, then byte by byte.
func compareNames(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

// find returns where a name is, or belongs.
func (v *values) find(name string) (at int, ok bool) {
	end := v.len()
	for to := end; at < to; {
		i := int(uint(at+to) / 2)
		if there := v.item(i).name; len(there) < len(name) || len(there) == len(name) && string(there) < name {
			at = i + 1
		} else {
			to = i
		}
	}
	return at, at < end && string(v.item(at).name) == name
}

func (v *values) value(name string) (value []byte, ok bool) {
	at, ok := v.find(name)
	if !ok {
		return nil, false
	}
	return v.item(at).value, true
}

// copied returns the values as a list in its own memory.
func (v *values) copied() values {
	list := make([]item, v.len(), v.len()+4)
	for i := range list {
		list[i] = v.item(i)
	}
	return values{list: list, size: v.size}
}

// set and remove change values that are a list in its own memory.
func (v *values) set(name string, value []byte) {
	at, ok := v.find(name)
	if ok {
		v.size += len(value) - len(v.list[at].value)
		v.list[at].value = value
		return
	}
	v.size += itemOverhead + len(name) + len(value)
	v.list = slices.Insert(v.list, at, item{[]byte(name), value})
}

func (v *values) remove(at int) {
	v.size -= itemOverhead + len(v.list[at].name) + len(v.list[at].value)
	v.list = slices.Delete(v.list, at, at+1)
}

func sameValues(a, b *values) bool {
	if a.size != b.size || a.len() != b.len() {
		return false
	}
	for i := range a.len() {
		x, y := a.item(i), b.item(i)
		if !bytes.Equal(x.name, y.name) || !bytes.Equal(x.value, y.value) {
			return false
		}
	}
	return true
}

// itemOverhead is what a name and a value take beside their own bytes.
const itemOverhead = 2

func validValueName(name string) bool {
	return name != "" && len(name) <= MaxNameLength && utf8.ValidString(name)
}
