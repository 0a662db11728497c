package nethttp

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
)

// found is how much of an answer was sent, as far as its writers show.
type found uint8

const (
	unsent    found = iota // or nobody knows
	held                   // in the buffers of an HTTP/1 server, all of it
	left                   // an HTTP/1 server may have sent some of it
	stream                 // the same of an HTTP/2 server
	taken                  // the connection is the handler's
	elsewhere              // in a writer that is no server's, such as a test's
)

// maxLayers is how many writers may lie above the server's.
const maxLayers = 32

// look asks the writers from w down to the server's own, which it returns if it
// can. Writers of frameworks have a method Written; the server's keep it in a field,
// which only reflection can read. Only the goroutine that writes may call it.
func look(w http.ResponseWriter) (found, http.ResponseWriter) {
	written, v := false, reflect.ValueOf(w)
	for range maxLayers {
		if w = nil; v.CanInterface() {
			w, _ = v.Interface().(http.ResponseWriter)
		}
		l := layerOf(v.Type())
		if l.server {
			return l.found(reflect.Indirect(v), written), w
		}
		if x, ok := w.(interface{ Written() bool }); ok {
			written = written || x.Written()
		}
		var next reflect.Value
		if x, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
			next = reflect.ValueOf(x.Unwrap())
		} else if s := reflect.Indirect(v); l.beneath != nil && s.IsValid() {
			if field, err := s.FieldByIndexErr(l.beneath); err == nil {
				next = field.Elem()
			}
		}
		if !next.IsValid() {
			break
		}
		v = next
	}
	if written {
		return elsewhere, w
	}
	return unsent, w
}

// layer says how to read the state of writers of one type. Paths lead to a field
// and are nil where there is none.
type layer struct {
	server   bool  // of net/http: what is beneath it is not asked
	http2    bool  // its answers are streams
	wrote    []int // it has the status
	flushed  []int // it has composed the header and may have sent it
	hijacked []int
	beneath  []int // the writer that this one wraps
}

var layers sync.Map // by type

func layerOf(t reflect.Type) *layer {
	if l, ok := layers.Load(t); ok {
		return l.(*layer)
	}
	l := newLayer(t)
	layers.Store(t, l)
	return l
}

func newLayer(t reflect.Type) *layer {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	l := new(layer)
	if t.Kind() != reflect.Struct {
		return l
	}
	if p := t.PkgPath(); p == "net/http" || strings.HasPrefix(p, "net/http/") || strings.HasSuffix(p, "golang.org/x/net/http2") {
		l.wrote, l.flushed, l.hijacked = path(t, "wroteHeader"), path(t, "cw", "wroteHeader"), path(t, "conn", "hijackedv")
		if l.wrote == nil {
			l.wrote = path(t, "rws", "wroteHeader")
			l.http2 = l.wrote != nil
		}
		if l.server = l.wrote != nil; l.server {
			return l
		}
	}
	l.beneath = wrapped(t)
	return l
}

// path finds the field at the end of a chain of fields and pointers.
func path(t reflect.Type, names ...string) (index []int) {
	for _, name := range names {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return nil
		}
		f, ok := t.FieldByName(name)
		if !ok {
			return nil
		}
		index, t = append(index, f.Index...), f.Type
	}
	return index
}

// wrapped finds the first field that holds a writer, also in embedded structs.
func wrapped(t reflect.Type) []int {
	for _, f := range reflect.VisibleFields(t) {
		if f.Type.Kind() == reflect.Interface && f.Type.Implements(reflect.TypeFor[http.ResponseWriter]()) {
			return f.Index
		}
	}
	return nil
}

// found reads the fields of a server's writer.
func (l *layer) found(v reflect.Value, written bool) found {
	is := func(path []int) bool {
		if path == nil || !v.IsValid() {
			return false
		}
		f, err := v.FieldByIndexErr(path)
		return err != nil || f.Bool() // an error: a nil pointer, whose request is over
	}
	switch {
	case is(l.hijacked):
		return taken
	case !written && !is(l.wrote):
		return unsent
	case l.http2:
		return stream
	case l.flushed == nil:
		return elsewhere
	case is(l.flushed):
		return left
	}
	return held
}
