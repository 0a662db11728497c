package migrate

import "slices"

// The IDs of gob's own types.
const (
	gobBool = iota + 1
	gobInt
	gobUint
	gobFloat
	gobBytes
	gobString
	gobComplex
	gobInterface
)

// The kinds of types that are defined on the wire, in gob's order.
const (
	gobArray = iota + 1
	gobSlice
	gobStruct
	gobMap
	gobOwnEncoder // and above: GobEncoder, BinaryMarshaler, TextMarshaler
)

const (
	maxGobDepth  = 100 // values within values
	maxGobName   = 1024
	maxGobFields = 1 << 16 // of a struct
)

// gobType is a type that is defined on the wire.
type gobType struct {
	kind   int
	parts  [4]int // IDs by their field numbers: 2 is the key or the element, 3 a map's element
	fields []int  // IDs of a struct's
}

// wire copies a value that gob has encoded. gob cannot skip what an interface holds
// when it does not know the type; this can.
type wire struct {
	in      []byte            // what is still to be read
	bad     bool              // the rest makes no sense
	types   map[int]gobType   // that were defined
	defs    []byte            // their definitions
	without map[string]string // what goes in the place of values of a type
	names   []string          // of types in interfaces
	depth   int
	inside  bool   // of an interface
	gone    string // what goes in the place of the outermost interface's value
}

// rewrite returns what gob has encoded without the values that hold a type of
// without, and the names of all types that interfaces hold. In the place of such a
// value is an unread.
func rewrite(encoded []byte, without map[string]string) (rest []byte, names []string, bad bool) {
	w := &wire{in: encoded, types: map[int]gobType{}, without: without}
	w.uint() // the length of a message
	id := w.typeID()
	value := w.whole(appendInt(nil, id), id)
	return appendMessage(w.defs, value), w.names, w.bad
}

// typeID reads the ID of the value that follows, and the definitions before it.
// After a definition is the length of what follows: of a message or of a value.
func (w *wire) typeID() int {
	for !w.bad {
		start := w.in
		id := w.int()
		if id >= 0 {
			return id
		}
		w.types[-id] = w.definition()
		if w.bad {
			break
		}
		w.defs = appendMessage(w.defs, start[:len(start)-len(w.in)])
		w.uint()
	}
	return 0
}

func (w *wire) definition() (t gobType) {
	w.fields(func(kind int) {
		t.kind = kind
		w.fields(func(n int) {
			switch {
			case n == 1:
				w.nameAndID()
			case kind == gobStruct:
				for left := w.count(); left > 0 && !w.bad; left-- {
					t.fields = append(t.fields, w.nameAndID())
				}
			case n < len(t.parts):
				t.parts[n] = w.int()
			default:
				w.bad = true
			}
		})
	})
	return t
}

func (w *wire) nameAndID() (id int) {
	w.fields(func(n int) {
		if n == 1 {
			w.take(w.count())
		} else {
			id = w.int()
		}
	})
	return id
}

// fields calls do with the number of each field of a struct that follows, from 1 on.
func (w *wire) fields(do func(n int)) {
	for n := 0; !w.bad; {
		delta := w.uint()
		if delta == 0 {
			return
		}
		if delta > maxGobFields {
			w.bad = true
			return
		}
		n += int(delta)
		do(n)
	}
}

// whole copies a value as it is at the top and in an interface: one that is no
// struct has a zero before it.
func (w *wire) whole(out []byte, id int) []byte {
	if t := w.types[id]; t.kind != gobStruct {
		w.bad = w.bad || w.uint() != 0
		out = append(out, 0)
	}
	return w.value(out, id)
}

func (w *wire) value(out []byte, id int) []byte {
	if w.depth++; w.depth > maxGobDepth {
		w.bad = true
	}
	defer func() { w.depth-- }()
	if w.bad {
		return out
	}
	start := w.in
	switch t := w.types[id]; {
	case id == gobInterface:
		return w.held(out)
	case t.kind == gobStruct:
		last := 0
		w.fields(func(n int) {
			if n > len(t.fields) {
				w.bad = true
				return
			}
			out = w.value(appendUint(out, n-last), t.fields[n-1])
			last = n
		})
		return append(out, 0)
	case t.kind == gobArray, t.kind == gobSlice, t.kind == gobMap:
		n := w.count()
		out = appendUint(out, n)
		for i := 0; i < n && !w.bad; i++ {
			out = w.value(out, t.parts[2])
			if t.kind == gobMap {
				out = w.value(out, t.parts[3])
			}
		}
		return out
	case t.kind >= gobOwnEncoder, id == gobBytes, id == gobString:
		w.take(w.count())
	case id == gobComplex:
		w.uint()
		w.uint()
	case id == gobBool, id == gobInt, id == gobUint, id == gobFloat:
		w.uint()
	default:
		w.bad = true
	}
	return append(out, start[:len(start)-len(w.in)]...)
}

// held copies what an interface holds: the name of the type, its ID, a length and
// the value.
func (w *wire) held(out []byte) []byte {
	name := string(w.take(w.count()))
	if name == "" || len(name) > maxGobName {
		w.bad = w.bad || name != ""
		return append(out, 0)
	}
	if !slices.Contains(w.names, name) {
		w.names = append(w.names, name)
	}
	id := w.typeID()
	w.uint() // not of all that follows, where that defines types
	outermost := !w.inside
	if outermost {
		w.gone = ""
	}
	if w.gone == "" {
		w.gone = w.without[name]
	}
	w.inside = true
	value := w.whole(nil, id)
	w.inside = !outermost
	if outermost && w.gone != "" {
		name, id, value = unreadName, gobString, appendString([]byte{0}, w.gone)
	}
	out = appendInt(appendString(out, name), id)
	return appendMessage(out, value)
}
